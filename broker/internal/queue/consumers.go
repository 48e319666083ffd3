package queue

import (
	"cmp"
	"errors"
	"maps"
	"slices"
)

// ConsumerID names a consumer; the caller chooses it, unique among those attached.
type ConsumerID uint64

// Role is how a consumer takes part. The zero Role takes every message when its turn comes.
type Role struct {
	Selects   bool // the shell looks at each message, and passes it over or assigns it
	Browses   bool // sees what is in the queue, also what others hold, and takes nothing
	Exclusive bool // no other consumer may attach, except browsers
	Priority  int  // a higher one is served first, as long as it has credit
}

// Why a consumer may not attach.
var (
	ErrExclusive = errors.New("queue has an exclusive consumer, or has one that a new one would exclude")
	ErrConsumers = errors.New("queue has as many consumers as it may have")
)

// consumer is one attached consumer: an element of its rank.
type consumer struct {
	id         ConsumerID
	role       Role
	order      uint64 // in which it attached
	rank       *rank
	prev, next *consumer
	own        *view            // nil for the shared cursors
	never      map[Seq]struct{} // what it is not to get again
	pruneNever int              // at which length never is pruned next
	held       holding          // the ends of the ring of what it holds, not itself an assignment
	detached   bool
}

// oldest gives the consumer's oldest assignment, or nil.
func (c *consumer) oldest() *holding {
	if c.held.next == &c.held {
		return nil
	}
	return c.held.next
}

// cursor gives where the consumer is in a line.
func (c *consumer) cursor(l *line) *cursor {
	if c.own != nil {
		return &c.own[l.priority]
	}
	return &l.shared
}

// rank is the ring of the consumers of one priority, who take turns.
type rank struct {
	priority int
	turn     *consumer // who is served next; nil when there is nobody
}

// add puts a consumer behind all others in the current round.
func (r *rank) add(c *consumer) {
	c.rank = r
	if r.turn == nil {
		c.prev, c.next = c, c
		r.turn = c
		return
	}
	c.prev, c.next = r.turn.prev, r.turn
	c.prev.next, c.next.prev = c, c
}

func (r *rank) remove(c *consumer) {
	c.prev.next, c.next.prev = c.next, c.prev
	if r.turn == c {
		r.turn = c.next
	}
	if r.turn == c {
		r.turn = nil
	}
}

// Attach adds a consumer; it is the last of the current round to get a turn. Attaching twice changes nothing.
func (q *Queue) Attach(id ConsumerID, r Role) error {
	if q.consumers[id] != nil {
		return nil
	}
	if err := q.admits(r); err != nil {
		return err
	}
	q.attached++
	c := &consumer{id: id, role: r, order: q.attached}
	c.held.prev, c.held.next = &c.held, &c.held
	if q.consumers == nil {
		q.consumers = make(map[ConsumerID]*consumer)
	}
	q.consumers[id] = c
	q.rank(r.Priority).add(c)
	if !r.Browses {
		q.takers++
		if r.Exclusive {
			q.exclusive = c
		}
	}
	q.seat(c)
	return nil
}

// admits tells why a consumer may not attach. Browsers harm nobody.
func (q *Queue) admits(r Role) error {
	switch {
	case r.Browses:
		return nil
	case q.exclusive != nil || r.Exclusive && q.takers > 0:
		return ErrExclusive
	case q.settings.MaxConsumers > 0 && q.takers >= q.settings.MaxConsumers:
		return ErrConsumers
	}
	return nil
}

// rank gives the rank of a priority, the highest first.
func (q *Queue) rank(priority int) *rank {
	i, ok := slices.BinarySearchFunc(q.ranks, priority, func(r *rank, p int) int { return p - r.priority })
	if !ok {
		q.ranks = slices.Insert(q.ranks, i, &rank{priority: priority})
	}
	return q.ranks[i]
}

// seat gives a consumer the cursors that it needs: the shared ones, or its own from the start of every line.
func (q *Queue) seat(c *consumer) {
	if c.role.Selects || q.browses(c) || q.settings.Groups || len(c.never) > 0 {
		q.seatAlone(c, new(view))
	} else {
		q.sharing++
	}
}

func (q *Queue) seatAlone(c *consumer, v *view) {
	c.own = v
	q.alone = append(q.alone, c)
}

func (q *Queue) unseat(c *consumer) {
	if c.own == nil {
		q.sharing--
		return
	}
	c.own = nil
	q.alone = slices.DeleteFunc(q.alone, func(o *consumer) bool { return o == c })
}

// browses tells whether a consumer only reads.
func (q *Queue) browses(c *consumer) bool { return c.role.Browses || q.settings.NonDestructive }

// sees gives the states of entries that are to be seen by a consumer.
func (q *Queue) sees(c *consumer) states {
	if q.browses(c) {
		return inSight
	}
	return inLine
}

// Detach removes a consumer. Everything it held comes back with one failed delivery more; returned, if not nil, is
// told what became of each, in the order of assignment, and must not call the queue.
func (q *Queue) Detach(now int64, id ConsumerID, returned func(Settled)) {
	c := q.consumers[id]
	if c == nil {
		return
	}
	c.detached = true
	delete(q.consumers, id)
	c.rank.remove(c)
	if c.rank.turn == nil {
		q.ranks = slices.DeleteFunc(q.ranks, func(r *rank) bool { return r == c.rank })
	}
	if !c.role.Browses {
		q.takers--
	}
	q.unseat(c)
	if q.exclusive == c {
		q.exclusive = nil
	}
	if q.active == c {
		q.active = nil
	}
	q.disown(c)
	for h := c.oldest(); h != nil; h = c.oldest() {
		s := q.settle(now, h, Fail)
		q.held.end(h)
		if returned != nil {
			returned(s)
		}
	}
}

// elect makes the first attached consumer of the highest priority the active one, unless there is one.
func (q *Queue) elect() {
	if q.active != nil {
		return
	}
	for _, c := range q.byAttachment() {
		if !c.role.Browses && (q.active == nil || c.role.Priority > q.active.role.Priority) {
			q.active = c
		}
	}
}

// byAttachment gives the consumers in the order in which they attached.
func (q *Queue) byAttachment() []*consumer {
	return slices.SortedFunc(maps.Values(q.consumers), func(a, b *consumer) int { return cmp.Compare(a.order, b.order) })
}
