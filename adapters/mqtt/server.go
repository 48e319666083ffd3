package mqtt

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// Config is what a Server rests on. All of it is required.
type Config struct {
	Router    *router.Router
	Directory *tenancy.Directory
	Driver    *transport.Driver
	Limits    Limits
	Log       *slog.Logger
}

// Server is the door. Its methods may be called from any goroutine.
type Server struct {
	config Config
	tokens sync.Pool // of *outgoing

	mu      sync.Mutex // guards everything below; a leaf
	clients map[clientKey]*conn
	open    int
}

// clientKey names a client: ids of two tenants have nothing to do with each other.
type clientKey struct{ tenant, id string }

// New gives a server; c.Limits must be valid.
func New(c Config) *Server {
	return &Server{
		config:  c,
		tokens:  sync.Pool{New: func() any { return new(outgoing) }},
		clients: make(map[clientKey]*conn),
	}
}

// Connections is how many connections are open.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

// Serve takes connections from ln until ctx ends; then clients are told goodbye, and it returns when all have gone or
// the driver's drain timeout has cut them off. It closes ln.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	return transport.Accept(ctx, ln, s.ServeConn)
}

// ServeConn runs one connection until it ends, and closes it. If it is one of TLS, it has shaken hands.
func (s *Server) ServeConn(ctx context.Context, nc net.Conn) {
	s.count(1)
	defer s.count(-1)
	login := s.newLogin(ctx, nc)
	var c *conn
	err := s.config.Driver.Serve(ctx, nc, func(wake func()) transport.Engine {
		c = newConn(s, login, wake, time.Now())
		return c
	})
	login.end()
	c.end()
	if err != nil && !errors.Is(err, io.EOF) {
		s.config.Log.Debug("MQTT connection ended", "peer", nc.RemoteAddr(), "client", c.key.id, "err", err)
	}
}

func (s *Server) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open += n
}

// enter makes c the connection of its client id and gives the one that it takes over from, if any
// [MQTT-3.1.4-3].
func (s *Server) enter(c *conn) (former *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	former = s.clients[c.key]
	s.clients[c.key] = c
	return former
}

// leave takes c out, unless another connection has taken its place.
func (s *Server) leave(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients[c.key] == c {
		delete(s.clients, c.key)
	}
}
