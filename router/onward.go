package router

import "sync"

// Onward is what waits for the ways of a node that gives each message to many, in the order in which it was sent.
type Onward struct {
	maxWaiting int // bytes

	mu      sync.Mutex // guards everything below; a node's lock, taken after the other one
	waiting map[*Receiver][]*awaited
	bytes   int // of what waits; what waits for two ways counts twice
}

// awaited is a message that some ways had no credit for.
type awaited struct {
	delivery Delivery // as its sender offered it
	missing  int      // ways that it waits for, and one as long as it is being offered
	handed   bool     // somebody has it
}

// NewOnward gives one that keeps so many bytes.
func NewOnward(maxWaiting int) *Onward { return &Onward{maxWaiting: maxWaiting} }

// Hand hands a message to a way, now or as soon as it has credit. Nobody is told when. What there is no room for is missed,
// which is counted.
func (o *Onward) Hand(r *Receiver, d Delivery) {
	if _, late := o.give(r, d.Unowned(), nil); late != nil {
		o.began(late, false)
	}
}

// give hands a message to a way, now if it has credit. Otherwise the message waits, if there is room, together with others
// of the same message: late is nil as long as there are none.
func (o *Onward) give(r *Receiver, d Delivery, late *awaited) (now bool, _ *awaited) {
	o.mu.Lock()
	defer o.mu.Unlock()
	size := d.weight()
	switch {
	case len(o.waiting[r]) == 0 && r.Take():
		r.Deliver(d.Unowned())
		return true, late
	case o.bytes+size > o.maxWaiting:
		r.Drop()
		return false, late
	case late == nil:
		late = &awaited{delivery: d, missing: 1}
	}
	if o.waiting == nil {
		o.waiting = make(map[*Receiver][]*awaited)
	}
	late.missing++
	o.waiting[r] = append(o.waiting[r], late)
	o.bytes += size
	return false, late
}

// began notes that a message has been offered to all; handed tells whether somebody has it already.
func (o *Onward) began(late *awaited, handed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	late.arrived(handed)
}

// Granted hands a way, which has more credit, what waits for it.
func (o *Onward) Granted(r *Receiver) {
	o.mu.Lock()
	defer o.mu.Unlock()
	queue := o.waiting[r]
	for len(queue) > 0 && r.Take() {
		late := queue[0]
		queue[0], queue = nil, queue[1:]
		o.bytes -= late.delivery.weight()
		r.Deliver(late.delivery.Unowned())
		late.arrived(true)
	}
	o.keep(r, queue)
}

// End drops what waits for a way that is no more.
func (o *Onward) End(r *Receiver) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, late := range o.waiting[r] {
		o.bytes -= late.delivery.weight()
		r.Drop()
		late.arrived(false)
	}
	o.keep(r, nil)
}

// leave tells a sender that goes how what waits has ended: somebody has it, or it goes on without him.
func (o *Onward) leave(s *Sender) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, queue := range o.waiting {
		for _, late := range queue {
			if d := late.delivery; d.owner() == s {
				late.delivery = d.Unowned()
				d.Settle(Accept())
			}
		}
	}
}

func (o *Onward) keep(r *Receiver, queue []*awaited) {
	if len(queue) == 0 {
		delete(o.waiting, r)
	} else {
		o.waiting[r] = queue
	}
}

// arrived notes that a message waits for one less, and settles it after the last.
func (a *awaited) arrived(handed bool) {
	a.handed = a.handed || handed
	if a.missing--; a.missing > 0 {
		return
	}
	if a.handed {
		a.delivery.Settle(Accept())
	} else {
		a.delivery.Settle(Release())
	}
}
