package coap

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
	"github.com/manifoldmq/manifold/adapters/coap/internal/stream"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// Subprotocol is the name of CoAP over WebSocket (RFC 8323 section 4.1), and of CoAP over TLS in ALPN (section 8.2).
const Subprotocol = "coap"

// Config is what a Server rests on. All but QueryCredentials and Log must be set.
type Config struct {
	Router    *router.Router
	Directory *tenancy.Directory
	Driver    *transport.Driver // of connections over TCP, TLS and WebSocket
	Limits    Limits
	// QueryCredentials lets a client say in the query of a request who it is: user=NAME and password=TEXT, or token=TEXT.
	// What is said so is read by everybody on the way, unless the session is one of DTLS or TLS.
	QueryCredentials bool
	Log              *slog.Logger // slog.DiscardHandler's if nil
}

// Server is the door. Its methods may be called from any goroutine.
type Server struct {
	config Config
	limits Limits
	log    *slog.Logger
	locks  *locks
	topics *topics

	budget  *budget
	streams stream.Shared
	echoKey [32]byte // of what proves the addresses of peers

	serving  atomic.Int64 // sockets and connections
	peers    atomic.Int64
	requests atomic.Uint64
	refused  [router.ReasonCount]atomic.Uint64
}

// New gives a door that serves nobody yet; c.Limits must be valid.
func New(c Config) *Server {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	limits := c.Limits
	s := &Server{
		config: c, limits: limits, log: c.Log, budget: newBudget(limits.MaxBlockBytes),
		locks: newLocks(limits.MaxLocks), topics: newTopics(limits.MaxTopics),
	}
	rand.Read(s.echoKey[:]) // it never returns an error
	s.streams = stream.Shared{Limits: limits.Stream, Blocks: limits.Blocks, Budget: s.budget, Clock: time.Now}
	return s
}

// Connections is how many peers have a session now, over all transports.
func (s *Server) Connections() int { return int(s.peers.Load()) }

// Requests is how many requests there have been. What is the same request to a session counts once.
func (s *Server) Requests() uint64 { return s.requests.Load() }

// Refused is how many requests were answered with an error for a reason.
func (s *Server) Refused(r router.Reason) uint64 { return s.refused[r].Load() }

// front is the door towards one listener: what its sessions have in common.
type front struct {
	server   *Server
	ctx      context.Context // ends when the listener's sessions have
	checking sync.WaitGroup  // of passwords
	proof    bool            // only clients whose handshake has proven who they are may do anything
}

// open implements session.Open.
func (f *front) open(p session.Peer, wake func()) session.Client {
	s := f.server
	s.peers.Add(1)
	c := &conn{server: s}
	c.mail.init(wake, s.limits.MaxQueuedBytes)
	c.login.init(f, p)
	return c
}

// serve runs sessions, and waits for what they have started.
func (s *Server) serve(ctx context.Context, run func(session.Open) error) error {
	s.serving.Add(1)
	defer s.served()
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &front{server: s, ctx: base}
	err := run(f.open)
	cancel()
	f.checking.Wait()
	return err
}

// served notes that a socket or a connection is served no more. The last one ends the locks.
func (s *Server) served() {
	if s.serving.Add(-1) == 0 {
		s.locks.close()
	}
}

// refusalOf gives an error as a response with a diagnostic payload (RFC 7252 section 5.5.2). What is a fault of ours is
// for the log only.
func (s *Server) refusalOf(err error) session.Response {
	if r, ok := errors.AsType[*refusal](err); ok {
		response := session.Response{Code: r.code, Body: []byte(r.text)}
		if r.size > 0 {
			var o options
			o.number(message.Size1, uint32(r.size))
			response.Options = message.Options(o)
		}
		return response
	}
	reason := router.ReasonOf(err)
	response := session.Response{Code: answers[reason].code}
	if reason == router.Internal {
		s.log.Error("request failed", "err", err)
	} else {
		response.Body = []byte(err.Error())
	}
	if answers[reason].retry {
		var o options
		o.seconds(message.MaxAge, s.limits.RetryAfter)
		response.Options = message.Options(o)
	}
	return response
}

// empty is an answer that says no more than its code.
func empty(code codes.Code) session.Response { return session.Response{Code: code} }
