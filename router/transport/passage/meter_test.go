package passage

import (
	"testing"
	"testing/synctest"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// till is a meter that notes what it counts.
type till struct {
	most               uint64
	sent, given, begun int // bytes, and messages that the client has begun or been given
	credit             int // bytes that the client may send
	ended              int
}

func (m *till) MaxMessageSize() uint64 { return m.most }
func (m *till) TooLarge() *frame.Error { return &frame.Error{Condition: frame.MessageSizeExceeded} }
func (m *till) Ended()                 { m.ended++ }

func (m *till) Sent(size int, begins bool) (wait bool) {
	m.sent += size
	m.count(begins)
	return m.sent > m.credit
}

func (m *till) Given(size int, begins bool) {
	m.given += size
	m.count(begins)
}

func (m *till) count(begins bool) {
	if begins {
		m.begun++
	}
}

func TestMeterCountsWhatPasses(t *testing.T) {
	in(t, func(h *house) {
		const size = 100_000 // several pieces
		m := &till{credit: 1 << 30}
		h.way.Meter = m
		c := h.client()
		l := c.attach(sender("mine"))
		c.do(func() {
			l.Send(engine.Delivery{Payload: make([]byte, size)})
			l.Send(engine.Delivery{Payload: make([]byte, size)})
		})
		if m.sent != 2*size || m.begun != 2 || m.ended != 0 {
			t.Errorf("of two messages sent it counts %+v", *m)
		}
		c.do(func() { l.Close(nil) })
		if m.ended != 1 {
			t.Errorf("the link has ended %d times", m.ended)
		}
		m = new(till)
		h.way.Meter = m
		l = c.attach(receiver("yours"))
		c.do(func() { l.Grant(2) })
		there := h.broker.links["there"]
		h.broker.do(func() { there.Send(engine.Delivery{Payload: make([]byte, size)}) })
		if m.given != size || m.begun != 1 {
			t.Errorf("of a message given it counts %+v", *m)
		}
		h.broker.do(func() { h.broker.Close(nil) })
		if m.ended != 1 {
			t.Errorf("the link has ended %d times with the broker's connection", m.ended)
		}
	})
}

func TestMeterHoldsBack(t *testing.T) {
	in(t, func(h *house) {
		const size = 16 << 20
		m := &till{credit: 1 << 20}
		h.way.Meter = m
		ours, c := h.join(false)
		l := c.attach(sender("mine"))
		c.do(func() { l.Send(engine.Delivery{Payload: make([]byte, size)}) })
		if most := m.credit + 2*h.limits.IncomingBytes; m.sent > most {
			t.Errorf("%d bytes have been taken", m.sent)
		}
		if l.Unwritten() == 0 {
			t.Error("nobody is held back")
		}
		m.credit = size
		ours.pays.Store(true)
		ours.wake()
		synctest.Wait()
		if l.Unwritten() != 0 || len(h.broker.got) != size {
			t.Errorf("%d bytes are left, %d came", l.Unwritten(), len(h.broker.got))
		}
	})
}

func TestMessageBeyondWhatIsMeteredEndsTheLink(t *testing.T) {
	in(t, func(h *house) {
		h.broker.answer.MaxMessageSize = 1 << 20
		m := &till{credit: 1 << 30, most: 100_000}
		h.way.Meter = m
		c := h.client()
		l := c.attach(sender("mine"))
		c.hears("attached mine", "credit 10 drain=false")
		if got := l.Remote().MaxMessageSize; got != m.most {
			t.Errorf("the client is told that it may send %d bytes", got)
		}
		m.most = 50_000 // from now on, of which the client has not heard
		c.do(func() { l.Send(engine.Delivery{Payload: make([]byte, 60_000)}) })
		c.hears("detach mine closed=true amqp:link:message-size-exceeded", "lost none <nil>",
			"detached mine peer closed=true amqp:link:message-size-exceeded")
		if len(h.inside.desk.names) != 0 || m.ended != 1 {
			t.Errorf("%d links are left there, and it has ended %d times", len(h.inside.desk.names), m.ended)
		}
	})
}
