package engine

import (
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// Detach detaches a link that is attached, whose terminus may be kept, after all that Send took is written. The
// deliveries end before our detach is written; Detached follows when the peer has answered.
func (l *Link) Detach() { l.leave(&frame.Detach{}) }

// Close ends a link that is attached for good: at once with an error; without one, after all that Send took is written.
func (l *Link) Close(e *frame.Error) { l.leave(&frame.Detach{Closed: true, Error: e}) }

func (l *Link) leave(x *frame.Detach) {
	switch {
	case l.detached || l.over || !l.session.alive():
	case l.parted != nil:
		l.answerParting(x)
	case l.local == nil:
	case x.Error == nil && l.place != nowhere:
		l.leaving = x
	default:
		l.detach(x)
	}
}

// fail detaches the link because the peer broke a rule of it.
func (l *Link) fail(condition amqp.Symbol, text string) {
	if !l.detached && !l.over && l.session.alive() {
		if l.local == nil {
			l.sayNothing()
		}
		l.detach(&frame.Detach{Closed: true, Error: &frame.Error{Condition: condition, Description: text}})
	}
}

// detach ends the deliveries and writes our detach. What the peer still sends on the link is discarded until its own.
func (l *Link) detach(x *frame.Detach) {
	s := l.session
	l.detached = true
	if l.remote != nil { // otherwise the peer's attach is still to come
		l.unname()
	}
	l.endDeliveries()
	if !s.alive() {
		return // the Handler ended more than the link
	}
	x.Handle = l.handle
	s.flushVerdict()
	s.conn.writeFault(s.channel, &x.Error, x)
}

// remoteDetach reads the peer's detach, which is answered with ours [2.6.6].
func (c *Conn) remoteDetach(channel uint16, d *amqp.Decoder) *frame.Error {
	x := frame.Detach{}
	if e := c.read(d, &x); e != nil {
		return e
	}
	s, e := c.sessionAt(channel)
	if s == nil {
		return e
	}
	l := s.remoteLink(x.Handle)
	if l == nil {
		return nil
	}
	s.remoteLinks[x.Handle] = nil
	by := ByUs
	if !l.detached {
		by = ByPeer
		gone := Detachment{By: ByPeer, Closed: x.Closed, Error: x.Error}
		if h, ok := c.handler.(Parting); ok && !l.refused && h.Parting(l, gone) {
			l.part(gone)
			return nil
		}
		if l.local == nil { // the owner has not answered yet, and need not any more
			l.sayNothing()
		}
		answer := &frame.Detach{Closed: x.Closed}
		if h, ok := c.handler.(Farewell); ok && x.Closed && !l.refused {
			l.endDeliveries()
			answer.Error = h.Farewell(l, Detachment{By: ByPeer, Closed: true, Error: x.Error})
		}
		l.detach(answer)
	}
	if !s.alive() {
		return nil
	}
	l.free()
	l.finish(Detachment{By: by, Closed: x.Closed, Error: x.Error})
	return nil
}

// finish ends the link without a word to the peer. Its last call of the Handler is here.
func (l *Link) finish(d Detachment) {
	if l.over {
		return
	}
	l.over = true
	l.unname()
	l.endDeliveries()
	if !l.refused {
		l.session.conn.handler.Detached(l, d)
	}
}

// forget takes back a link of which nothing has been said.
func (l *Link) forget() {
	l.over = true
	l.free()
	l.unname()
}

// free makes the handle free for another link.
func (l *Link) free() {
	l.session.links[l.handle] = nil
	l.release()
}

// release takes the link from what the connection counts.
func (l *Link) release() {
	l.session.conn.attachments--
	l.session.conn.kept -= l.cost
	l.cost = 0
}

// unname makes the name free for another link.
func (l *Link) unname() {
	key := linkKey{l.name, l.role}
	if l.session.conn.links[key] == l {
		delete(l.session.conn.links, key)
	}
}

// endDeliveries ends all deliveries of the link: those that were sent are Lost, those that were not are Unsent.
func (l *Link) endDeliveries() {
	l.dropArrival()
	l.endOutgoing()
	for _, g := range []*ledger{&l.session.outgoing, &l.session.incoming} {
		for e := l.firstIn(g); e != nil; e = l.firstIn(g) {
			u := Update{ID: e.id, Token: e.token, Progress: Lost}
			g.remove(e)
			l.unsettled--
			if l.role == frame.Sender {
				l.progress(u)
			}
		}
	}
}

// firstIn gives the first entry of the link in a ledger, or nil.
func (l *Link) firstIn(g *ledger) *entry {
	if l.unsettled == 0 {
		return nil
	}
	for i := range g.entries {
		if e := &g.entries[i]; e.link == l {
			return e
		}
	}
	return nil
}
