package conformance

import (
	"bytes"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// messages are about what is in a message [3.2].
var messages = []scenario{
	{"3.2", "a message of nothing but a body passes unchanged", func(c *client) { c.passes(text("x")) }},
	{"3.2", "properties, application-properties and a data section pass unchanged", func(c *client) {
		c.passes(amqp.AppendData(sections(), []byte{0, 1, 255}))
	}},
	{"3.2", "several data sections pass unchanged", func(c *client) {
		c.passes(amqp.AppendData(amqp.AppendData(amqp.AppendData(sections(), []byte("one")), nil), []byte("three")))
	}},
	{"3.2", "a value section passes unchanged", func(c *client) {
		c.passes(amqp.AppendValueString(sections(), "päivää"))
	}},
	{"3.2", "a value that is null passes unchanged", func(c *client) { c.passes(value(c, nil)) }},
	{"3.2", "a value that is a map passes unchanged", func(c *client) {
		c.passes(value(c, amqp.Map{{Key: "a", Value: int64(1)}, {Key: uint64(2), Value: amqp.List{true, "x", nil}}}))
	}},
	{"3.2", "several sequence sections pass unchanged", func(c *client) {
		b, err := amqp.AppendSequence(sections(), amqp.List{"a", int32(-1)})
		if err == nil {
			b, err = amqp.AppendSequence(b, amqp.List{})
		}
		if err != nil {
			c.failf("%v", err)
		}
		c.passes(b)
	}},
	{"3.2", "values in encodings that are longer than they need to be pass unchanged", func(c *client) {
		c.passes([]byte{
			0x00, 0x53, 0x73, 0xd0, 0, 0, 0, 4, 0, 0, 0, 0, // properties, list32
			0x00, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x74, 0xd1, 0, 0, 0, 12, 0, 0, 0, 2, // application-properties, map32
			0xa1, 1, 'n', 0x70, 0, 0, 0, 1, // uint that would fit in a byte
			0x00, 0x53, 0x77, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, // amqp-value of the ulong 0
		})
	}},
	{"3.2", "a message of 200,000 bytes passes unchanged", func(c *client) {
		c.passes(amqp.AppendData(sections(), []byte(strings.Repeat("0123456789", 20_000))))
	}},
	{"3.2.1", "durable and priority of the header pass unchanged", func(c *client) {
		h := amqp.Header{Durable: true, Priority: 7}
		m := c.relay(append(h.Append(nil), text("x")...))
		if got, err := m.Header(); err != nil || !got.Durable || got.Priority != 7 {
			c.failf("the header came as %+v (%v)", got, err)
		}
	}},
	{"3.2.1", "a time to live is not lost, and does not grow", func(c *client) {
		h := amqp.Header{Priority: amqp.DefaultPriority, TTL: 60_000}
		m := c.relay(append(h.Append(nil), text("x")...))
		if got, err := m.Header(); err != nil || got.TTL == 0 || got.TTL > h.TTL {
			c.failf("a ttl of %d came as %d (%v)", h.TTL, got.TTL, err)
		}
	}},
	{"3.2.3", "message-annotations pass unchanged", func(c *client) {
		w := amqp.BeginMessageAnnotations(nil)
		w.String("x-opt-of-mine", "kept")
		b := w.End()
		m := c.relay(append(bytes.Clone(b), text("x")...))
		if got := m.Sections().MessageAnnotations; !bytes.Equal(got, b) {
			c.failf("annotations came as % x, want % x", got, b)
		}
	}},
	{"3.2.1", "a message without a header is as one with the defaults", func(c *client) {
		m := c.relay(text("x"))
		if got, err := m.Header(); err != nil || got.Durable || got.Priority != amqp.DefaultPriority || got.TTL != 0 {
			c.failf("the header came as %+v (%v)", got, err)
		}
	}},
	{"3.2.1", "a message whose time to live has passed does not come", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		h := amqp.Header{Priority: amqp.DefaultPriority, TTL: 1}
		s.sender(address).put(append(h.Append(nil), text("late")...))
		for start := time.Now(); time.Since(start) < 5*time.Millisecond; {
			s.barrier()
		}
		s.remains(address)
	}},
	{"3.2.10", "message-annotations that begin with x-opt- and nobody knows are ignored", func(c *client) {
		w := amqp.BeginMessageAnnotations(nil)
		w.String("x-opt-nobody-knows", "1")
		c.relay(append(w.End(), text("x")...))
	}},
	{"3.2.10", "an annotation that is not understood, and does not begin with x-opt, ends the link with not-implemented",
		func(c *client) {
			l := c.session().sender(c.host.newQueue())
			w := amqp.BeginMessageAnnotations(nil)
			w.String("nobody-knows", "1")
			l.piece(l.transfer(), append(w.End(), text("x")...))
			for {
				r, _ := c.next()
				switch p := r.body.(type) {
				case *frame.Flow:
					continue
				case *frame.Detach:
					c.checkCondition("detach", p.Error, []amqp.Symbol{frame.NotImplemented})
				case *frame.Disposition:
					c.failf("the message is %v", p.State.Kind)
				default:
					c.failf("%v came, want detach", r)
				}
				return
			}
		}},
	{"3.2.9", "the footer passes unchanged", func(c *client) {
		w := amqp.BeginFooter(nil)
		w.String("x-opt-sum", "1234")
		b := w.End()
		m := c.relay(append(text("x"), b...))
		if got := m.Sections().Footer; !bytes.Equal(got, b) {
			c.failf("the footer came as % x, want % x", got, b)
		}
	}},
}

// sections gives the sections in front of a body, with values of every kind.
func sections() []byte {
	p := amqp.Properties{
		MessageID: amqp.UUID{1, 2, 3}, To: "there", Subject: "s", ReplyTo: "r", CorrelationID: uint64(1) << 40,
		ContentType: "text/plain", ContentEncoding: "identity",
		AbsoluteExpiryTime: 4_000_000_000_000, CreationTime: 1_700_000_000_000,
		GroupID: "g", GroupSequence: 0, HasGroupSequence: true, ReplyToGroupID: "rg",
	}
	w := amqp.BeginApplicationProperties(p.Append(nil))
	w.Put(amqp.AppendNull(w.Key("null")))
	w.Bool("bool", true)
	w.Put(amqp.AppendUbyte(w.Key("ubyte"), 255))
	w.Put(amqp.AppendUshort(w.Key("ushort"), 65535))
	w.Uint("uint", 1<<32-1)
	w.Ulong("ulong", 1<<64-1)
	w.Put(amqp.AppendByte(w.Key("byte"), -128))
	w.Put(amqp.AppendShort(w.Key("short"), -32768))
	w.Int("int", -1<<31)
	w.Long("long", -1<<63)
	w.Put(amqp.AppendFloat(w.Key("float"), 1.5))
	w.Double("double", -2.5)
	w.Put(amqp.AppendDecimal32(w.Key("decimal32"), 7))
	w.Put(amqp.AppendDecimal64(w.Key("decimal64"), 8))
	w.Put(amqp.AppendDecimal128(w.Key("decimal128"), amqp.Decimal128{9}))
	w.Put(amqp.AppendChar(w.Key("char"), '€'))
	w.Timestamp("timestamp", -1)
	w.UUID("uuid", amqp.UUID{15: 1})
	w.Binary("binary", []byte{0, 255})
	w.String("string", "ä")
	w.Symbol("symbol", "sym")
	return w.End()
}

// value gives a bare message with a value section.
func value(c *client, v any) []byte {
	b, err := amqp.AppendValue(sections(), v)
	if err != nil {
		c.failf("%v", err)
	}
	return b
}

// relay sends a message through a queue.
func (c *client) relay(b []byte) message {
	s, address := c.session(), c.host.newQueue()
	l := s.sender(address)
	t := l.transfer()
	limit := min(int(c.remote.MaxFrameSize), 64<<10) - 100
	for rest := b; ; t = &(frame.Transfer{Handle: l.handle}) {
		n := min(len(rest), limit)
		t.More = n < len(rest)
		l.piece(t, rest[:n])
		if rest = rest[n:]; len(rest) == 0 {
			break
		}
	}
	l.accepted(s.nextDeliveryID - 1)
	return s.receiver(address, 1).get()
}

// passes sends a bare message through a queue, which has to come out byte for byte.
func (c *client) passes(b []byte) {
	if got := c.relay(b).Sections().Bare(); !bytes.Equal(got, b) {
		c.t.Logf("sent % .300x\ncame % .300x", b, got)
		c.failf("the bare message came with other bytes")
	}
}
