package queue

import (
	"errors"
	"math"
)

// Seq is the number of a message in its queue: its identity and its place in line. The first is 1.
type Seq uint64

// ConsumerID names a consumer; the caller chooses it, unique among those attached.
type ConsumerID uint64

// Tag names one assignment of one entry to one consumer.
type Tag uint64

// Settings bound a queue. Zero means unbounded.
type Settings struct {
	MaxMessages int
	MaxBytes    int64
}

// Past is what the store remembers of a queue besides its messages.
type Past struct {
	Head  Seq // every lower number is consumed
	Lease Seq // every message up to here may have been delivered before
}

// ErrFull refuses a message that would exceed the settings.
var ErrFull = errors.New("queue is full")

// Assignment says that a consumer now holds an entry until the tag is settled or the consumer detaches.
type Assignment struct {
	Tag      Tag
	Seq      Seq
	Consumer ConsumerID
	Attempts int // failed deliveries before this one; above zero means redelivered
}

// Verdict is the consumer's answer to an assignment.
type Verdict uint8

const (
	Accept  Verdict = iota // done: the entry is removed
	Release                // back to its place, as if never delivered
	Fail                   // back to its place, one failed delivery more
	Reject                 // cannot be processed: the entry is removed
)

// Effect is what a settlement did to the entry.
type Effect uint8

const (
	None     Effect = iota // the tag was not current: nothing happened
	Removed                // gone from the state; the caller makes that durable
	Requeued               // ready again
)

// Settled answers a settlement. Seq is zero when Effect is None.
type Settled struct {
	Seq    Seq
	Effect Effect
}

// Queue is the state of one queue. Create it with New or Recover.
type Queue struct {
	settings  Settings
	entries   entries
	returned  seqHeap // ready entries that were assigned before; all lie before entries.fresh
	held      holdings
	consumers rotation
	lease     lease

	last      Seq // highest number ever given
	delivered Seq // highest number ever assigned
	ready     int
	bytes     int64
}

// New returns an empty queue that never had a message.
func New(s Settings) *Queue { return Recover(s, Past{}) }

// Recover returns a queue as the store remembers it; Restore adds its messages.
func Recover(s Settings, p Past) *Queue {
	return &Queue{
		settings:  s,
		lease:     lease{stored: p.Lease, wanted: p.Lease},
		last:      max(p.Lease, max(p.Head, 1)-1),
		delivered: p.Lease,
	}
}

// Configure replaces the settings. Entries that are already in stay, even beyond a lower bound.
func (q *Queue) Configure(s Settings) { q.settings = s }

// Restore adds a message found on disk, in rising order, before anything else happens to the queue. One at or
// below the lease may have been delivered before the stop and so starts with at least one attempt.
// It panics when the number does not rise: the store's order is broken.
func (q *Queue) Restore(seq Seq, size int, attempts int) {
	if n := q.entries.len(); seq == 0 || n > 0 && q.entries.at(n-1).seq >= seq {
		panic("queue: restored numbers must rise")
	}
	if seq <= q.lease.stored {
		attempts = max(attempts, 1)
	}
	q.entries.push(entry{seq: seq, size: clampSize(size), attempts: clampAttempts(attempts), state: ready})
	q.last = max(q.last, seq)
	q.bytes += int64(clampSize(size))
	q.ready++
}

// Skip says at recovery that a message was found whose record cannot be read. It does not enter the queue; its number
// is not given again, because its record still has that key.
func (q *Queue) Skip(seq Seq) { q.last = max(q.last, seq) }

// Append admits a message of size bytes and gives its number, or ErrFull. The entry is not assignable until Stored.
func (q *Queue) Append(size int) (Seq, error) {
	s := int64(clampSize(size))
	if q.settings.MaxMessages > 0 && q.Len() >= q.settings.MaxMessages ||
		q.settings.MaxBytes > 0 && q.bytes+s > q.settings.MaxBytes {
		return 0, ErrFull
	}
	q.last++
	q.entries.push(entry{seq: q.last, size: uint32(s), state: storing})
	q.bytes += s
	return q.last, nil
}

// Stored says that an appended message is on disk.
func (q *Queue) Stored(seq Seq) {
	if i, ok := q.entries.find(seq); ok && q.entries.at(i).state == storing {
		q.entries.at(i).state = ready
		q.ready++
	}
}

// StoreFailed forgets an appended message that did not reach the disk.
func (q *Queue) StoreFailed(seq Seq) {
	if i, ok := q.entries.find(seq); ok && q.entries.at(i).state == storing {
		q.remove(i)
	}
}

// Attach adds a consumer; it is the last of the current round to get a turn. Attaching twice changes nothing.
func (q *Queue) Attach(id ConsumerID) { q.consumers.add(id) }

// Detach removes a consumer. Everything it held goes back to its place with one attempt more; returned, if not
// nil, is told each number, in the order of assignment, and must not call the queue.
func (q *Queue) Detach(id ConsumerID, returned func(Seq)) {
	c := q.consumers.remove(id)
	if c == nil {
		return
	}
	for h := c.oldest(); h != nil; h = c.oldest() {
		seq := h.seq
		q.requeue(seq, 1)
		q.held.end(h)
		if returned != nil {
			returned(seq)
		}
	}
}

// Next assigns the first ready entry to the next consumer in turn for which hasCredit is true, or reports that
// there is no such pair now. hasCredit must not call the queue.
func (q *Queue) Next(hasCredit func(ConsumerID) bool) (Assignment, bool) {
	e := q.firstReady()
	if e == nil {
		return Assignment{}, false
	}
	c := q.consumers.next(hasCredit)
	if c == nil {
		return Assignment{}, false
	}
	if len(q.returned) > 0 {
		q.returned.pop()
	} else {
		q.entries.fresh++
	}
	e.state = assigned
	q.ready--
	q.delivered = max(q.delivered, e.seq)
	h := q.held.begin(c, e.seq)
	return Assignment{Tag: h.tag, Seq: e.seq, Consumer: c.id, Attempts: int(e.attempts)}, true
}

// Peek gives the entry that Next would assign, if a consumer had credit.
func (q *Queue) Peek() (Seq, bool) {
	if e := q.firstReady(); e != nil {
		return e.seq, true
	}
	return 0, false
}

// IsReady tells whether an entry is on disk and held by nobody.
func (q *Queue) IsReady(seq Seq) bool {
	i, ok := q.entries.find(seq)
	return ok && q.entries.at(i).state == ready
}

// SetAside takes a ready entry out of the state without an assignment, for one whose body turned out unreadable. Its
// record stays on disk: a later recovery either starts behind it (Head) or finds it again (Skip).
func (q *Queue) SetAside(seq Seq) {
	i, ok := q.entries.find(seq)
	if !ok || q.entries.at(i).state != ready {
		return
	}
	q.returned.drop(seq)
	q.ready--
	q.remove(i)
}

// Settle ends the assignment that tag names. A tag that is not current (settled before, or its consumer detached)
// has no effect, whoever holds the entry now.
func (q *Queue) Settle(tag Tag, v Verdict) Settled {
	h := q.held.byTag[tag]
	if h == nil {
		return Settled{}
	}
	seq, effect := h.seq, Requeued
	switch v {
	case Accept, Reject:
		i, _ := q.entries.find(seq)
		q.remove(i)
		effect = Removed
	case Release:
		q.requeue(seq, 0)
	case Fail:
		q.requeue(seq, 1)
	default:
		panic("queue: unknown verdict")
	}
	q.held.end(h)
	return Settled{Seq: seq, Effect: effect}
}

// Len is the number of entries: being stored, ready and assigned.
func (q *Queue) Len() int { return q.entries.live() }

// Bytes is the sum of the entries' sizes.
func (q *Queue) Bytes() int64 { return q.bytes }

// Ready is the number of entries on disk that nobody holds.
func (q *Queue) Ready() int { return q.ready }

// Unsettled is the number of entries that consumers hold.
func (q *Queue) Unsettled() int { return len(q.held.byTag) }

// Consumers is the number of attached consumers.
func (q *Queue) Consumers() int { return q.consumers.len() }

// Head is the lowest number still in the queue, or the next to be given when it is empty: every number below is
// consumed and need not be looked for on disk.
func (q *Queue) Head() Seq {
	if q.entries.len() == 0 {
		return q.last + 1
	}
	return q.entries.at(0).seq
}

// firstReady finds the assignable entry with the lowest number, or nil. Entries that came back all lie before those
// that were never assigned.
func (q *Queue) firstReady() *entry {
	if len(q.returned) > 0 {
		i, _ := q.entries.find(q.returned[0])
		return q.entries.at(i)
	}
	e := q.entries.firstFresh()
	if e == nil || e.state != ready || e.seq > q.lease.stored {
		return nil
	}
	return e
}

// requeue makes an assigned entry ready again.
func (q *Queue) requeue(seq Seq, failed int) {
	i, _ := q.entries.find(seq)
	e := q.entries.at(i)
	e.state = ready
	e.attempts = clampAttempts(int(e.attempts) + failed)
	q.returned.push(seq)
	q.ready++
}

// remove takes an entry that is not in line for assignment out of the state.
func (q *Queue) remove(i int) {
	q.bytes -= int64(q.entries.at(i).size)
	q.entries.remove(i)
}

func clampSize(n int) uint32     { return uint32(min(max(n, 0), math.MaxUint32)) }
func clampAttempts(n int) uint16 { return uint16(min(max(n, 0), math.MaxUint16)) }
