package amqp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/router/transport/frametrace"
	"github.com/manifoldmq/manifold/tenancy"
	"github.com/manifoldmq/manifold/tenancy/vhost"
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

	// Frames has what is said on connections logged, frame by frame, for those who want that; nil for nobody.
	Frames *frametrace.Log

	// Network is where links lead that are not for the gateway itself; nil for nowhere.
	Network Network

	// Policy says by which virtual hosts clients may come in, and what they may do; nil for what their roles say.
	Policy *vhost.Register

	// Manner is how the door behaves where the standard leaves it open.
	Manner Manner

	// PlainWithoutTLS lets clients of other machines send passwords and tokens as they are without TLS.
	PlainWithoutTLS bool
}

// Server is the door, or one of its entrances. Its methods may be called from any goroutine.
type Server struct {
	*common
	config   Config
	entrance Entrance
	open     atomic.Int64
}

// common is what the entrances of a door share.
type common struct {
	tokens     sync.Pool // of *held
	owners     transport.Owners[linkName, *outgoing]
	containers containers
}

// New gives a server; c.Limits must be valid.
func New(c Config) *Server {
	return &Server{
		common: &common{tokens: sync.Pool{New: func() any { return new(held) }}},
		config: c,
	}
}

// Connections is how many connections are open, at this entrance.
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
	if err != nil && !errors.Is(err, io.EOF) {
		s.config.Log.Debug("AMQP connection ended", "peer", nc.RemoteAddr(), "err", err)
	}
}
