package amqp

import (
	"sync/atomic"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/router/wire"
	"github.com/manifoldmq/manifold/tenancy"
)

// mail is where other goroutines leave what a connection is to do. It is all of a connection that they touch.
type mail struct {
	arrivals    transport.Mailbox[arrival]
	outcomes    transport.Mailbox[outcome]
	credits     transport.Mailbox[*incoming] // each with some credit in it
	withdrawals transport.Mailbox[*incoming] // for what nobody is there any more
	settlements transport.Mailbox[settlement]
	commits     transport.Mailbox[commit]
	rooms       transport.Mailbox[*wire.Upload] // that may go on
	streams     transport.Mailbox[*outgoing]    // for whose download more has come
	evictions   transport.Mailbox[struct{}]     // in favour of another connection of the container
	stolen      transport.Mailbox[*outgoing]    // links that their client has attached on another connection
	revocations transport.Mailbox[revocation]   // of links that get nothing more
	dismissals  transport.Mailbox[tenancy.Dismissal]
	findings    transport.Mailbox[finding]
	shed        atomic.Int64 // bytes on their way to links on which messages wait here
	maxShed     int64
}

// arrival is a message that a node handed to a link. One without a message was dropped on arrival.
type arrival struct {
	link     *outgoing
	delivery router.Delivery
}

// outcome is what became of a message of a link.
type outcome struct {
	link    *incoming
	sender  *router.Sender
	id      uint32 // of the delivery
	outcome router.Outcome
}

// settlement is what a client that settles second is told.
type settlement struct {
	link  *outgoing
	held  *held
	id    uint32 // of the delivery
	state frame.State
}

func (m *mail) init(wake func(), maxShed int) {
	m.maxShed = int64(maxShed)
	m.arrivals.Init(wake)
	m.outcomes.Init(wake)
	m.credits.Init(wake)
	m.withdrawals.Init(wake)
	m.settlements.Init(wake)
	m.commits.Init(wake)
	m.rooms.Init(wake)
	m.streams.Init(wake)
	m.evictions.Init(wake)
	m.stolen.Init(wake)
	m.revocations.Init(wake)
	m.dismissals.Init(wake)
	m.findings.Init(wake)
}

// arrive takes in a message, unless it is one that is not kept anywhere else and there are too many bytes of those.
func (m *mail) arrive(link *outgoing, d router.Delivery) {
	if link.waits && !d.Owned() {
		size := int64(d.Message.Len())
		if m.shed.Add(size) > m.maxShed {
			m.shed.Add(-size)
			link.receiver.Drop()
			d = router.Delivery{}
		}
	}
	m.arrivals.Put(arrival{link: link, delivery: d})
}
