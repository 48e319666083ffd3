package queue

import (
	"errors"
	"math"
)

// ErrFull refuses a message that would exceed the settings.
var ErrFull = errors.New("queue is full")

// Entry is what the queue has to know of a message. Numbers beyond their range are taken as the nearest in it.
type Entry struct {
	Size     int
	Priority uint8  // 0 to 9, the highest first
	Expires  int64  // Unix ms; 0 for never
	Due      int64  // Unix ms before which it is not assigned; 0 for at once
	Group    string // of messages for one consumer; may be empty
	Key      string // of which only the last message is kept; may be empty
}

// Append admits a message and gives its number, or ErrFull. The entry is not assignable until Stored. It may take the
// place of others, which are then removed: those with its key, and, when the queue drops its head, the first of the
// lowest priority until there is room. What a consumer holds is not removed before it comes back. The slice is valid
// until the next call.
func (q *Queue) Append(e Entry) (Seq, []Seq, error) {
	q.beginReport()
	if e.Key != "" || !q.fits(1, int64(clampSize(e.Size))) {
		if !q.makeRoom(&e) {
			return 0, nil, ErrFull
		}
	}
	q.last++
	q.push(q.last, &e, false)
	return q.last, q.report, nil
}

// makeRoom removes what a new entry takes the place of, or nothing if that is not enough.
func (q *Queue) makeRoom(e *Entry) bool {
	size := clampSize(e.Size)
	old := q.replaceable(e.Key)
	replaces := old.state != gone
	switch {
	case replaces && q.fits(0, int64(size)-int64(old.size)):
	case !q.Room(1, int64(size)):
		return false
	}
	if replaces {
		q.drop(q.locate(old.seq))
	} else {
		q.values.supersede(e.Key)
	}
	for !q.fits(1, int64(size)) {
		q.drop(q.victim())
	}
	return true
}

// Stored says that an appended message is on disk.
func (q *Queue) Stored(seq Seq) {
	l, e := q.locate(seq)
	switch {
	case e == nil || e.state >= scheduled || q.hasExpired(l, e):
	case e.state == premature:
		q.move(e, scheduled)
	default:
		q.enter(l, e)
	}
}

// StoreFailed forgets an appended message that did not reach the disk.
func (q *Queue) StoreFailed(seq Seq) {
	if l, e := q.locate(seq); e != nil && e.state < scheduled {
		q.remove(l, e)
	}
}

// Restore adds a message found on disk, in rising order, before anything else happens to the queue. One at or below
// the lease of its priority may have been delivered before the stop and so starts with at least one attempt; one with a
// due time waits for Advance, even if that time is past. Of two with the same key the former is removed and its number
// answered, else 0. It panics when the number does not rise: the store's order is broken.
func (q *Queue) Restore(seq Seq, e Entry, attempts int) Seq {
	l := q.line(min(e.Priority, Priorities-1))
	if seq <= l.last {
		panic("queue: restored numbers must rise")
	}
	var replaced Seq
	if old := q.replaceable(e.Key); old.state != gone {
		replaced = old.seq
		q.remove(q.locate(replaced))
	}
	q.last = max(q.last, seq)
	restored := q.push(seq, &e, true)
	if seq <= l.lease.stored {
		attempts = max(attempts, 1)
	}
	restored.attempts = clampAttempts(attempts)
	return replaced
}

// Skip says at recovery that a message was found whose record cannot be read. It does not enter the queue; its number
// is not given again, because its record still has that key.
func (q *Queue) Skip(seq Seq) { q.last = max(q.last, seq) }

// Remove takes a waiting, dead or expired entry out of the state: one that the shell has purged, moved or dropped, or
// whose body turned out unreadable. It is false for one that is being stored, is held, or is not there.
func (q *Queue) Remove(seq Seq) bool {
	if !removable.has(q.look(seq).state) {
		return false
	}
	q.remove(q.locate(seq))
	return true
}

// Room tells whether so many messages and bytes more can be admitted, both less what is removed before, if need be by
// dropping what may be dropped.
func (q *Queue) Room(messages int, bytes int64) bool {
	if s := &q.settings; s.Overflow == DropHead {
		return (s.MaxMessages == 0 || int(q.count[assigned]+q.count[leaving])+messages <= s.MaxMessages) &&
			(s.MaxBytes == 0 || q.bytes[assigned]+q.bytes[leaving]+bytes <= s.MaxBytes)
	}
	return q.fits(messages, bytes)
}

// fits tells whether there is room without dropping.
func (q *Queue) fits(messages int, bytes int64) bool {
	s := &q.settings
	return (s.MaxMessages == 0 || q.Len()+messages <= s.MaxMessages) && (s.MaxBytes == 0 || q.Bytes()+bytes <= s.MaxBytes)
}

// beginReport empties the slice that Append and Advance answer.
func (q *Queue) beginReport() {
	q.report = q.report[:0]
	if cap(q.report) > keep {
		q.report = nil
	}
}

// drop removes an entry on behalf of Append.
func (q *Queue) drop(l *line, e *entry) {
	q.report = append(q.report, e.seq)
	q.remove(l, e)
}

// victim gives the entry of the lowest priority that is dropped first: what would be handed out next, then what is being
// stored, then what is not due.
func (q *Queue) victim() (*line, *entry) {
	for i := len(q.lines) - 1; i >= 0; i-- {
		l := q.lines[i]
		e := l.shared.entry(l, inLine)
		if e.state == gone {
			e = l.shared.fresh(l, inLine)
		}
		if e.state == gone {
			e = l.next(0, droppable)
		}
		if e.state != gone {
			return l, l.find(e.seq)
		}
	}
	panic("queue: nothing to drop, although there is room without it")
}

// push puts a new entry into its line, and its times and names where they are looked up.
func (q *Queue) push(seq Seq, e *Entry, onDisk bool) *entry {
	l, s := q.line(min(e.Priority, Priorities-1)), storing
	if onDisk {
		s = ready
	}
	if e.Due > 0 {
		q.await(e.Due, seq)
		if s = scheduled; !onDisk {
			s = premature
		}
	}
	if e.Key != "" {
		q.values.remember(e.Key, seq)
		l.grain.open = math.MaxInt32 // what is replaced is anywhere, and keys take more memory than open chunks
	}
	pushed := l.push(entry{seq, facts{size: clampSize(e.Size), bucket: bucketOf(e.Group), state: s}}, max(e.Expires, 0))
	q.arrive(pushed)
	return pushed
}

func clampSize(n int) uint32     { return uint32(min(max(n, 0), math.MaxUint32)) }
func clampAttempts(n int) uint16 { return uint16(min(max(n, 0), math.MaxUint16)) }
