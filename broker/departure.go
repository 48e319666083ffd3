package broker

import (
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// departure is messages on their way out of a queue, whose consumers get them no more, to the queue where its dead or
// expired messages go. A reader takes them there, as one transaction: they are in one queue or in the other.
type departure struct {
	from, to *queueNode
	reason   string
	messages []queue.Settled
	done     func(error) // nil for nobody
}

// The reasons of a departure.
const (
	hasExpired  = "expired"
	wasRejected = "rejected"
	wasTried    = "maxDeliveries"
)

// departureStep is how many messages leave in one transaction.
const departureStep = 64

// bury takes a dead message out of the queue: to its dead-letter queue, if it has one.
func (n *queueNode) bury(s queue.Settled, o router.Outcome, done func(error)) {
	if n.rules.dead == nil {
		n.machine.Remove(s.Seq)
		n.remove(s.Seq, done)
		return
	}
	reason := wasTried
	if o.State == router.Rejected {
		reason = wasRejected
	}
	n.broker.readers.ask(departure{n, n.rules.dead, reason, []queue.Settled{s}, done})
}

// expire takes messages out of the queue whose time is over: to where they go then, if there is such a queue.
func (n *queueNode) expire(seqs []queue.Seq) {
	for len(seqs) > 0 {
		step := seqs[:min(len(seqs), departureStep)]
		seqs = seqs[len(step):]
		if n.rules.expired == nil {
			for _, seq := range step {
				n.machine.Remove(seq)
			}
			n.drop(step)
			continue
		}
		d := departure{from: n, to: n.rules.expired, reason: hasExpired}
		for _, seq := range step {
			d.messages = append(d.messages, queue.Settled{Seq: seq})
		}
		n.broker.readers.ask(d)
	}
}

// run implements task. What cannot leave stays out of line, and comes again when the process is started again.
func (d departure) run() {
	t := &transaction{done: d.ended}
	for _, s := range d.messages {
		m, err := d.from.read(s.Seq)
		if err != nil {
			d.from.log("a stored message cannot be read and is set aside", s.Seq, err)
			continue
		}
		t.leaving = append(t.leaving, leaver{d.from, s.Seq})
		t.work.Offers = append(t.work.Offers, router.Offer{Node: d.to, Delivery: d.letter(m, s.Attempts)})
	}
	if err := t.begin(d.from.broker.store); err != nil {
		d.ended(err)
	}
}

func (d departure) ended(err error) {
	if err != nil {
		d.from.log("messages cannot be moved to "+d.to.name.Name, d.messages[0].Seq, err)
	}
	if d.done != nil {
		d.done(err)
	}
}

// letter gives a message as it is kept elsewhere: it says where it comes from, and lives on without a time limit.
func (d departure) letter(m router.Delivery, attempts int) router.Delivery {
	w := amqp.BeginFields(nil)
	w.String("x-opt-death-queue", d.from.displayName())
	w.String("x-opt-death-address", string(m.To))
	w.String("x-opt-death-reason", d.reason)
	w.Timestamp("x-opt-death-time", amqp.Timestamp(time.Now().UnixMilli()))
	w.Uint("x-opt-death-count", uint32(attempts))
	m.Message = annotated(m.Message, w.End())
	m.To, m.Expires, m.Due = addressing.Address(d.to.name.Name), 0, 0
	return m
}

// read gets a message from the disk.
func (n *queueNode) read(seq queue.Seq) (router.Delivery, error) {
	flags, value, err := n.broker.store.Load(n.id, uint64(seq), nil)
	if err != nil {
		return router.Delivery{}, err
	}
	d, err := parseRecord(flags, value)
	return kept(d), err
}
