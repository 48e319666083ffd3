package engine

import (
	"bytes"
	"slices"

	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// A Transfer is a delivery, or, on a link that streams, a piece of one. It is borrowed.
type Transfer struct {
	ID        uint32       // delivery-id, for Settle and Update
	Tag       []byte       // delivery-tag; of the first piece only
	Format    uint32       // of the message [3.2.16]
	Payload   []byte       // the encoded message, or the piece
	Owned     bool         // Payload is the Handler's to keep
	State     *frame.State // such as the transaction that the delivery is part of; its Kind may be NoState
	Settled   bool         // no settlement is awaited, and none is heard
	First     bool         // no piece came before
	Last      bool         // no piece will follow
	Aborted   bool         // the delivery is void: forget the pieces that came before; of streaming links only
	Resume    bool         // it continues an unsettled delivery of an earlier attach [2.6.13]
	Batchable bool         // the sender does not wait for this settlement alone
}

// arrival is a delivery that is being received.
type arrival struct {
	active    bool // more of it is to come
	ignored   bool // it resumes one that we do not know, or has a tag that is too long
	streaming bool // its pieces go to the owner as they come
	settled   bool
	resume    bool
	id        uint32
	format    uint32
	size      uint64
	name      [frame.MaxTagSize]byte // the delivery-tag, of which the first nameLen octets count
	nameLen   int
	tag       []byte       // of one that is kept
	kept      []byte       // what has come, for an owner that takes it whole
	state     *frame.State // of the first transfer; nil for none
}

// transfer reads a transfer frame.
func (s *Session) transfer(t *frame.Transfer, payload []byte) {
	if !s.countTransfer(len(payload)) {
		return
	}
	l := s.remoteLink(t.Handle)
	if l == nil || l.detached {
		return
	}
	if l.role == frame.Sender {
		l.fail(frame.NotAllowed, "transfer from a receiver")
		return
	}
	first := !l.arriving.active
	if first && !l.begins(t) || !first && !l.continues(t) {
		return
	}
	a := &l.arriving
	if a.size += uint64(len(payload)); a.size > l.local.MaxMessageSize {
		if l.session.conn.limits.TooLarge != nil {
			l.endConnection()
			return
		}
		l.fail(frame.MessageSizeExceeded, "message is larger than max-message-size")
		return
	}
	switch {
	case a.ignored:
		l.ignore()
	case t.Aborted:
		l.aborts(first)
	case a.streaming:
		l.piece(t, payload, first)
	case t.More:
		l.keep(payload)
	default:
		l.whole(t, payload)
	}
	l.endDrain()
}

// endConnection ends the connection of who sends a message that is too large, and says of which one.
func (l *Link) endConnection() {
	c, a := l.session.conn, &l.arriving
	if !a.settled {
		l.session.tell(frame.Receiver, a.id, frame.State{Kind: frame.Rejected, Error: &frame.Error{
			Condition: frame.MessageSizeExceeded, Description: "message is larger than max-message-size",
		}}, true)
		l.session.flushVerdict()
	}
	c.close(Ending{By: ByUs, Error: c.limits.TooLarge})
}

// begins takes the first transfer of a delivery.
func (l *Link) begins(t *frame.Transfer) bool {
	s := l.session
	switch {
	case !t.HasDeliveryID || t.DeliveryTag == nil: // [2.7.5]
		l.fail(frame.InvalidField, "first transfer of a delivery has no delivery-id or delivery-tag")
		return false
	case l.credit+l.excess == 0 || l.local == nil:
		l.fail(frame.TransferLimitExceeded, "transfer without link credit")
		return false
	}
	overlong := len(t.DeliveryTag) > frame.MaxTagSize
	ignored := overlong || t.Resume && !l.holds(t.DeliveryTag)
	if overlong && !t.Settled {
		s.tell(frame.Receiver, t.DeliveryID, overlongTag(), true)
	}
	if !t.Settled && !ignored {
		second := l.local.ReceiverSettleMode == frame.ReceiveSecond
		if t.HasReceiverMode {
			second = t.ReceiverSettleMode == frame.ReceiveSecond
		}
		if !s.incoming.insert(entry{id: t.DeliveryID, link: l, second: second}) {
			s.fail(frame.InvalidField, "delivery-id is in use or far off")
			return false
		}
		l.unsettled++
	}
	if l.credit > 0 {
		l.credit--
	} else {
		l.excess--
	}
	l.deliveryCount++
	l.arriving = arrival{active: t.More && !t.Aborted, ignored: ignored, streaming: l.streaming, settled: t.Settled,
		resume: t.Resume, id: t.DeliveryID, format: t.MessageFormat}
	l.arriving.nameLen = copy(l.arriving.name[:], t.DeliveryTag)
	if l.arriving.active && !l.streaming && !ignored {
		l.arriving.tag = bytes.Clone(t.DeliveryTag)
		if t.State.Kind != frame.NoState {
			state := t.State.Clone()
			l.arriving.state = &state
		}
	}
	l.regrant()
	return true
}

// overlongTag answers a delivery of which the owner does not hear [2.8.7].
func overlongTag() frame.State {
	return frame.State{Kind: frame.Rejected, Error: &frame.Error{
		Condition: frame.InvalidField, Description: "delivery-tag has more than 32 octets",
	}}
}

// continues takes a further transfer of a delivery.
func (l *Link) continues(t *frame.Transfer) bool {
	a := &l.arriving
	switch {
	case t.HasDeliveryID && t.DeliveryID != a.id:
		l.fail(frame.NotAllowed, "delivery begins before the one before is whole")
		return false
	case t.DeliveryTag != nil && !bytes.Equal(t.DeliveryTag, a.name[:a.nameLen]),
		t.HasMessageFormat && t.MessageFormat != a.format: // [2.7.5]
		l.fail(frame.InvalidField, "delivery-tag or message-format changes within a delivery")
		return false
	}
	if t.Settled && !a.settled { // each transfer may say so [2.7.5]
		a.settled = true
		l.settled(a.id)
	}
	a.active = t.More && !t.Aborted
	return true
}

// holds tells whether a delivery is in the unsettled map that we announced [2.7.3].
func (l *Link) holds(tag []byte) bool {
	entries, _ := l.local.Unsettled.Map()
	for key := range entries.All() {
		if b, ok := key.Binary(); ok && bytes.Equal(b, tag) {
			return true
		}
	}
	return false
}

// ignore passes over a delivery. One that resumes another that we do not know has no answer: the sender learns that from our
// unsettled map [2.6.13]. It has its credit back at the end.
func (l *Link) ignore() {
	if !l.arriving.active {
		l.dropArrival()
		l.Grant(1)
	}
}

// settled forgets a delivery that its sender has settled on the way.
func (l *Link) settled(id uint32) {
	if e := l.session.incoming.find(id); e != nil && e.link == l {
		l.session.incoming.remove(e)
		l.unsettled--
	}
}

// keep adds a piece to what waits for the rest of the message.
func (l *Link) keep(payload []byte) {
	c := l.session.conn
	if c.partial+len(payload) > c.limits.MaxPartial {
		l.fail(frame.ResourceLimitExceeded, "too much of unfinished messages (maxPartial)")
		return
	}
	c.partial += len(payload)
	if l.arriving.kept == nil {
		l.arriving.kept = make([]byte, 0, len(payload)+keptRoom)
	}
	l.arriving.kept = append(l.arriving.kept, payload...)
}

// keptRoom is for the end of a message that is just too large for one frame, as one of the frame's size always is.
const keptRoom = 1 << 10

// whole hands over a message that is complete with this transfer.
func (l *Link) whole(t *frame.Transfer, payload []byte) {
	c, a := l.session.conn, &l.arriving
	c.event = Transfer{ID: a.id, Tag: t.DeliveryTag, Format: a.format, Payload: payload, State: &t.State,
		Settled: a.settled, First: true, Last: true, Resume: a.resume, Batchable: t.Batchable}
	if a.tag != nil {
		c.partial -= len(a.kept)
		c.event.Payload, c.event.Owned, c.event.Tag = append(a.kept, payload...), true, a.tag
		if a.state != nil {
			c.event.State = a.state
		}
		l.arriving = arrival{}
	}
	c.handler.Received(l, &c.event)
}

// piece hands over a piece as it comes.
func (l *Link) piece(t *frame.Transfer, payload []byte, first bool) {
	c, a := l.session.conn, &l.arriving
	c.event = Transfer{ID: a.id, Format: a.format, Payload: payload, State: &t.State, Settled: a.settled, First: first,
		Last: !t.More, Resume: a.resume, Batchable: t.Batchable}
	if first {
		c.event.Tag = t.DeliveryTag
	}
	c.handler.Received(l, &c.event)
}

// aborts forgets a delivery that its sender has given up, and which is settled by that [2.6.14]. If the owner has not
// heard of it, the sender gets its credit back.
func (l *Link) aborts(first bool) {
	c, a := l.session.conn, &l.arriving
	l.settled(a.id)
	if !a.streaming || first {
		l.dropArrival()
		l.Grant(1)
		return
	}
	c.event = Transfer{ID: a.id, Format: a.format, State: &c.transferIn.State, Settled: true, First: first, Last: true,
		Aborted: true}
	c.handler.Received(l, &c.event)
}

// Posting tells whether a message of a transaction is coming in that is not whole [4.4.1].
func (c *Conn) Posting(txnID []byte) bool {
	for _, s := range c.sessions {
		if s != nil && slices.ContainsFunc(s.links, func(l *Link) bool { return l != nil && l.arriving.isIn(txnID) }) {
			return true
		}
	}
	return false
}

// isIn tells whether what arrives is part of a transaction.
func (a *arrival) isIn(txnID []byte) bool {
	return a.active && a.state != nil && a.state.Kind == frame.Transactional && bytes.Equal(a.state.TxnID, txnID)
}

// dropArrival gives back the memory of an unfinished message.
func (l *Link) dropArrival() {
	l.session.conn.partial -= len(l.arriving.kept)
	l.arriving = arrival{}
}
