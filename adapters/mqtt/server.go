package mqtt

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/manifoldmq/manifold/adapters/mqtt/rewrite"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// Config is what a Server rests on. All of it is required, but for Rewrite and, where Limits.SystemInterval is 0, Version
// and Retained.
type Config struct {
	Router    *router.Router
	Directory *tenancy.Directory
	Driver    *transport.Driver
	Sessions  Sessions
	Limits    Limits
	Rewrite   rewrite.Rules // names of topics that are not those of addresses
	Log       *slog.Logger

	Version  string                  // of this build, for those who ask
	Retained func(tenant string) int // how many retained messages a tenant has
}

// Server is the door. Its methods may be called from any goroutine.
type Server struct {
	config   Config
	started  time.Time
	tokens   sync.Pool     // of *outgoing
	connects *rate.Limiter // nil for no limit

	sooner chan struct{} // tells Run that there is something to do before it would look

	mu     sync.Mutex // guards everything below; a leaf
	seats  map[clientKey]*seat
	groups map[groupKey]*group
	agenda agenda
	open   int

	watchers map[*conn]struct{}  // those who are told the topics below $SYS
	reportAt time.Time           // when they are told next; of no meaning while there are none
	figures  map[string]*figures // what they were told last, by tenant; not changed once it is here
}

// New gives a server with the sessions that were kept; c.Limits must be valid. Its Run is to be running while it serves.
func New(c Config) (*Server, error) {
	s := &Server{
		config:   c,
		started:  time.Now(),
		tokens:   sync.Pool{New: func() any { return new(outgoing) }},
		connects: perSecond(c.Limits.ConnectRate),
		sooner:   make(chan struct{}, 1),
		seats:    make(map[clientKey]*seat),
		groups:   make(map[groupKey]*group),
		watchers: make(map[*conn]struct{}),
		figures:  make(map[string]*figures),
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

// ServeConn runs one connection until it ends, and hangs up as transport.Driver does. If it is one of TLS, it has shaken hands.
func (s *Server) ServeConn(ctx context.Context, nc net.Conn) {
	s.count(1)
	defer s.count(-1)
	var c *conn
	err := s.config.Driver.Serve(ctx, nc, func(wake func()) transport.Engine {
		c = newConn(s, nc, s.newLogin(ctx, nc), wake, time.Now())
		return c
	})
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
