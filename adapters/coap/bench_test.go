package coap

import (
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// mute is a session that nobody listens to.
type mute struct{ answered int }

var _ session.Session = (*mute)(nil)

func (m *mute) Respond(time.Time, session.Exchange, session.Response)   { m.answered++ }
func (m *mute) Observe(time.Time, session.Exchange, session.Response)   { m.answered++ }
func (m *mute) Notify(time.Time, message.Token, session.Response, bool) {}
func (m *mute) Forget(message.Token)                                    {}

// BenchmarkPost is what the door adds to a confirmable POST of 64 bytes to a topic without subscribers.
func BenchmarkPost(b *testing.B) {
	h := newHouse(b, Config{Limits: DefaultLimits()})
	m := new(mute)
	client := h.front.open(session.Peer{}, func() {})
	client.Attach(m)
	r := newRequest(codes.POST, "a/telemetry/room", string(make([]byte, 64)))
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		r.Exchange++
		client.Request(now, r)
		client.Collect(now)
	}
	if m.answered != int(r.Exchange) {
		b.Errorf("%d of %d answered", m.answered, r.Exchange)
	}
}
