package http

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"maps"
	"net"
	nethttp "net/http"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/net/http2"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// Config is what a Server needs. Router and Directory must be set.
type Config struct {
	Router    *router.Router
	Directory *tenancy.Directory
	Limits    Limits
	// Origins are the origins, such as "https://app.example", whose web pages may use this door from a browser; "*"
	// lets all of them. Without any, only pages of the door's own origin may. Clients that are no browsers send no
	// origin and are not affected.
	Origins []string
	// TenantOrigins are those of tenants that have their own, by tenant: they hold in place of Origins.
	TenantOrigins map[string][]string
	// Upgrades are the protocols that are offered over WebSocket, by subprotocol.
	Upgrades map[string]Upgrade
	// UpgradesOnly has the door serve those and nothing else.
	UpgradesOnly bool
	// Else answers, with UpgradesOnly, what is no upgrade; nil refuses that.
	Else nethttp.Handler
	Log  *slog.Logger // slog.DiscardHandler's if nil
}

// Server is the door. Its methods may be called from any goroutine.
type Server struct {
	router        *router.Router
	directory     *tenancy.Directory
	limits        Limits
	origins       *origins
	tenantOrigins map[string]*origins
	log           *slog.Logger
	locks         *locks
	stays         *stays
	keeper        *keeper
	zippers       zippers
	driver        *transport.Driver // of connections that were taken over
	views         *views

	pages        map[string]page // by path
	upgradesOnly bool
	others       nethttp.Handler // nil for none
	upgrades     map[string]Upgrade
	subprotocols []string // their names, in alphabetical order

	connections atomic.Int64
}

// New gives a door that serves nobody yet. The error is about origins.
func New(c Config) (*Server, error) {
	origins, err := newOrigins(c.Origins)
	if err != nil {
		return nil, err
	}
	tenantOrigins, err := newTenantOrigins(c.TenantOrigins)
	if err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	limits := c.Limits.withDefaults()
	locks, stays := newLocks(limits.MaxLocks), newStays(limits.ResumeTime)
	return &Server{
		router:        c.Router,
		directory:     c.Directory,
		limits:        limits,
		origins:       origins,
		tenantOrigins: tenantOrigins,
		log:           c.Log,
		locks:         locks,
		stays:         stays,
		keeper:        newKeeper(locks, stays),
		views:         newViews(),
		driver: transport.NewDriver(transport.Options{
			WriteTimeout: limits.WriteTimeout, DrainTimeout: limits.DrainTimeout,
		}),

		pages:        newPages(),
		upgradesOnly: c.UpgradesOnly,
		others:       c.Else,
		upgrades:     c.Upgrades,
		subprotocols: slices.Sorted(maps.Keys(c.Upgrades)),
	}, nil
}

// Handler gives the door as a handler for a server of the caller's. Locks expire only while a call of Serve is under
// way, and it is the other server's business to bound headers, connections and times.
func (s *Server) Handler() nethttp.Handler { return nethttp.HandlerFunc(s.serveHTTP) }

// Connections gives how many connections of Serve are open now.
func (s *Server) Connections() int { return int(s.connections.Load()) }

// NextProtos are the protocols that a TLS listener must offer in its tls.Config for clients to get HTTP/2
// (RFC 7301; RFC 9113 section 3.2).
func NextProtos() []string { return []string{"h2", "http/1.1"} }

// ServeTLS is Serve behind TLS. config needs certificates; what it says about ALPN is replaced by NextProtos.
func (s *Server) ServeTLS(ctx context.Context, ln net.Listener, config *tls.Config) error {
	config = config.Clone()
	config.NextProtos = NextProtos()
	return s.Serve(ctx, tls.NewListener(ln, config))
}

// Serve takes connections from ln until ctx ends, HTTP/1.1 and HTTP/2 on the same port: over TLS by ALPN, else by
// the client's first octets (RFC 9113 section 3.3). It may be called for several listeners, which share their locks.
//
// When ctx ends it stops in two steps. It closes ln and drains: streams and waiting receives end at once, other
// requests when they are done. What is left after Limits.DrainTimeout is cut off. It returns when everything that it
// started has ended, with nil if ctx ended it.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	defer s.keeper.start()()
	requests := newRequests()
	base, cancel := context.WithCancel(withServed(context.WithoutCancel(ctx), &served{ctx, requests}))
	defer cancel()
	var connections sync.WaitGroup
	server, err := s.httpServer(base, requests, &connections)
	if err != nil {
		return err
	}

	failed := make(chan struct{})
	var stopping sync.WaitGroup
	stopping.Go(func() {
		select {
		case <-ctx.Done():
			s.drain(ctx, server)
		case <-failed:
		}
		cancel()
		server.Close()
	})
	err = server.Serve(ln)
	if !errors.Is(err, nethttp.ErrServerClosed) {
		close(failed)
	} else {
		err = nil
	}
	stopping.Wait()
	connections.Wait()
	requests.closeAndWait()
	return err
}

// drain asks connections to end and waits for them, up to the drain timeout.
func (s *Server) drain(ctx context.Context, server *nethttp.Server) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limits.DrainTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		s.log.Warn("connections cut off at the drain timeout", "error", err)
	}
}

// maxFrame is the most that a frame of HTTP/2 may have (RFC 9113 section 4.2), the least of all limits: its length alone makes the
// server reserve as much.
const maxFrame = 16 << 10

// httpServer gives the server of one listener. It counts connections, and its requests get base as their context.
func (s *Server) httpServer(
	base context.Context, requests *requests, connections *sync.WaitGroup,
) (*nethttp.Server, error) {
	protocols := new(nethttp.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &nethttp.Server{
		Handler:   requests.counted(s.Handler()),
		Protocols: protocols,
		HTTP2: &nethttp.HTTP2Config{
			MaxConcurrentStreams: s.limits.MaxStreams,
			MaxReadFrameSize:     maxFrame,
			SendPingTimeout:      s.limits.PingAfter,
			PingTimeout:          s.limits.PingTimeout,
			WriteByteTimeout:     s.limits.WriteTimeout,
		},
		ReadHeaderTimeout: s.limits.HeaderTimeout,
		IdleTimeout:       s.limits.IdleTimeout,
		MaxHeaderBytes:    s.limits.MaxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return base },
		ConnState: func(_ net.Conn, state nethttp.ConnState) {
			switch state {
			case nethttp.StateNew:
				connections.Add(1)
				s.connections.Add(1)
			case nethttp.StateClosed, nethttp.StateHijacked:
				s.connections.Add(-1)
				connections.Done()
			}
		},
	}
	// The HTTP/2 half is golang.org/x/net/http2, over TLS and over cleartext; docs/decisions/0006 says why.
	//lint:ignore SA1019 it goes ahead of net/http's own copy and reads the same settings
	err := http2.ConfigureServer(server, nil)
	return server, err
}
