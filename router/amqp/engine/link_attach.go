package engine

import (
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// Attach attaches a link of ours. Of a the engine sets the handle and, for a sender, the initial delivery count. It is
// nil when the session is over, a link of that name and role is attached already, the peer's handle-max is reached, or
// the frame is too large for the peer.
func (s *Session) Attach(a frame.Attach) *Link {
	if !s.alive() || s.conn.links[linkKey{a.Name, a.Role}] != nil {
		return nil
	}
	l := s.newLink(a.Name, a.Role)
	if l == nil {
		return nil
	}
	if !l.say(a) {
		l.forget()
		return nil
	}
	return l
}

// Stream has the Handler receive each message in the pieces in which it comes, instead of whole. It counts from the
// next message on. See Gather for a message that is wanted whole after all.
func (l *Link) Stream() { l.streaming = true }

// Accept attaches a link that the peer has Requested. Of a, the name, handle and role are set by the engine. A terminus
// that is left out is the peer's own wish, as are the settle modes if both are zero. A dynamic terminus of ours has to
// be given, with the address of the node that was made [3.5.3]. A receiver's MaxMessageSize is at most that of the limits.
//
// A link that cannot be attached so, as when the answer does not fit into the peer's frames, is detached with the reason: the
// Handler hears it Detached.
func (l *Link) Accept(a frame.Attach) {
	if l.local != nil || l.over || !l.session.alive() {
		return
	}
	if a.Source == nil {
		a.Source = l.remote.Source
	}
	if a.Target == nil && a.Coordinator == nil {
		a.Target, a.Coordinator = l.remote.Target, l.remote.Coordinator
	}
	if a.SenderSettleMode == 0 && a.ReceiverSettleMode == 0 {
		a.SenderSettleMode, a.ReceiverSettleMode = l.remote.SenderSettleMode, l.remote.ReceiverSettleMode
	}
	if l.role == frame.Sender && a.Source != nil && a.Source.Dynamic && a.Source.Address == "" ||
		l.role == frame.Receiver && a.Target != nil && a.Target.Dynamic && a.Target.Address == "" {
		l.fail(frame.NotImplemented, "there are no dynamic nodes here")
		return
	}
	l.answer(a)
}

// answer attaches a link, or detaches it at once.
func (l *Link) answer(a frame.Attach) {
	if !l.say(a) {
		l.fail(frame.FrameSizeTooSmall, "the answer does not fit into your frames")
	}
}

// Refuse tells the peer that it cannot have the link that it Requested: an attach without the terminus that we would
// have, and then a detach with the reason [2.6.3].
func (l *Link) Refuse(e *frame.Error) {
	if l.local != nil || l.over || !l.session.alive() {
		return
	}
	l.refused = true
	l.sayNothing()
	l.detach(&frame.Detach{Closed: true, Error: e})
}

// sayNothing writes an attach that has no terminus on our side.
func (l *Link) sayNothing() {
	a := frame.Attach{SenderSettleMode: l.remote.SenderSettleMode, ReceiverSettleMode: l.remote.ReceiverSettleMode}
	if l.role == frame.Receiver {
		a.Source = l.remote.Source
	} else {
		a.Target = l.remote.Target
	}
	if l.say(a) {
		return
	}
	a.Source, a.Target = nil, nil
	if !l.say(a) { // the name alone is too long for the peer that chose it
		l.session.fail(frame.FrameSizeTooSmall, "the answer to an attach does not fit into your frames")
	}
}

// say writes our attach.
func (l *Link) say(a frame.Attach) bool {
	a.Name, a.Handle, a.Role = l.name, l.handle, l.role
	if l.role == frame.Sender {
		a.HasInitialCount = true
	} else if a.MaxMessageSize == 0 || a.MaxMessageSize > l.session.conn.limits.MaxMessageSize {
		a.MaxMessageSize = l.session.conn.limits.MaxMessageSize
	}
	if !l.session.write(&a) {
		return false
	}
	if l.role == frame.Sender && l.local == nil {
		l.deliveryCount = a.InitialDeliveryCount
	}
	l.local = &a
	return true
}

// remoteAttach reads the peer's attach: an answer to ours, or a link that it wants [2.6.3].
func (c *Conn) remoteAttach(channel uint16, d *amqp.Decoder) *frame.Error {
	a, cost := &frame.Attach{}, d.Len()
	if e := c.read(d, a); e != nil {
		return e
	}
	s, e := c.sessionAt(channel)
	switch {
	case s == nil:
		return e
	case a.Handle > c.limits.HandleMax:
		return aboveHandleMax()
	case int(a.Handle) < len(s.remoteLinks) && s.remoteLinks[a.Handle] != nil:
		s.fail(frame.HandleInUse, "handle has a link")
		return nil
	case !c.keeps(cost + s.growth(a.Handle)):
		s.fail(frame.ResourceLimitExceeded, "too much is said of links")
		return nil
	}
	l := c.links[linkKey{a.Name, !a.Role}]
	if l != nil && l.session == s && l.remote == nil {
		l.bind(a, cost)
		l.answered()
		return nil
	}
	if l != nil {
		l.steal()
	}
	if s.alive() {
		s.request(a, cost)
	}
	return nil
}

// growth is how many bytes the table of the peer's handles grows by for one: it may leave out as many as it likes.
func (s *Session) growth(handle uint32) int { return 8 * max(0, int(handle)+1-len(s.remoteLinks)) }

// bind joins the peer's end of a link to ours.
func (l *Link) bind(a *frame.Attach, cost int) {
	s := l.session
	l.remote, l.remoteHandle, l.cost = a, a.Handle, cost
	grown := s.growth(a.Handle)
	s.cost += grown // as long as the session is there
	s.conn.kept += cost + grown
	for len(s.remoteLinks) <= int(a.Handle) {
		s.remoteLinks = append(s.remoteLinks, nil)
	}
	s.remoteLinks[a.Handle] = l
	if l.role == frame.Receiver {
		l.deliveryCount = a.InitialDeliveryCount
	}
	if l.detached {
		l.unname()
	}
}

// answered handles the peer's answer to our attach. Without the peer's terminus it is a refusal, and its detach
// follows.
func (l *Link) answered() {
	a := l.remote
	none := a.Target == nil && a.Coordinator == nil
	if l.role == frame.Receiver {
		none = a.Source == nil
	}
	switch {
	case none || l.detached:
	case l.role == frame.Receiver && !a.HasInitialCount:
		l.fail(frame.InvalidField, "attach of a sender has no initial-delivery-count")
	default:
		l.session.conn.handler.Attached(l)
		l.regrant()
	}
}

// steal ends a link of which the peer attaches another one with the same name [2.6.1].
func (l *Link) steal() {
	e := &frame.Error{Condition: frame.Stolen, Description: "a link of the same name was attached"}
	if l.local == nil {
		l.sayNothing()
	}
	l.detach(&frame.Detach{Closed: true, Error: e})
	if l.parted != nil && l.session.alive() {
		l.free() // otherwise the peer's detach is still to come
	}
	l.finish(Detachment{By: ByPeer, Error: e})
}

// request hands a link that the peer wants to the owner.
func (s *Session) request(a *frame.Attach, cost int) {
	l := s.newLink(a.Name, !a.Role)
	if l == nil {
		s.fail(frame.ResourceLimitExceeded, "no link is left")
		return
	}
	l.bind(a, cost)
	l.requested = true
	if l.role == frame.Receiver && !a.HasInitialCount {
		l.Refuse(&frame.Error{Condition: frame.InvalidField, Description: "attach of a sender has no initial-delivery-count"})
		return
	}
	s.conn.handler.Requested(l)
}
