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
	Sessions  Sessions
	Limits    Limits
	Log       *slog.Logger
}

// Server is the door. Its methods may be called from any goroutine.
type Server struct {
	config Config
	tokens sync.Pool // of *outgoing

	sooner chan struct{} // tells Run that there is something to do before it would look

	mu     sync.Mutex // guards everything below; a leaf
	seats  map[clientKey]*seat
	groups map[groupKey]*group
	agenda agenda
	open   int
}

// New gives a server with the sessions that were kept; c.Limits must be valid. Its Run is to be running while it serves.
func New(c Config) (*Server, error) {
	s := &Server{
		config: c,
		tokens: sync.Pool{New: func() any { return new(outgoing) }},
		sooner: make(chan struct{}, 1),
		seats:  make(map[clientKey]*seat),
		groups: make(map[groupKey]*group),
	}
	return s, s.recover(time.Now())
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
		c = newConn(s, nc, login, wake, time.Now())
		return c
	})
	login.end()
	c.end()
	if err != nil && !errors.Is(err, io.EOF) {
		s.config.Log.Debug("MQTT connection ended", "peer", nc.RemoteAddr(), "client", c.id, "err", err)
	}
}

func (s *Server) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open += n
}
