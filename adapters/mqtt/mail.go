package mqtt

import (
	"sync/atomic"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/transport"
)

// mail is where other goroutines leave what a connection is to do: outcomes of its publishes, messages for its
// subscriptions, and that its client id has gone to another connection. It is all of a connection that they touch.
type mail struct {
	arrivals transport.Mailbox[arrival]
	outcomes transport.Mailbox[outcome]
	evicted  atomic.Bool
	shed     atomic.Int64 // bytes of deliveries that nobody waits for, on their way to the client
	maxShed  int64
	wake     func()
}

// outcome is what became of a publish.
type outcome struct {
	receipt session.Receipt
	qos     byte
	reason  router.Reason
	link    *router.Sender
}

// arrival is a message that a node handed to a subscription. One without a message was dropped on arrival; its credit
// is due all the same.
type arrival struct {
	subscription *subscription
	delivery     router.Delivery
}

var _ router.Producer = (*mail)(nil)

func (m *mail) init(wake func(), maxShed int) {
	m.wake, m.maxShed = wake, int64(maxShed)
	m.arrivals.Init(wake)
	m.outcomes.Init(wake)
}

// tagOf makes the tag of a publish from its receipt and whether the client waits for PUBACK.
func tagOf(r session.Receipt, qos byte) uint64 { return uint64(r)<<1 | uint64(qos&1) }

// Settled implements router.Producer.
func (m *mail) Settled(link *router.Sender, tag uint64, o router.Outcome) {
	m.outcomes.Put(outcome{receipt: session.Receipt(tag >> 1), qos: byte(tag & 1), reason: o.Reason, link: link})
}

// Credit implements router.Producer. MQTT has no credit for publishers: the session's window stops reading instead.
func (m *mail) Credit(*router.Sender, int) {}

// evict tells the connection that its client id has gone to another one.
func (m *mail) evict() {
	m.evicted.Store(true)
	m.wake()
}

// arrive takes in a message, unless it is one that nobody waits for and there are too many bytes of those.
func (m *mail) arrive(s *subscription, d router.Delivery) {
	if !d.Owned() {
		size := int64(d.Message.Len())
		if m.shed.Add(size) > m.maxShed {
			m.shed.Add(-size)
			s.link.Drop()
			d = router.Delivery{}
		}
	}
	m.arrivals.Put(arrival{subscription: s, delivery: d})
}
