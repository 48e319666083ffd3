package amqp

import (
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// TestNothingIsLeftOfALinkWhoseAnswerIsTooLong for the client's frames, which are as small as he likes.
func TestNothingIsLeftOfALinkWhoseAnswerIsTooLong(t *testing.T) {
	inWorks(t, func(t *testing.T, w *works) {
		p := w.party(func(l *engine.Limits) { l.MaxFrameSize = frame.MinMaxSize })
		s := p.session()
		long := strings.Repeat("x", frame.MinMaxSize)
		for range 3 {
			p.do(func() {
				s.Attach(frame.Attach{Name: "out", Role: frame.Receiver,
					Source: &frame.Source{Address: "news", HasAddress: true}, Target: &frame.Target{Address: long, HasAddress: true}})
				s.Attach(frame.Attach{Name: "in", Role: frame.Sender,
					Source: &frame.Source{Address: long, HasAddress: true}, Target: &frame.Target{Address: "news", HasAddress: true}})
			})
		}
		if left := w.links.Router.Links("default", 0, 10); len(left) > 0 {
			t.Errorf("%d links are left of it, such as %+v", len(left), left[0])
		}
	})
}
