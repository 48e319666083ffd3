package mqtt

import (
	"sync/atomic"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/transport"
)

// mail is where other goroutines leave what a client's connection is to do: outcomes of its publishes, messages for its
// subscriptions, and what follows when a record is on disk. It is all of a client that they touch.
type mail struct {
	arrivals transport.Mailbox[arrival]
	outcomes transport.Mailbox[outcome]
	errands  transport.Mailbox[func(*conn)] // for the connection that the client has then
	revoked  transport.Mailbox[revocation]  // of inlets that get nothing more
	shed     atomic.Int64                   // bytes of deliveries that nobody waits for, on their way to the client
	maxShed  int64
	waker    atomic.Pointer[func()] // wakes the connection, if there is one
}

// outcome is what became of a publish.
type outcome struct {
	question question
	reason   router.Reason
	text     string // why, for people
	link     *router.Sender
}

// question is a publish that awaits its answer: QoS 2 goes by packet id, which outlives the connection.
type question struct {
	receipt session.Receipt
	id      uint16
	qos     byte
	kept    bool // the id is on disk if the publish was accepted
}

// arrival is a message that a node handed to a subscription. One without a message was dropped on arrival; its credit
// is due all the same.
type arrival struct {
	inlet    *inlet
	delivery router.Delivery
}

var _ router.Producer = (*mail)(nil)

func (m *mail) init(maxShed int) {
	m.maxShed = int64(maxShed)
	wake := m.wake
	m.arrivals.Init(wake)
	m.outcomes.Init(wake)
	m.errands.Init(wake)
	m.revoked.Init(wake)
}

// wake tells the client's connection that there is something; if there is none, the next one looks by itself.
func (m *mail) wake() {
	if wake := m.waker.Load(); wake != nil {
		(*wake)()
	}
}

// keptTag is the bit of a tag that says kept; those below it are the QoS and the packet id.
const keptTag = 1 << 18

// tag makes the tag of a publish from the question that it asks.
func (q question) tag() uint64 {
	switch {
	case q.kept:
		return keptTag | uint64(q.id)<<2 | 2
	case q.qos == 2:
		return uint64(q.id)<<2 | 2
	}
	return uint64(q.receipt)<<2 | uint64(q.qos)
}

// questionOf reverses tag.
func questionOf(tag uint64) question {
	q := question{qos: byte(tag & 3)}
	if q.qos == 2 {
		q.id, q.kept = uint16(tag>>2), tag&keptTag != 0
	} else {
		q.receipt = session.Receipt(tag >> 2)
	}
	return q
}

// Settled implements router.Producer.
func (m *mail) Settled(link *router.Sender, tag uint64, o router.Outcome) {
	m.outcomes.Put(outcome{question: questionOf(tag), reason: o.Reason, text: o.Text, link: link})
}

// Credit implements router.Producer. MQTT has no credit for publishers: the session's window stops reading instead.
func (m *mail) Credit(*router.Sender, int) {}

// arrive takes in a message, unless it is one that nobody waits for and there are too many bytes of those.
func (m *mail) arrive(in *inlet, d router.Delivery) {
	if !d.Owned() {
		size := int64(d.Message.Len())
		if m.shed.Add(size) > m.maxShed {
			m.shed.Add(-size)
			in.link.Drop()
			d = router.Delivery{}
		}
	}
	m.arrivals.Put(arrival{inlet: in, delivery: d})
}
