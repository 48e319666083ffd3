package amqp

import (
	"net"
	"testing"
	"time"

	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// client is an AMQP client that can do all that the engine can, for what go-amqp has no words. All of it belongs to the
// test's goroutine: it goes on while the test waits for something.
type client struct {
	t      *testing.T
	conn   *engine.Conn
	wire   net.Conn
	heard  chan []byte // from the server; closed at its end
	open   *frame.Open // of the server
	closed *engine.Ending
}

// link is a link of a client.
type link struct {
	*engine.Link
	client     *client
	attached   bool
	detached   *engine.Detachment
	drained    bool
	deliveries []delivery
}

// delivery is what came on a link.
type delivery struct {
	id      uint32
	settled bool
	message codec.Message
}

// sent is what a client sent, and what it heard of it.
type sent struct {
	state    frame.State // the last that the server said
	answered bool        // it said one
	settled  bool
}

// client connects one that says o.
func (h *house) client(o frame.Open) *client {
	ours, theirs := net.Pipe()
	h.serving.Go(func() { h.server.ServeConn(h.ctx, ours) })
	c := &client{t: h.t, wire: theirs, heard: make(chan []byte, 1<<10)}
	limits := engine.DefaultLimits()
	c.conn = engine.NewClient(time.Now(), &limits, engine.Client{}, c)
	h.serving.Go(func() {
		defer close(c.heard)
		for {
			b := make([]byte, 64<<10)
			n, err := theirs.Read(b)
			if err != nil {
				return
			}
			c.heard <- b[:n]
		}
	})
	h.t.Cleanup(func() { theirs.Close() })
	if o.ContainerID == "" {
		o.ContainerID = "client"
	}
	c.conn.Open(o)
	c.until("the open", func() bool { return c.open != nil })
	return c
}

// until goes on until something is so.
func (c *client) until(what string, so func() bool) {
	c.t.Helper()
	patience := time.After(time.Minute)
	for c.flush(); !so(); c.flush() {
		select {
		case b, ok := <-c.heard:
			if !ok {
				c.conn.Lost()
				if !so() {
					c.t.Fatalf("the connection ended before %s", what)
				}
				return
			}
			if err := c.conn.Feed(time.Now(), b); err != nil {
				c.t.Fatalf("waiting for %s: %v", what, err)
			}
		case <-patience:
			c.t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (c *client) flush() {
	if b := c.conn.Flush(nil); len(b) > 0 {
		if _, err := c.wire.Write(b); err != nil && c.closed == nil {
			c.t.Fatal(err)
		}
	}
}

// attach attaches a link in a session of its own, unless one is given, and waits for the answer.
func (c *client) attach(a frame.Attach, s *engine.Session) *link {
	c.t.Helper()
	if s == nil {
		s = c.conn.Begin()
	}
	l := &link{client: c}
	l.Link = s.Attach(a)
	l.Context = l
	c.until("the attach of "+a.Name, func() bool { return l.attached || l.detached != nil })
	return l
}

// sender attaches a link that sends to an address.
func (c *client) sender(address string, capabilities ...codec.Symbol) *link {
	c.t.Helper()
	return c.attach(frame.Attach{
		Name: "to " + address + capabilityText(capabilities), Role: frame.Sender, SenderSettleMode: frame.SendMixed,
		Source: &frame.Source{}, Target: &frame.Target{Address: address, HasAddress: true, Capabilities: capabilities},
	}, nil)
}

func capabilityText(capabilities []codec.Symbol) (text string) {
	for _, c := range capabilities {
		text += " " + string(c)
	}
	return text
}

// receiver attaches a link that receives from a source, without credit.
func (c *client) receiver(name string, s *frame.Source) *link {
	c.t.Helper()
	return c.attach(frame.Attach{
		Name: name, Role: frame.Receiver, SenderSettleMode: frame.SendMixed, Source: s, Target: &frame.Target{},
	}, nil)
}

// refusal gives the condition with which a link ended.
func (l *link) refusal() codec.Symbol {
	l.client.t.Helper()
	l.client.until("the end of "+l.Name(), func() bool { return l.detached != nil })
	if l.detached.Error == nil {
		return ""
	}
	return l.detached.Error.Condition
}

// send sends a message.
func (l *link) send(d engine.Delivery) *sent {
	l.client.t.Helper()
	x := &sent{}
	d.Token = x
	l.client.until("credit", func() bool { return l.Credit() > 0 })
	if err := l.Send(d); err != nil {
		l.client.t.Fatal(err)
	}
	return x
}

// answer waits for what the server says of a message.
func (l *link) answer(x *sent) frame.State {
	l.client.t.Helper()
	l.client.until("an answer", func() bool { return x.answered })
	return x.state
}

// next waits for a delivery.
func (l *link) next() delivery {
	l.client.t.Helper()
	l.client.until("a delivery", func() bool { return len(l.deliveries) > 0 })
	d := l.deliveries[0]
	l.deliveries = l.deliveries[1:]
	return d
}

// expect waits for a delivery with a body.
func (l *link) expect(body string) delivery {
	l.client.t.Helper()
	d := l.next()
	if got, _, _ := d.message.Body().Payload(); string(got) != body {
		l.client.t.Fatalf("got %q, want %q", got, body)
	}
	return d
}

// drainAll drains a link and gives how many deliveries are there then.
func (l *link) drainAll() int {
	l.client.t.Helper()
	l.drained = false
	l.Drain()
	l.client.until("the end of a drain", func() bool { return l.drained })
	return len(l.deliveries)
}

func text(s string) []byte { return codec.AppendData(nil, []byte(s)) }

var _ engine.Handler = (*client)(nil)

func (c *client) Authenticate(engine.Authentication)  {}
func (c *client) Opened(o *frame.Open)                { c.open = o }
func (c *client) Closed(e engine.Ending)              { c.closed = &e }
func (c *client) Begun(*engine.Session)               {}
func (c *client) Ended(*engine.Session, *frame.Error) {}
func (c *client) Requested(l *engine.Link)            { l.Refuse(nil) }
func (c *client) Sendable(*engine.Link)               {}
func (c *client) Attached(l *engine.Link)             { l.Context.(*link).attached = true }
func (c *client) Drained(l *engine.Link)              { l.Context.(*link).drained = true }

func (c *client) Detached(l *engine.Link, d engine.Detachment) { l.Context.(*link).detached = &d }

func (c *client) Received(l *engine.Link, t *engine.Transfer) {
	m, err := codec.ParseMessage(append([]byte(nil), t.Payload...))
	if err != nil {
		c.t.Error(err)
	}
	x := l.Context.(*link)
	x.deliveries = append(x.deliveries, delivery{id: t.ID, settled: t.Settled, message: m})
}

func (c *client) Progressed(_ *engine.Link, u engine.Update) {
	x, ok := u.Token.(*sent)
	if !ok {
		return
	}
	if u.State != nil {
		x.state, x.answered = u.State.Clone(), true
	}
	x.settled = u.Progress == engine.Settled
}
