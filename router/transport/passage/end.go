package passage

import (
	"sync/atomic"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// An End is one end of a passage: a link, whose Context it is, and what is known of the other end. It belongs to the owner of
// the link's connection.
type End struct {
	desk   *Desk
	other  *End
	link   *engine.Link // of the end that was asked for: nil before it is attached
	unread atomic.Int32 // letters to this end

	asker    bool // its peer asked for the link
	attached bool // of the other one: the peer has it
	parted   bool // the peer has detached, and waits for the answer of the other one
	leaving  bool // the other peer has detached, and waits for ours
	over     bool

	role      frame.Role      // of who asked
	name      name            // that we use
	owner     string          // of the name
	rewritten rewriting       // on the way here
	elsewhere *engine.Session // of who asked

	inbound
	outbound
	metered
	entry
}

// maxUnread is how many letters an end may have that it has not read. Credit and windows keep it below, unless a peer says
// the same thing over and over again.
const maxUnread = 64 << 10

// tell writes to the other end. There is always room for a detach: without it that would wait for ever.
func (e *End) tell(x letter) {
	o := e.other
	_, last := x.(*detach)
	if o.unread.Add(1) > maxUnread && !last {
		o.unread.Add(-1)
		e.link.Part(true, &frame.Error{Condition: frame.ResourceLimitExceeded, Description: "more than the other peer can read"})
		return
	}
	o.desk.mail.Put(post{o, x})
}

// hasAttached hears that the peer has accepted a link that was asked for elsewhere.
func (e *End) hasAttached() {
	e.attached = true
	e.link.Stream()
	e.tell(&answer{e.rewritten.back().attach(*e.link.Remote(), e.role)})
}

// parting hears that the peer detaches. It is true when that is answered later.
func (e *End) parting(d engine.Detachment) bool {
	if e.over || e.leaving || !e.asker && !e.attached {
		return false
	}
	e.parted = true
	e.release()
	e.tell(&detach{closed: d.Closed, err: d.Error})
	return true
}

// detached hears that the link is over.
func (e *End) detached(d engine.Detachment) {
	if e.over {
		return
	}
	e.finish()
	switch {
	case e.parted:
	case d.By == engine.ByNetwork || e.attachedOnce() && !e.leaving:
		e.tell(&detach{closed: !e.asker || !Survives(e.link.Remote()), err: Lost()})
	default:
		e.tell(&detach{closed: d.Closed, err: d.Error})
	}
}

// attachedOnce tells whether the link was there, which one that the peer refuses never is.
func (e *End) attachedOnce() bool { return e.asker || e.attached }

// detachedThere has the peer told that the other one has detached, or has answered that.
func (e *End) detachedThere(x *detach) {
	switch {
	case e.parted:
		e.link.Part(x.closed, x.err)
	case e.asker && e.link.Local() == nil:
		e.finish()
		if x.err == nil {
			x.err = Unreachable()
		}
		e.link.Refuse(x.err)
	default:
		e.leaving = true
		e.release()
		e.link.Part(x.closed, x.err)
	}
}

// attach attaches a link that was asked for elsewhere.
func (e *End) attach(x *request) {
	d := e.desk
	if former := d.names[e.name]; former != nil && !e.takeOver(former) {
		return
	}
	m := d.sessionFor(x.session)
	if m == nil {
		e.refuse(Unreachable())
		return
	}
	m.ends = append(m.ends, e)
	e.elsewhere = x.session
	if e.link = m.session.Attach(x.attach); e.link == nil {
		e.refuse(&frame.Error{Condition: frame.ResourceLimitExceeded, Description: "the other container allows no more links"})
		return
	}
	e.link.Context = e
	d.names[e.name] = e
}

// takeOver ends a link whose name somebody comes with again [2.6.1]. It is false when that is somebody else.
func (e *End) takeOver(former *End) bool {
	if former.owner != e.owner {
		e.refuse(&frame.Error{Condition: frame.ResourceLocked, Description: "the name of the link is in use"})
		return false
	}
	stolen := &frame.Error{Condition: frame.Stolen, Description: "the link was attached again elsewhere"}
	former.tell(&detach{closed: true, err: stolen})
	former.link.Part(false, nil)
	former.finish()
	return true
}

// refuse tells who asked that there is no link.
func (e *End) refuse(reason *frame.Error) {
	e.finish()
	e.tell(&detach{closed: true, err: reason})
}

// answered tells the peer that asked that it has its link.
func (e *End) answered(a *frame.Attach) {
	e.link.Stream()
	e.tellSize(a)
	e.link.Answer(*a)
	if e.link.Role() == frame.Sender {
		e.sendable() // it may have given credit already
	}
}

// finish lets go of what the end has.
func (e *End) finish() {
	if e.over {
		return
	}
	e.over = true
	e.delist()
	e.release()
	e.unmeter()
	e.backlog, e.arriving = nil, nil
	if e.asker {
		return
	}
	if e.desk.names[e.name] == e {
		delete(e.desk.names, e.name)
	}
	if e.elsewhere != nil {
		e.desk.leave(e)
	}
}
