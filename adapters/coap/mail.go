package coap

import (
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/transport"
)

// mail is where other goroutines leave what a peer's connection is to do. It is all of a connection that they touch.
type mail struct {
	arrivals transport.Mailbox[arrival]
	outcomes transport.Mailbox[outcome]
	verdicts transport.Mailbox[verdict]

	dismissals  transport.Mailbox[dismissal]
	revocations transport.Mailbox[revocation] // of observations that get nothing more

	shed    atomic.Int64 // bytes of messages from topics and broadcast addresses on their way to the client
	maxShed int64
}

// taker is whom messages come for.
type taker interface {
	// take is given a delivery. One without a message was dropped on arrival; its credit is due all the same.
	take(now time.Time, d router.Delivery)
}

// arrival is a message that a node handed over.
type arrival struct {
	to       taker
	delivery router.Delivery
}

// outcome is what became of what a request did: of its message, or of the settlement of a lock.
type outcome struct {
	task    uint64
	sender  *sender // of the message; nil for a settlement
	outcome router.Outcome
	err     error // why the settlement is not safe
}

func (m *mail) init(wake func(), maxShed int) {
	m.maxShed = int64(maxShed)
	m.arrivals.Init(wake)
	m.outcomes.Init(wake)
	m.verdicts.Init(wake)
	m.dismissals.Init(wake)
	m.revocations.Init(wake)
}

// arriveFor takes in a message for a subscription, unless it is one that nobody keeps and there are too many bytes of
// those.
func (m *mail) arriveFor(s *subscription, d router.Delivery) {
	if s.sheds(&d) {
		size := int64(d.Message.Len())
		if m.shed.Add(size) > m.maxShed {
			m.shed.Add(-size)
			s.link.Drop()
			d = router.Delivery{}
		}
	}
	m.arrivals.Put(arrival{s, d})
}
