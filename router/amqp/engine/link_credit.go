package engine

import (
	"bytes"
	"math"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// Credit is how many more deliveries Send takes now [2.6.7]. A receiver whose unsettled map is incomplete takes nothing
// new: it settles and attaches again [2.7.3].
func (l *Link) Credit() int {
	if l.role != frame.Sender || !l.attached() || l.remote.IncompleteUnsettled {
		return 0
	}
	n := int(l.credit) - l.waiting
	if l.local.SenderSettleMode != frame.SendSettled {
		n = min(n, l.session.conn.limits.MaxUnsettled-l.unsettled-l.waiting)
	}
	return max(0, n)
}

// Draining tells whether the receiver wants its credit used up or given back at once; see Drained.
func (l *Link) Draining() bool { return l.drain }

// FlowProperties are those of the peer's last flow that had any, such as the txn-id of an acquisition [4.4.3]; nil
// otherwise.
func (l *Link) FlowProperties() amqp.RawValue { return l.properties }

// Available is how many deliveries the peer says it has waiting for us.
func (l *Link) Available() uint32 { return l.available }

// SetAvailable says how many deliveries wait for credit. The peer hears it with the next flow.
func (l *Link) SetAvailable(n uint32) { l.available = n }

// Drained says that a sender has nothing more for a receiver that drains: what is left of the credit is given back,
// after all that Send took is written.
func (l *Link) Drained() {
	switch {
	case l.role != frame.Sender || !l.drain || !l.attached():
	case l.place != nowhere:
		l.drained = true
	default:
		l.giveBack()
	}
}

func (l *Link) giveBack() {
	l.drained = false
	l.deliveryCount += l.credit
	l.credit = 0
	l.touch()
}

// Grant gives the sender credit for n more deliveries. The peer hears of it when that is worth a frame: when it has
// used up half of its credit.
func (l *Link) Grant(n int) {
	if l.role != frame.Receiver || n <= 0 {
		return
	}
	l.unannounced = uint32(min(uint64(l.unannounced)+uint64(n), math.MaxInt32))
	l.regrant()
}

// Announce has the next Flush tell the sender of all credit that it may hear of, which otherwise waits until it is worth a frame.
func (l *Link) Announce() {
	if l.role == frame.Receiver && l.attached() && l.announceable() > 0 {
		l.touch()
	}
}

// Drain asks the sender to use up its credit, or to give it back when it has nothing to send. Drained tells when it
// did; what is granted until then counts afterwards.
func (l *Link) Drain() {
	if l.role == frame.Receiver && l.attached() {
		l.announce()
		l.drain = true
		l.touch()
	}
}

// regrant tells the peer of new credit if it is time.
func (l *Link) regrant() {
	if l.unannounced == 0 || !l.attached() {
		return
	}
	if n := l.announceable(); n > 0 && n >= l.credit {
		l.touch()
	}
}

// announceable is how much of the credit that the owner gave the peer may hear of: with it all, no more deliveries than
// MaxUnsettled can be unsettled.
func (l *Link) announceable() uint32 {
	if l.drain {
		return 0
	}
	room := int64(l.session.conn.limits.MaxUnsettled) - int64(l.unsettled) - int64(l.credit)
	return uint32(min(int64(l.unannounced), max(0, room)))
}

func (l *Link) announce() {
	n := l.announceable()
	l.credit += n
	l.unannounced -= n
}

// fillFlow puts the state of the link into a flow.
func (l *Link) fillFlow(x *frame.Flow) {
	if l.role == frame.Receiver {
		l.announce()
	}
	x.Handle, x.HasHandle = l.handle, true
	x.DeliveryCount, x.HasDeliveryCount = l.deliveryCount, true
	x.LinkCredit, x.HasLinkCredit = l.credit, true
	x.Drain = l.drain
	if l.role == frame.Sender {
		x.Available = l.available
	}
}

// flow reads what a flow of the peer says about the link.
func (l *Link) flow(x *frame.Flow) {
	if x.Properties != nil {
		l.properties = bytes.Clone(x.Properties)
	}
	if x.Echo {
		l.touch()
	}
	if l.role == frame.Sender {
		l.receiverFlow(x)
	} else {
		l.senderFlow(x)
	}
}

// receiverFlow reads a receiver's flow, which gives us credit counted from a delivery that it has seen [2.6.7].
func (l *Link) receiverFlow(x *frame.Flow) {
	if x.HasLinkCredit {
		seen := x.DeliveryCount
		if !x.HasDeliveryCount { // the receiver does not know our attach yet
			seen = l.initialCount()
		}
		l.credit = remaining(x.LinkCredit, l.deliveryCount-seen)
	}
	l.drain, l.drained = x.Drain, false
	if !l.attached() {
		return // the owner asks for Credit when it has accepted
	}
	if l.credit > 0 && l.place == starved {
		l.join()
	}
	if l.drain && l.credit == 0 && l.place == nowhere {
		l.touch()
	}
	l.session.conn.handler.Sendable(l)
}

func (l *Link) initialCount() uint32 {
	if l.local == nil {
		return l.deliveryCount
	}
	return l.local.InitialDeliveryCount
}

// senderFlow reads a sender's flow, which may give credit back by counting on without deliveries.
func (l *Link) senderFlow(x *frame.Flow) {
	l.available = x.Available
	if x.HasDeliveryCount && !before(x.DeliveryCount, l.deliveryCount) {
		l.credit = remaining(l.credit, x.DeliveryCount-l.deliveryCount)
		l.deliveryCount = x.DeliveryCount
	}
	l.endDrain()
	l.regrant()
}

// endDrain tells the owner when a drain has come to its end.
func (l *Link) endDrain() {
	if l.drain && l.credit == 0 && !l.arriving.active && l.attached() {
		l.drain = false
		l.session.conn.handler.Drained(l)
		l.regrant()
	}
}
