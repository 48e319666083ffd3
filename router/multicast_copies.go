package router

import "slices"

// listener is a receiver of a multicast address. Its node's lock guards it.
type listener struct {
	link    *Receiver
	held    map[*copied]struct{} // what it has not settled
	waiting []*copied            // for its credit, in order
	probes  bool                 // it is of use for no sender's credit; see Probe
}

// cast is a message on its way to several receivers.
type cast struct {
	delivery Delivery // as its sender offered it
	ends     verdicts // of its copies
}

// copied is the copy of one receiver of a message. It hears what becomes of it.
type copied struct {
	node  *multicast // its lock guards everything below
	cast  *cast
	to    *listener // nil when it has ended
	began Instant   // when the receiver got it
}

var _ Settler = (*copied)(nil)

// Settle implements Settler for what a receiver holds.
func (c *copied) Settle(_ uint64, o Outcome, done func(error)) {
	c.node.mu.Lock()
	defer c.node.mu.Unlock()
	var err error
	if c.to != nil {
		delete(c.to.held, c)
		c.to.link.Settled(o, c.began)
		c.end(o)
	} else {
		err = Errorf(Conflict, "the delivery is no longer held")
	}
	if done != nil {
		done(err)
	}
}

// end notes what has become of the copy. The message ends with the last; one that is settled has ended before.
func (c *copied) end(o Outcome) {
	c.to = nil
	if !c.cast.delivery.Settled && c.cast.ends.add(o) {
		c.cast.delivery.Settle(c.cast.ends.outcome())
	}
}

// give hands a copy to its receiver, or has it wait for credit, if there is room.
func (m *multicast) give(c *copied) {
	l, d := c.to, &c.cast.delivery
	if d.Settled && len(l.waiting) >= m.capacity {
		m.skip(l)
	}
	switch size := d.weight(); {
	case len(l.waiting) == 0 && l.link.Take():
		c.deliver()
	case m.bytes+size > m.maxWaiting:
		l.link.Drop()
		c.end(Release())
	default:
		m.bytes += size
		l.waiting = append(l.waiting, c)
	}
}

// deliver hands a copy out for which credit was taken.
func (c *copied) deliver() {
	d := c.cast.delivery
	if !d.Settled {
		c.to.held[c] = struct{}{}
		c.began = c.to.link.Begin()
		d = d.From(c, 0)
	}
	c.to.link.Deliver(d)
}

// skip has a receiver that is too slow miss what waits and is settled, so that it goes on with what is new.
func (m *multicast) skip(l *listener) {
	l.waiting = slices.DeleteFunc(l.waiting, func(c *copied) bool {
		if c.cast.delivery.Settled {
			m.bytes -= c.cast.delivery.weight()
			l.link.Drop()
		}
		return c.cast.delivery.Settled
	})
}

// handOut gives a receiver what waits for it, as far as its credit goes.
func (m *multicast) handOut(l *listener) {
	for len(l.waiting) > 0 && l.link.Take() {
		c := l.waiting[0]
		l.waiting[0], l.waiting = nil, l.waiting[1:]
		m.bytes -= c.cast.delivery.weight()
		c.deliver()
	}
}

// dismiss ends the copies of a receiver that has gone.
func (m *multicast) dismiss(l *listener) {
	for _, c := range l.waiting {
		m.bytes -= c.cast.delivery.weight()
		c.end(Release())
	}
	for c := range l.held {
		c.end(Fail())
	}
	l.waiting, l.held = nil, nil
}
