package udp

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/udp/coder"
	"go.uber.org/goleak"

	"github.com/manifoldmq/manifold/adapters/coap/internal/datagram"
	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what has to come.
const patience = time.Minute

// unlimited is a budget without an end.
type unlimited struct{}

func (unlimited) Take(int) bool { return true }
func (unlimited) Give(int)      {}

// house is a door whose clients answer by path: /now at once, /later from another goroutine, /stuck when it is released, /drain
// when the process stops. Each GET with Observe is an observation.
type house struct {
	mu       sync.Mutex
	clients  []*client
	requests atomic.Int64
	address  string       // where it listens
	gone     chan *client // clients that were disconnected
	stuck    chan *client // clients with a request that is stuck
}

// client is the house's side of one session.
type client struct {
	house   *house
	peer    session.Peer
	wake    func()
	session session.Session
	mailbox chan func(now time.Time) // for Collect
	pending []session.Exchange       // stuck, or until the process stops
	heard   chan struct{}            // one for each notification that arrived
}

var _ session.Client = (*client)(nil)

func newHouse() *house {
	return &house{address: "127.0.0.1:0", gone: make(chan *client, 1000), stuck: make(chan *client, 1000)}
}

func (h *house) open(p session.Peer, wake func()) session.Client {
	c := &client{house: h, peer: p, wake: wake, mailbox: make(chan func(time.Time), 1000), heard: make(chan struct{}, 100)}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clients = append(h.clients, c)
	return c
}

// client gives the client that was opened as the n-th.
func (h *house) client(n int) *client {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clients[n]
}

// tell lets the client do something on its lane.
func (c *client) tell(f func(now time.Time)) {
	c.mailbox <- f
	c.wake()
}

func (c *client) Request(now time.Time, r *session.Request) {
	c.house.requests.Add(1)
	path, _ := r.Options.Path()
	e := r.Exchange
	switch path {
	case "/later":
		go c.tell(func(now time.Time) { c.session.Respond(now, e, session.Response{Code: codes.Changed}) })
	case "/stuck":
		c.pending = append(c.pending, e)
		c.house.stuck <- c
	case "/large":
		c.session.Respond(now, e, session.Response{Code: codes.Content, Body: bytes.Repeat([]byte("x"), 6668)})
	case "/watch":
		c.session.Observe(now, e, session.Response{Code: codes.Content})
	default:
		c.session.Respond(now, e, session.Response{Code: codes.Changed, Body: r.Body})
	}
}

// notify sends a confirmable notification.
func (c *client) notify(token, body string) {
	c.tell(func(now time.Time) {
		c.session.Notify(now, message.Token(token), session.Response{Code: codes.Content, Body: []byte(body)}, true)
	})
}

func (c *client) release(now time.Time) {
	for _, e := range c.pending {
		c.session.Respond(now, e, session.Response{Code: codes.ServiceUnavailable})
	}
	c.pending = nil
}

func (c *client) Notified(time.Time, message.Token)  { c.heard <- struct{}{} }
func (c *client) Forgotten(time.Time, message.Token) {}
func (c *client) Disconnected(time.Time)             { c.house.gone <- c }
func (c *client) Attach(s session.Session)           { c.session = s }
func (c *client) Deadline() time.Time                { return time.Time{} }
func (c *client) Drain(now time.Time)                { c.release(now) }
func (c *client) Idle() bool                         { return len(c.pending) == 0 && len(c.mailbox) == 0 }

func (c *client) Collect(now time.Time) {
	for {
		select {
		case f := <-c.mailbox:
			f(now)
		default:
			return
		}
	}
}

// serve runs a server until the test ends, or stop is called.
func serve(t testing.TB, h *house, change func(*Options)) (s *Server, stop func()) {
	t.Helper()
	o := Options{Open: h.open, Shared: datagram.Shared{
		Limits: datagram.DefaultLimits(), Budget: unlimited{}, Random: rand.Uint64, EchoKey: [32]byte{1}}}
	o.Shared.Limits.MaxExchanges, o.DrainTimeout = 100, 10*time.Millisecond
	if change != nil {
		change(&o)
	}
	s, err := Listen(h.address, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	returned := make(chan error, 1)
	go func() { returned <- s.Serve(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-returned; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return s, stop
}

// caller is a client: it repeats a request until something comes, for even the loopback loses datagrams when the machine is
// busy, and hears each message once.
type caller struct {
	t    testing.TB
	conn net.Conn
	id   uint16
	last []byte         // the datagram that was sent last
	seen map[int32]bool // types and ids of the messages heard
}

func dial(t testing.TB, s *Server) *caller {
	return dialAt(t, net.UDPAddrFromAddrPort(s.Address()))
}

func dialAt(t testing.TB, to *net.UDPAddr) *caller {
	t.Helper()
	conn, err := net.DialUDP("udp", nil, to)
	if err != nil {
		t.Fatal(err)
	}
	return callOver(t, conn)
}

func callOver(t testing.TB, conn net.Conn) *caller {
	t.Cleanup(func() { conn.Close() })
	return &caller{t: t, conn: conn, seen: make(map[int32]bool)}
}

// send sends a message with the next id, unless it has one.
func (c *caller) send(m message.Message) {
	c.t.Helper()
	if m.MessageID < 0 {
		c.id++
		m.MessageID = int32(c.id)
	}
	p := make([]byte, 65000)
	n, err := coder.DefaultCoder.Encode(m, p)
	if err != nil {
		c.t.Fatal(err)
	}
	c.last = p[:n]
	c.repeat()
}

// repeat sends what was sent last again.
func (c *caller) repeat() {
	if _, err := c.conn.Write(c.last); err != nil {
		c.t.Fatal(err)
	}
}

// stick sends a request that the house holds back, and waits until it has it.
func (c *caller) stick(h *house, token string) (stuck *client) {
	c.t.Helper()
	c.send(request(codes.POST, "stuck", token, nil))
	for range int(patience / time.Second) {
		select {
		case stuck = <-h.stuck:
			return stuck
		case <-time.After(time.Second):
			c.repeat()
		}
	}
	c.t.Fatal("the request does not arrive")
	return nil
}

// request makes a confirmable request.
func request(code codes.Code, path, token string, body []byte, options ...message.Option) message.Message {
	all := message.Options{{ID: message.URIPath, Value: []byte(path)}}
	for _, o := range options {
		all = all.Add(o)
	}
	return message.Message{Type: message.Confirmable, Code: code, MessageID: -1, Token: message.Token(token), Options: all, Payload: body}
}

// receive waits for a message that has not come before.
func (c *caller) receive() message.Message {
	c.t.Helper()
	p := make([]byte, 65000)
	for range int(patience / time.Second) {
		if err := c.conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			c.t.Fatal(err)
		}
		n, err := c.conn.Read(p)
		if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
			c.repeat()
			continue
		} else if err != nil {
			c.t.Fatal(err)
		}
		m := message.Message{Options: make(message.Options, 0, 16)}
		if _, err := coder.DefaultCoder.Decode(p[:n], &m); err != nil {
			c.t.Fatal(err)
		}
		if key := int32(m.Type)<<16 | m.MessageID; !c.seen[key] {
			c.seen[key] = true
			return m
		}
	}
	c.t.Fatal("nothing comes")
	return message.Message{}
}

// response waits for the response with a token: with the acknowledgement or, if the machine is slow, after it.
func (c *caller) response(token string) message.Message {
	c.t.Helper()
	for {
		m := c.receive()
		if m.Type == message.Confirmable {
			c.send(message.Message{Type: message.Acknowledgement, MessageID: m.MessageID})
		}
		if string(m.Token) == token && m.Code != codes.Empty {
			return m
		}
	}
}

// want waits for a message with a type and a code, and gives it.
func (c *caller) want(kind message.Type, code codes.Code, token string) message.Message {
	c.t.Helper()
	m := c.receive()
	if m.Type != kind || m.Code != code || string(m.Token) != token {
		c.t.Fatalf("%v, want a %v with %v and token %q", m.String(), kind, code, token)
	}
	return m
}
