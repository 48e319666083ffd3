package gateway

import (
	"context"
	"crypto/tls"
	_ "embed" // the console
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/api"
)

// adminDoor tells those who run the gateway how it is, and lets them change what it is told.
type adminDoor struct {
	listener net.Listener // nil when the door is not enabled
	server   *http.Server
	ready    atomic.Bool // whether every door serves and none is stopping
}

func (a *assembly) newAdmin(listener net.Listener, doors []door) (*adminDoor, error) {
	d := &adminDoor{listener: listener}
	if listener == nil {
		return d, nil
	}
	if a.config.Admin.TLS {
		d.listener = tls.NewListener(listener, a.security.config(tls.VerifyClientCertIfGiven, "http/1.1"))
	}
	settings, err := a.apiConfig(append(doors, door{name: "admin", listener: listener}))
	if err != nil {
		return nil, err
	}
	settings.Metrics = a.metrics(doors, d.ready.Load)
	d.server = &http.Server{
		Handler:           d.handler(openMetrics(&a.config.Admin, settings.Metrics), api.New(settings)),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      10 * time.Minute, // so long may it take to move what is in a large queue
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(a.log.With("door", "admin").Handler(), slog.LevelDebug),
	}
	return d, nil
}

// run serves until ctx ends. Nothing that it answers is worth waiting for.
func (d *adminDoor) run(ctx context.Context) error {
	if d.listener == nil {
		return nil
	}
	defer context.AfterFunc(ctx, func() { d.server.Close() })()
	if err := d.server.Serve(d.listener); ctx.Err() == nil {
		return fmt.Errorf("admin door: %w", err)
	}
	return nil
}

// openMetrics gives the page for Prometheus if everybody may have it, else nil.
func openMetrics(c *config.Admin, page http.Handler) http.Handler {
	if !c.OpenMetrics {
		return nil
	}
	return page
}

// handler gives what nobody has to show who he is for, and leaves everything else to the API. metrics is nil where that has
// them.
func (d *adminDoor) handler(metrics, api http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", console)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", d.readyz)
	if metrics != nil {
		mux.Handle("GET /metrics", metrics)
	}
	mux.Handle("/", api)
	return mux
}

// readyz answers 200 while the gateway takes new clients, and 503 while it starts or stops.
func (d *adminDoor) readyz(w http.ResponseWriter, _ *http.Request) {
	if !d.ready.Load() {
		http.Error(w, "starting or stopping", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}

// consolePage shows what the admin API tells, in one page that needs nothing else.
//
//go:embed console.html
var consolePage []byte

var consolePolicy = api.Policy(consolePage)

func console(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", consolePolicy)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(consolePage) // else the client has gone
}
