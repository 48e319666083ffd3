package engine

import "github.com/manifoldmq/manifold/router/amqp/frame"

// An owner that passes a link on to another connection says here what its peer there says, and says it then. For such links
// there are the following commands, and [Parting].

// Parting is a Handler that answers the detaches of some links itself.
type Parting interface {
	// Parting is the peer's detach of a link that we have not detached. When it is true the owner answers with Part,
	// now or later, and the link is Detached then; its deliveries end at once. Otherwise the engine answers.
	Parting(*Link, Detachment) bool
}

// Answer attaches a link that the peer has Requested with exactly what a says, but for the name, handle and role, and a
// MaxMessageSize that is at most that of the limits. Of one that does not fit into the peer's frames see Accept.
func (l *Link) Answer(a frame.Attach) {
	if l.local == nil && !l.over && l.parted == nil && l.session.alive() {
		l.answer(a)
	}
}

// Part detaches a link, with both a reason and the wish to keep its terminus if need be. A delivery that is not whole is
// aborted; what is whole is written first, unless there is a reason.
func (l *Link) Part(closed bool, e *frame.Error) {
	_ = l.Abort() // none is, or it may be
	l.leave(&frame.Detach{Closed: closed, Error: e})
}

// part notes that the peer has detached and waits for the owner's word.
func (l *Link) part(d Detachment) {
	l.parted = &d
	l.endDeliveries()
}

// answerParting answers a peer that has detached.
func (l *Link) answerParting(x *frame.Detach) {
	if l.local == nil {
		l.sayNothing()
	}
	l.detach(x)
	if l.session.alive() {
		l.free()
		l.finish(*l.parted)
	}
}

// SetCredit has the sender have credit for n deliveries from now on, be it more or less than before, and tells it at once. With
// drain it is to use that up now or give it back; Drained tells when it did. A sender that had more credit may have begun
// deliveries before it hears of this: they are taken too. It is not for links that are given credit by Grant.
func (l *Link) SetCredit(n int, drain bool) {
	if l.role != frame.Receiver || !l.attached() {
		return
	}
	credit := uint32(max(n, 0))
	begun := uint64(l.credit) + uint64(l.excess) // at the most
	l.excess = uint32(max(begun, uint64(credit)) - uint64(credit))
	if credit != l.credit || drain != l.drain {
		l.credit, l.drain = credit, drain
		l.touch()
	}
}

// FindSent looks for a delivery of ours that is not settled, by its token.
func (l *Link) FindSent(match func(token any) bool) (id uint32, ok bool) {
	g := &l.session.outgoing
	for i := range g.entries {
		if e := &g.entries[i]; e.link == l && match(e.token) {
			return e.id, true
		}
	}
	return 0, false
}
