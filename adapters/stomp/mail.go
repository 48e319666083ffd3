package stomp

import (
	"sync/atomic"

	"github.com/manifoldmq/manifold/adapters/stomp/internal/session"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// mail is where other goroutines leave what a connection is to do: outcomes of what it sent, settled and committed, and
// messages for its subscriptions. It is all of a connection that they touch.
type mail struct {
	arrivals    transport.Mailbox[arrival]
	outcomes    transport.Mailbox[outcome]
	settlements transport.Mailbox[settlement]
	commits     transport.Mailbox[commit]
	stolen      transport.Mailbox[*subscription] // that their client has on another connection now
	revocations transport.Mailbox[revocation]    // of subscriptions that get nothing more
	dismissals  transport.Mailbox[tenancy.Dismissal]
	shed        atomic.Int64 // octets of messages from topics and broadcast addresses on their way to the client
	maxShed     int64
}

// outcome is what became of a message of the client.
type outcome struct {
	receipt session.Receipt
	asked   bool
	outcome router.Outcome
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
	m.maxShed = int64(maxShed)
	m.arrivals.Init(wake)
	m.outcomes.Init(wake)
	m.settlements.Init(wake)
	m.commits.Init(wake)
	m.stolen.Init(wake)
	m.revocations.Init(wake)
	m.dismissals.Init(wake)
}

// tagOf makes the tag of a message from its receipt and whether the client waits for RECEIPT.
func tagOf(r session.Receipt, asked bool) uint64 {
	tag := uint64(r) << 1
	if asked {
		tag |= 1
	}
	return tag
}

// Settled implements router.Producer.
func (m *mail) Settled(link *router.Sender, tag uint64, o router.Outcome) {
	m.outcomes.Put(outcome{receipt: session.Receipt(tag >> 1), asked: tag&1 == 1, outcome: o, link: link})
}

// Credit implements router.Producer. STOMP has no credit for senders: the session stops reading instead.
func (m *mail) Credit(*router.Sender, int) {}

// arrive takes in a message, unless it is one that nobody keeps and there are too many octets of those.
func (m *mail) arrive(s *subscription, d router.Delivery) {
	if s.sheds(&d) {
		size := int64(d.Message.Len())
		if m.shed.Add(size) > m.maxShed {
			m.shed.Add(-size)
			s.link.Drop()
			d = router.Delivery{}
		}
	}
	m.arrivals.Put(arrival{subscription: s, delivery: d})
}
