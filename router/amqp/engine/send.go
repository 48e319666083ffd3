package engine

import (
	"slices"

	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// A Delivery is a message to send. The engine keeps it, without copying what it refers to, until it is written.
type Delivery struct {
	Tag       []byte       // at most 32 bytes; nil for one that the engine makes
	Format    uint32       // of the message; 0 for AMQP's own [3.2.16]
	Payload   []byte       // the encoded message, or its first piece
	More      bool         // further pieces follow by Continue
	Settled   bool         // no settlement is awaited; overruled by a settle mode of the link that is not mixed
	State     *frame.State // such as the transaction that the delivery is part of; nil for none
	Resume    bool         // it continues an unsettled delivery of an earlier attach [2.6.13]
	Batchable bool         // its settlement may wait for others
	Token     any          // comes back with Progressed; a pointer costs no allocation
}

// A Refusal is why Send or Continue did not take something. Nothing is remembered of it.
type Refusal uint8

// The reasons to refuse a delivery.
const (
	NotAttached Refusal = iota + 1 // the link is not attached (any more), or is a receiver's
	NoCredit                       // try again after Sendable
	TooLarge                       // for the receiver's max-message-size, or for the delivery-tag or state in a frame
	Unfinished                     // a streamed delivery is open; or, for Continue and Abort, none is
)

// Error implements error.
func (r Refusal) Error() string {
	switch r {
	case NotAttached:
		return "the link is not attached"
	case NoCredit:
		return "the link has no credit"
	case TooLarge:
		return "larger than the receiver takes"
	}
	return "pieces of deliveries are out of order"
}

// piece is a delivery, or a piece of one, that waits to be written.
type piece struct {
	token     any
	payload   []byte
	tag       []byte
	state     *frame.State
	format    uint32
	first     bool // of its delivery
	last      bool // of its delivery
	settled   bool
	aborted   bool
	resume    bool
	batchable bool
}

// delivery is the one that is being written on a link.
type delivery struct {
	active  bool // it is begun, and not all of it is written
	settled bool
	aborted bool
	id      uint32
	token   any
}

// place is where a link waits while it has pieces to write, or has begun a delivery.
type place uint8

const (
	nowhere  place = iota // it has nothing to write
	inLine                // in conn.sendable
	atWindow              // in session.blocked
	starved               // for credit, which the receiver took back
	unfed                 // for the next piece of the owner, and so it has none now
)

// maxTransferState bounds the state of a delivery on its way out, so that the smallest frame has room for it, the rest
// of a transfer, and some payload.
const maxTransferState = 256

// Send takes a message to write in Flush, in the order of the calls on one link; links take turns. A nil error takes
// one of the link's Credit.
func (l *Link) Send(d Delivery) error {
	switch {
	case l.role != frame.Sender || !l.attached() || l.isLeaving():
		return NotAttached
	case l.partial:
		return Unfinished
	case l.Credit() == 0:
		return NoCredit
	case len(d.Tag) > frame.MaxTagSize || !l.fits(uint64(len(d.Payload))):
		return TooLarge
	case d.State != nil && len(d.State.Append(nil)) > maxTransferState:
		return TooLarge
	}
	switch l.local.SenderSettleMode {
	case frame.SendSettled:
		d.Settled = true
	case frame.SendUnsettled:
		d.Settled = false
	}
	l.partial, l.size = d.More, uint64(len(d.Payload))
	l.waiting++
	l.short = l.short || int64(l.credit) > int64(l.session.conn.limits.MaxUnsettled-l.unsettled)
	l.queue(piece{token: d.Token, payload: d.Payload, tag: d.Tag, state: d.State, format: d.Format, first: true,
		last: !d.More, settled: d.Settled, resume: d.Resume, batchable: d.Batchable})
	return nil
}

// Continue adds a piece to a streamed delivery. Sendable is called when all its pieces are written.
func (l *Link) Continue(payload []byte, more bool) error {
	switch {
	case !l.attached():
		return NotAttached
	case !l.partial:
		return Unfinished
	case !l.fits(l.size + uint64(len(payload))):
		return TooLarge
	}
	l.partial = more
	l.size += uint64(len(payload))
	l.queue(piece{payload: payload, last: !more})
	return nil
}

// Abort gives up a streamed delivery that is not finished. The receiver forgets what it got of it; Progressed is not
// called.
func (l *Link) Abort() error {
	switch {
	case !l.attached():
		return NotAttached
	case !l.partial:
		return Unfinished
	}
	l.partial = false
	for l.pieces.len() > 0 && !l.pieces.at(l.pieces.len()-1).last { // the rest of it need not be written
		l.bytes -= len(l.pieces.at(l.pieces.len() - 1).payload)
		l.pieces.drop()
	}
	if l.pieces.len() > 0 || !l.sending.active { // none of it is written
		l.waiting--
		if l.pieces.len() == 0 {
			l.unqueue()
		}
		return nil
	}
	l.sending.aborted = true
	l.forgetSent(l.sending.id)
	l.queue(piece{last: true, aborted: true})
	return nil
}

// forgetSent settles a delivery that was aborted.
func (l *Link) forgetSent(id uint32) {
	if e := l.session.outgoing.find(id); e != nil && e.link == l {
		l.session.outgoing.remove(e)
		l.unsettled--
		l.relieved()
	}
}

// Unwritten is how many bytes of payload wait to be written on the link.
func (l *Link) Unwritten() int { return l.bytes }

// Pieces is how many pieces of deliveries they are in, of which some may be empty.
func (l *Link) Pieces() int { return l.pieces.len() }

// isLeaving tells whether the link ends as soon as all is written.
func (l *Link) isLeaving() bool {
	return l.leaving != nil || l.session.leaving || l.session.conn.goodbye != nil
}

// fits tells whether the receiver takes a message of a size.
func (l *Link) fits(size uint64) bool {
	return l.remote.MaxMessageSize == 0 || size <= l.remote.MaxMessageSize
}

// queue has a piece written.
func (l *Link) queue(p piece) {
	l.pieces.push(p)
	l.bytes += len(p.payload)
	switch l.place {
	case nowhere:
		l.session.unsent++
		l.session.conn.unsent++
		l.join()
	case unfed:
		l.join()
	}
}

// join puts the link in line.
func (l *Link) join() {
	l.place = inLine
	l.session.conn.sendable.push(l)
}

// unqueue takes the link out of the line that it is in with nothing left to write.
func (l *Link) unqueue() {
	if l.place == atWindow {
		s := l.session
		s.blocked = slices.DeleteFunc(s.blocked, func(b *Link) bool { return b == l })
	}
	l.rest()
}

// rest takes the link, which has no more pieces, out of all counts, and goes on with what waited for that.
func (l *Link) rest() {
	s, c := l.session, l.session.conn
	l.place = nowhere
	s.unsent--
	c.unsent--
	if l.drained && l.attached() {
		l.giveBack()
	}
	if s.leaving && s.unsent == 0 {
		s.leaving = false
		s.End(nil)
	}
	if c.goodbye != nil && c.unsent == 0 && c.phase == running {
		c.close(Ending{By: ByUs, Error: c.goodbye.Error})
	}
}

// endOutgoing ends what is not written when the link ends.
func (l *Link) endOutgoing() {
	pieces, sending := l.pieces, l.sending
	l.pieces, l.sending, l.partial, l.waiting, l.bytes = ring[piece]{}, delivery{}, false, 0, 0
	if l.place != nowhere {
		l.unqueue()
	}
	if sending.active && sending.settled && !sending.aborted {
		l.progress(Update{ID: sending.id, Token: sending.token, Progress: Lost})
	}
	for i := range pieces.len() {
		if p := pieces.at(i); p.first && !(i == 0 && sending.active) {
			l.progress(Update{Token: p.token, Progress: Unsent})
		}
	}
}
