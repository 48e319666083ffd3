package broker

import (
	"strings"

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
	text     string // what the consumer said of it; may be empty
	messages []queue.Settled
	size     int64       // bytes of the messages, as they arrive; known when it has been tried
	done     func(error) // nil for nobody
	tried    bool        // it has found no room before
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
	departure{from: n, to: n.rules.dead, reason: reasonOf(o), text: textOf(o), messages: []queue.Settled{s}, done: done}.post()
}

// reasonOf tells why a message is dead that was settled so.
func reasonOf(o router.Outcome) string {
	if o.State == router.Rejected {
		return wasRejected
	}
	return wasTried
}

// maxDeathText bounds what a dead message keeps of a consumer's words, in bytes.
const maxDeathText = 1024

// textOf gives what the consumer said of a message, as far as it is kept.
func textOf(o router.Outcome) string {
	return strings.ToValidUTF8(o.Text[:min(len(o.Text), maxDeathText)], "")
}

// expire takes messages out of the queue whose time is over: to where they go then, if there is such a queue.
func (n *queueNode) expire(seqs []queue.Seq) {
	n.counters.Expired += uint64(len(seqs))
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
		d.post()
	}
}

// run takes the messages there. What cannot leave stays out of line until there is room, or until the process is started again.
func (d departure) run() {
	t := &transaction{inside: true}
	d.size = 0
	for _, s := range d.messages {
		m, err := d.from.read(s.Seq)
		if err != nil {
			d.from.unreadable(s.Seq, err)
			continue
		}
		letter := d.letter(m, s.Attempts)
		d.size += int64(letter.Message.Len())
		t.leaving = append(t.leaving, leaver{d.from, s.Seq})
		t.work.Offers = append(t.work.Offers, router.Offer{Node: d.to, Delivery: letter})
	}
	t.done = d.ended
	if err := t.begin(d.from.broker.store); err != nil {
		d.ended(err)
	}
}

// ended hears how it went. Messages that do not fit together are tried in halves.
func (d departure) ended(err error) {
	full := router.ReasonOf(err) == router.Quota
	if full && len(d.messages) > 1 {
		half := len(d.messages) / 2
		first, second := d, d
		first.messages, second.messages = d.messages[:half], d.messages[half:]
		d.to.replace(first, second)
		return
	}
	if err != nil && !d.tried {
		d.from.log("messages cannot be moved now to "+d.to.name.Name, d.messages[0].Seq, err)
	}
	heard := []departure{d}
	if full {
		heard = append(heard, d.stay()...)
	} else {
		d.to.replace()
	}
	for _, h := range heard {
		if h.done != nil {
			h.done(err)
		}
	}
}

// stay lets the departure wait for room, unless there is some since it has found none. It gives those that are heard and
// now wait as well.
func (d departure) stay() (heard []departure) {
	again := d.unheard()
	again.tried = true
	d.to.mu.Lock()
	defer d.to.mu.Unlock()
	if !d.tried && d.to.machine.Room(1, d.size) {
		d.to.replace(again)
		return nil
	}
	return d.to.letters.wait(again)
}

// unheard is the departure with nobody to hear how it went.
func (d departure) unheard() departure {
	d.done = nil
	return d
}

// letter gives a message as it is kept elsewhere: it says where it comes from, and lives on without a time limit.
func (d departure) letter(m router.Delivery, attempts int) router.Delivery {
	w := amqp.BeginFields(nil)
	w.String(deathQueue, d.from.displayName())
	w.String(deathAddress, string(m.To))
	w.String(deathReason, d.reason)
	if d.text != "" {
		w.String(deathText, d.text)
	}
	w.Timestamp(deathTime, amqp.Timestamp(now()))
	w.Uint(deathCount, uint32(attempts))
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
	d, err := parseStored(flags, value)
	return kept(d), err
}
