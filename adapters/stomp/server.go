package stomp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// Subprotocols are the names of STOMP over WebSocket (RFC 6455 section 11.5). Which version is spoken is decided by
// CONNECT, whatever the name.
var Subprotocols = []string{"v10.stomp", "v11.stomp", "v12.stomp"}

// Config is what a Server rests on. All of it is required.
type Config struct {
	Router    *router.Router
	Directory *tenancy.Directory
	Driver    *transport.Driver
	Limits    Limits
	Version   string // of this server, as CONNECTED names it
	Log       *slog.Logger
}

// Server is the door. Its methods may be called from any goroutine.
type Server struct {
	config Config
	open   atomic.Int64
	owners transport.Owners[durable, *subscription] // of durable subscriptions in the names of clients
}

// New gives a server; c.Limits must be valid.
func New(c Config) *Server { return &Server{config: c} }

// Connections is how many connections are open.
func (s *Server) Connections() int { return int(s.open.Load()) }

// Serve takes connections from ln until ctx ends; then clients are told goodbye, and it returns when all have gone or
// the driver's drain timeout has cut them off. It closes ln.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	return transport.Accept(ctx, ln, s.ServeConn)
}

// ServeConn runs one connection until it ends, and hangs up as transport.Driver does. If it is one of TLS, it has shaken hands.
func (s *Server) ServeConn(ctx context.Context, nc net.Conn) {
	s.open.Add(1)
	defer s.open.Add(-1)
	login := s.newLogin(ctx, nc)
	var c *conn
	err := s.config.Driver.Serve(ctx, nc, func(wake func()) transport.Engine {
		c = newConn(s, login, wake, time.Now())
		return c
	})
	login.end()
	c.end()
	if c.refusal != nil {
		err = c.refusal
	}
	if err != nil && !errors.Is(err, io.EOF) {
		s.config.Log.Debug("STOMP connection ended", "peer", nc.RemoteAddr(), "err", err)
	}
}
