package amqp

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// waits lets time go by in the test's bubble, after which the party may have heard of something.
func (p *party) waits(d time.Duration) {
	p.do(func() {}) // what the test has read of the party is read before
	time.Sleep(d)
	synctest.Wait()
}

// TestMessageWhoseRestDoesNotComeIsGivenUp so that its consumer gets what others send.
func TestMessageWhoseRestDoesNotComeIsGivenUp(t *testing.T) {
	for name, settled := range map[string]bool{"unsettled": false, "settled": true} {
		t.Run(name, func(t *testing.T) {
			inWorks(t, func(t *testing.T, w *works) {
				from, to, other := w.party(), w.party(), w.party()
				to.receiver(to.session(), "r", "bulk", 10)
				l := from.sender(from.session(), "s", "bulk")
				behind := other.sender(other.session(), "s", "bulk")
				m, small := letter("bulk", 300<<10), letter("", 10)
				from.do(func() { _ = l.Send(engine.Delivery{Payload: m[:100_000], More: true, Settled: settled}) })
				other.do(func() { _ = behind.Send(engine.Delivery{Payload: small}) })
				to.waits(w.server.config.Limits.StreamTimeout - time.Second)
				to.arrived()
				to.waits(w.server.config.Limits.StreamTimeout + time.Second)
				if to.aborted != 1 {
					t.Fatal("the consumer still waits for the rest of the message")
				}
				to.arrived(small)
				other.ended(frame.Accepted)

				from.goOn(l, m, 100_000) // too late
				from.do(func() { _ = l.Send(engine.Delivery{Payload: small}) })
				to.arrived(small, small)
				if settled {
					from.ended(frame.Accepted)
				} else {
					from.ended(frame.Rejected, frame.Accepted)
				}
			})
		})
	}
}

// TestMessageMayComeSlowly as long as something comes of it.
func TestMessageMayComeSlowly(t *testing.T) {
	inWorks(t, func(t *testing.T, w *works) {
		from, to := w.party(), w.party()
		to.receiver(to.session(), "r", "bulk", 5)
		l := from.sender(from.session(), "s", "bulk")
		const piece = 1000
		m := letter("bulk", 20*piece)
		from.begin(l, m, piece)
		sent := piece
		for ; sent < len(m)-piece; sent += piece {
			to.waits(w.server.config.Limits.StreamTimeout - time.Second)
			from.do(func() { _ = l.Continue(m[sent:sent+piece], true) })
		}
		from.goOn(l, m, sent)
		to.arrived(m)
		from.ended(frame.Accepted)
	})
}

// TestSenderThatIsHeldBackHasTheTimeOfItsConsumer and all of its own after that.
func TestSenderThatIsHeldBackHasTheTimeOfItsConsumer(t *testing.T) {
	inWorks(t, func(t *testing.T, w *works) {
		from, to := w.party(), w.party()
		slow := to.session()
		to.receiver(slow, "r", "bulk", 5)
		l := from.sender(from.session(), "s", "bulk")
		to.do(slow.Hold)
		m := letter("bulk", 20*mebibyte)
		from.begin(l, m, len(m)-1)
		to.waits(10 * w.server.config.Limits.StreamTimeout)
		to.do(slow.Resume)
		to.waits(w.server.config.Limits.StreamTimeout - time.Second)
		from.goOn(l, m, len(m)-1)
		to.arrived(m)
		from.ended(frame.Accepted)
	})
}

// TestStreamTimeoutMayBeNone for senders that take as long as they like.
func TestStreamTimeoutMayBeNone(t *testing.T) {
	inWorks(t, func(t *testing.T, w *works) {
		w.server.config.Limits.StreamTimeout = 0
		from, to := w.party(), w.party()
		to.receiver(to.session(), "r", "bulk", 5)
		l := from.sender(from.session(), "s", "bulk")
		m := letter("bulk", 300<<10)
		from.begin(l, m, 1000)
		to.waits(time.Hour)
		from.goOn(l, m, 1000)
		to.arrived(m)
		from.ended(frame.Accepted)
	})
}
