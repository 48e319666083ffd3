package amqp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// Config is what a Server rests on. All of it is required.
type Config struct {
	Router      *router.Router
	Directory   *tenancy.Directory
	Driver      *transport.Driver
	Limits      Limits
	ContainerID string // what we call ourselves in open
	Version     string // of the program, told in open
	Log         *slog.Logger
}

// Server is the door. Its methods may be called from any goroutine.
type Server struct {
	config Config
	hello  engine.Server
	tokens sync.Pool // of *held
	open   atomic.Int64
	owners owners
}

// New gives a server; c.Limits must be valid.
func New(c Config) *Server {
	return &Server{
		config: c,
		hello:  engine.Server{ContainerID: c.ContainerID, Mechanisms: mechanisms(c.Directory), Optional: true},
		tokens: sync.Pool{New: func() any { return new(held) }},
	}
}

// mechanisms are those of SASL that are offered: ANONYMOUS only if there is a tenant that can be entered so.
func mechanisms(d *tenancy.Directory) []codec.Symbol {
	for _, name := range d.Names() {
		if t, _ := d.Lookup(name); t.Anonymous {
			return []codec.Symbol{engine.Anonymous, engine.Plain}
		}
	}
	return []codec.Symbol{engine.Plain}
}

// Connections is how many connections are open.
func (s *Server) Connections() int { return int(s.open.Load()) }

// Serve takes connections from ln until ctx ends; then clients are told goodbye, and it returns when all have gone or
// the driver's drain timeout has cut them off. It closes ln.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	return transport.Accept(ctx, ln, s.ServeConn)
}

// ServeConn runs one connection until it ends, and closes it.
func (s *Server) ServeConn(ctx context.Context, nc net.Conn) {
	s.open.Add(1)
	defer s.open.Add(-1)
	var c *conn
	err := s.config.Driver.Serve(ctx, nc, func(wake func()) transport.Engine {
		c = newConn(s, wake, time.Now())
		return c
	})
	c.end()
	if err != nil && !errors.Is(err, io.EOF) {
		s.config.Log.Debug("AMQP connection ended", "peer", nc.RemoteAddr(), "err", err)
	}
}

// tenantOf gives the tenant that a host name is of: its first label, if that is a tenant's name. A client that was given no
// virtual host says the name or number of the machine it connects to, which says nothing.
func (s *Server) tenantOf(hostname string) string {
	label, _, _ := strings.Cut(hostname, ".")
	if _, ok := s.config.Directory.Lookup(label); ok {
		return label
	}
	return ""
}
