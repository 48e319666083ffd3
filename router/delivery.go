package router

import (
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/amqp"
)

// Message is one encoded AMQP 1.0 message, immutable and shared by all its deliveries.
type Message = amqp.Message

// Delivery is one message on its way to one place. It is a value: handing it over copies a few words, not the message.
//
// On the way in its origin is the Sender; a node that hands the message on to a consumer puts itself in as the origin
// of what that consumer gets, with a tag that names this assignment and no other.
type Delivery struct {
	Message  Message            // with a Stream, only its head
	Stream   *Stream            // what follows while it comes in; nil for a whole message
	To       addressing.Address // the literal address it was sent to
	Expires  int64              // Unix milliseconds after which nobody wants it; 0 for never
	Due      int64              // Unix milliseconds before which no consumer gets it, where it is stored; 0 for at once
	Attempts uint32             // earlier tries to deliver it; above 0 it may have been seen before
	Settled  bool               // at most once: its sender asked for no acknowledgement, and nobody settles it
	Unasked  bool               // its sender asked for none, but it has been kept since: whoever gets it settles it
	Retain   bool               // its publisher asked the topic to keep it
	Retained bool               // it is the kept copy, given to a new subscriber
	Author   string             // of a topic of a network: a mark of who sent it, at whatever router; empty if he has no name
	Route    any                // what a network knows of it, for a Way, that came from another router; nil if it came in here

	origin Settler
	tag    uint64
	began  Instant // when its sender sent it; zero for what is not timed
}

// Settler hears how the deliveries end that it gave out. It ignores a tag that names no current assignment, so the
// first settlement wins and a late one harms nobody.
type Settler interface {
	// Settle ends the assignment that tag names. done, unless nil, is called once the outcome is safe: with nil, or
	// with why it is not (a *Error with reason Conflict when the assignment is no longer current). It may be called
	// before Settle returns and with locks held, so it follows the rules of a Consumer.
	Settle(tag uint64, o Outcome, done func(error))
}

// From gives the same delivery with another origin: settler will hear its outcome under tag.
func (d Delivery) From(settler Settler, tag uint64) Delivery {
	d.origin, d.tag = settler, tag
	return d
}

// Unowned gives the same delivery with nobody to hear its outcome.
func (d Delivery) Unowned() Delivery {
	d.origin, d.tag = nil, 0
	return d
}

// Dropped is for nodes that give a message to many: it counts that one of them missed it.
func (d Delivery) Dropped() {
	if s := d.sender(); s != nil {
		s.counts.dropped.Add(1)
	}
}

// sender gives who sent the delivery, as long as no node has put itself in between.
func (d *Delivery) sender() *Sender {
	switch origin := d.owner().(type) {
	case *Sender:
		return origin
	case posted:
		return origin.Sender
	default:
		return nil
	}
}

// leader gives the latest stream that the sender of a delivery has sent, also one that has come to its end; nil for none.
func (d *Delivery) leader() *Stream {
	if gone, ok := d.owner().(departed); ok {
		return gone.streamed
	}
	if s := d.sender(); s != nil {
		return s.streamed.Load()
	}
	return nil
}

// leftBy gives the same delivery as one whose sender is gone: it keeps nothing of the sender, as may be much.
func (d Delivery) leftBy(s *Sender) Delivery {
	if t, ok := d.origin.(*traced); ok {
		t.Settler = s.departed(d.Settled)
	} else {
		d.origin = s.departed(d.Settled)
	}
	return d
}

// count has the sender of a delivery, if it is the sender's, count how it ends.
func (d *Delivery) count(o Outcome) {
	s := d.sender()
	if s == nil || d.began == 0 {
		return
	}
	if d.Settled {
		s.counts.settled[o.State].Add(1)
	}
	s.ended(d, o)
}

// departed is who sent a message and is gone: the outcome is counted, and nobody is told.
type departed struct {
	counts   *KindCounters
	streamed *Stream // the latest that it sent; nil for none
	settled  bool    // nobody has asked for the outcome
	rank     rank
}

func (s *Sender) departed(settled bool) departed {
	return departed{s.counts, s.streamed.Load(), settled, s.rank}
}

// Settle implements Settler.
func (g departed) Settle(_ uint64, o Outcome, done func(error)) {
	g.counts.outcome(o)
	if g.settled {
		g.counts.settled[o.State].Add(1)
	}
	if done != nil {
		done(nil)
	}
}

// Owned tells whether somebody waits for the outcome: only then need a door ask its client for an acknowledgement.
func (d Delivery) Owned() bool { return d.origin != nil }

// Settle ends the delivery. The first call wins; later ones do nothing.
func (d Delivery) Settle(o Outcome) { d.SettleThen(o, nil) }

// SettleThen is Settle for a client that is told when the settlement is safe; see Settler.
func (d Delivery) SettleThen(o Outcome, done func(error)) {
	if d.origin == nil {
		if done != nil {
			done(nil)
		}
		return
	}
	d.count(o)
	d.origin.Settle(d.tag, o, done)
}
