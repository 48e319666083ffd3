package datagram

import (
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
	"github.com/manifoldmq/manifold/router/transport/transporttest"
)

// FuzzFeed feeds datagrams, each preceded by its length, to a session whose handler answers in different ways. What it
// sends has to be CoAP, and what it holds bounded.
func FuzzFeed(f *testing.F) {
	for _, stream := range transporttest.Streams(f, func() transporttest.Encode {
		return func(word, rest string) []byte {
			switch word {
			case "recv":
				p := encode(f, rest)
				return append([]byte{byte(len(p))}, p...)
			case "bytes":
				p := transporttest.Hex(f, rest)
				return append([]byte{byte(len(p))}, p...)
			}
			return nil
		}
	}) {
		f.Add(stream, false)
		f.Add(stream, true)
	}
	f.Fuzz(func(t *testing.T, stream []byte, proven bool) {
		c := newConversation(t)
		c.proven = proven
		c.shared.Limits.MaxRemembered, c.shared.Limits.MaxExchanges, c.shared.Limits.MaxObservations = 8, 3, 2
		c.answered = func(r *session.Request) {
			answer := session.Response{Code: codes.Content, Body: noise(int(r.Exchange) * 40)}
			switch r.Exchange % 3 {
			case 0:
				c.session.Respond(c.now, r.Exchange, answer)
			case 1:
				c.session.Observe(c.now, r.Exchange, answer)
				c.session.Notify(c.now, r.Token, answer, r.Waits)
			}
		}
		c.notified = func(token message.Token) {
			if len(c.sent) < 50 {
				c.session.Notify(c.now, token, session.Response{Code: codes.Content}, len(c.sent)%2 == 0)
			}
		}
		c.begin()
		for len(stream) > 0 {
			n := min(int(stream[0]), len(stream)-1)
			if answer, _ := Stray(nil, stream[1:1+n]); len(answer) > 0 {
				decode(t, answer)
			}
			c.feed(stream[1 : 1+n])
			c.Take()
			c.tick(time.Duration(n) * 100 * time.Millisecond)
			stream = stream[1+n:]
			if len(c.session.exchanges) > 3 || len(c.session.observations) > 2 || c.session.past.end-c.session.past.first > 8 {
				t.Fatalf("%d exchanges, %d observations", len(c.session.exchanges), len(c.session.observations))
			}
		}
		for id := range c.session.exchanges {
			c.session.Respond(c.now, id, session.Response{Code: codes.Changed})
		}
		c.tick(time.Hour)
		if c.session.begunIdle(); !c.session.Idle() {
			t.Error("something is left when all has been said")
		}
	})
}

// begunIdle ends the observations that a silent client still has.
func (s *Session) begunIdle() {
	for t := range s.observations {
		s.Forget(t.bytes())
	}
}

func BenchmarkPost(b *testing.B) {
	c, _ := prompt(b)
	c.begin()
	datagram := encode(b, "CON POST id=1 token=01020304 Uri-Path=a Uri-Path=telemetry Content-Format=50 | noise 64")
	discard := &discarder{buffer: make([]byte, 0, 2048)}
	c.session.carrier = discard
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		datagram[2], datagram[3] = byte(i>>8), byte(i)
		datagram[4], datagram[5], datagram[6] = byte(i>>24), byte(i>>16), byte(i>>8)
		c.session.Feed(c.now, datagram)
		c.session.Flush(c.now)
	}
}

// discarder is a carrier to nowhere.
type discarder struct{ buffer []byte }

func (d *discarder) Buffer() []byte { return d.buffer[:0] }
func (d *discarder) Send([]byte)    {}
func (d *discarder) Origin() []byte { return nil }
