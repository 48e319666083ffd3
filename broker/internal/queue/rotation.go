package queue

import "slices"

// consumer is one attached consumer.
type consumer struct {
	id   ConsumerID
	held holding // the ends of the ring of what it holds, not itself an assignment
}

// oldest gives the consumer's oldest assignment, or nil.
func (c *consumer) oldest() *holding {
	if c.held.next == &c.held {
		return nil
	}
	return c.held.next
}

// rotation is the order in which consumers take turns.
type rotation struct {
	ring []*consumer
	turn int // index of whose turn it is
}

func (r *rotation) len() int { return len(r.ring) }

func (r *rotation) index(id ConsumerID) int {
	return slices.IndexFunc(r.ring, func(c *consumer) bool { return c.id == id })
}

// add puts a consumer behind all others in the current round.
func (r *rotation) add(id ConsumerID) {
	if r.index(id) >= 0 {
		return
	}
	c := &consumer{id: id}
	c.held.prev, c.held.next = &c.held, &c.held
	r.ring = slices.Insert(r.ring, r.turn, c)
	r.turn = (r.turn + 1) % len(r.ring)
}

// remove takes a consumer out and returns it, or nil.
func (r *rotation) remove(id ConsumerID) *consumer {
	i := r.index(id)
	if i < 0 {
		return nil
	}
	c := r.ring[i]
	r.ring = slices.Delete(r.ring, i, i+1)
	if i < r.turn {
		r.turn--
	}
	if r.turn >= len(r.ring) {
		r.turn = 0
	}
	return c
}

// next gives the turn to the first consumer in order that has credit, or returns nil.
func (r *rotation) next(hasCredit func(ConsumerID) bool) *consumer {
	for range r.ring {
		c := r.ring[r.turn]
		if hasCredit(c.id) {
			r.pass()
			return c
		}
		r.pass()
	}
	return nil
}

func (r *rotation) pass() {
	if r.turn++; r.turn == len(r.ring) {
		r.turn = 0
	}
}
