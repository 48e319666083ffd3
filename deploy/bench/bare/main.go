// Command bare is an HTTP server of Go's that does as little as one can: it reads a request's body, throws it away and
// answers 204 No Content. Manifold's HTTP door is measured beside it.
//
// It has the HTTP/2 library and the limits of that door. At -listen it takes HTTP/1.1 and HTTP/2 with prior knowledge, at
// -listen-tls both over TLS by ALPN. A signal ends it.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/sync/errgroup"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bare:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("bare", flag.ContinueOnError)
	address := f.String("listen", "127.0.0.1:8080", "`address` without TLS")
	secure := f.String("listen-tls", "127.0.0.1:8443", "`address` with TLS, if there is a certificate")
	certificate := f.String("certificate", "", "`file` with a certificate")
	key := f.String("key", "", "`file` with the key of the certificate")
	if err := f.Parse(args); err != nil {
		return err
	}
	servers, ctx := errgroup.WithContext(ctx)
	servers.Go(func() error { return serve(ctx, *address, (*http.Server).ListenAndServe) })
	if *certificate != "" {
		servers.Go(func() error {
			return serve(ctx, *secure, func(s *http.Server) error { return s.ListenAndServeTLS(*certificate, *key) })
		})
	}
	return servers.Wait()
}

// serve runs one server until ctx ends.
func serve(ctx context.Context, address string, listen func(*http.Server) error) error {
	server, err := newServer(address)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := listen(server); ctx.Err() == nil {
		return err
	}
	return nil
}

// newServer gives a server with the limits that are the door's by default.
func newServer(address string) (*http.Server, error) {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Addr:      address,
		Handler:   http.HandlerFunc(discard),
		Protocols: protocols,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: 250,
			SendPingTimeout:      30 * time.Second,
			PingTimeout:          15 * time.Second,
			WriteByteTimeout:     15 * time.Second,
		},
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	//lint:ignore SA1019 as in the door
	err := http2.ConfigureServer(server, nil)
	return server, err
}

func discard(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return // the client is gone
	}
	w.WriteHeader(http.StatusNoContent)
}
