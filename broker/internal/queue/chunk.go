package queue

import (
	"iter"
	"slices"
	"sort"
)

// entry is what is kept of a message in memory while its chunk is open: 16 bytes. The zero entry is none.
type entry struct {
	seq Seq
	facts
}

// facts are apart because the compiler keeps only small structs in registers.
type facts struct {
	size     uint32
	attempts uint16
	bucket   bucket
	state    state
}

// overdue stands for the expiry of an entry that expired while it was being stored or held.
const overdue = -1

// chunk is a stretch of a line, in one of two forms. Open, it has a slot for each entry; one that was removed leaves its
// slot behind, so that positions follow numbers. Packed, it is columns of numbers, can only be read, and all its entries
// are ready.
type chunk struct {
	line     *line
	first    Seq     // the number of its first slot, even if that is gone: none is lower
	earliest int64   // no entry expires before; 0 when none does
	slots    []entry // of an open chunk; its capacity is its size
	expires  []int64 // beside the slots: 0 for never; empty if that is true of all
	packed   packed  // of a packed chunk, else nil
	head     int32   // slots before it are gone
	live     int32   // slots that are not gone
	place    int32   // in the agenda, from 1; 0 when it is not there
}

// push adds an entry to an open chunk that has a slot left.
func (c *chunk) push(e entry, expires int64) *entry {
	if len(c.slots) == 0 {
		c.first = e.seq
	}
	if expires != 0 || len(c.expires) > 0 {
		c.pushExpiry(expires)
	}
	n := len(c.slots)
	c.slots = c.slots[:n+1]
	c.slots[n] = e
	c.live++
	return &c.slots[n]
}

// pushExpiry says when the next entry expires; those before it never do if they have not said so.
func (c *chunk) pushExpiry(at int64) {
	if len(c.expires) == 0 {
		c.expires = slices.Grow(c.expires, cap(c.slots))[:len(c.slots)]
		clear(c.expires)
	}
	c.expires = append(c.expires, at)
}

// remove takes an entry out of an open chunk.
func (c *chunk) remove(e *entry) {
	e.state = gone
	c.live--
	for int(c.head) < len(c.slots) && c.slots[c.head].state == gone {
		c.head++
	}
}

// guess gives the live entry seq of an open chunk if no number is missing before it, or nil.
func (c *chunk) guess(seq Seq) *entry {
	if i := uint64(seq - c.first); i < uint64(len(c.slots)) {
		if e := &c.slots[i]; e.seq == seq && e.state != gone {
			return e
		}
	}
	return nil
}

// find gives the live entry seq of an open chunk, or nil.
func (c *chunk) find(seq Seq) *entry {
	if i := c.seek(seq); i < len(c.slots) && c.slots[i].seq == seq && c.slots[i].state != gone {
		return &c.slots[i]
	}
	return nil
}

// seek gives the position of the first slot of an open chunk whose number is at least seq: as far from the first slot as
// the numbers are, or below that.
func (c *chunk) seek(seq Seq) int {
	if seq <= c.first {
		return 0
	}
	n := len(c.slots)
	if i := uint64(seq - c.first); i < uint64(n) {
		if n = int(i); c.slots[n].seq == seq {
			return n
		}
	}
	return sort.Search(n, func(i int) bool { return c.slots[i].seq >= seq })
}

// look gives a copy of the entry seq, or none.
func (c *chunk) look(seq Seq) entry {
	if c.packed != nil {
		return c.packed.look(seq)
	}
	if e := c.find(seq); e != nil {
		return *e
	}
	return entry{}
}

// next gives a copy of the first entry from a number on that is in one of some states, or none.
func (c *chunk) next(from Seq, in states) entry {
	if c.packed != nil {
		if in.has(ready) {
			return c.packed.next(from)
		}
		return entry{}
	}
	for i := max(c.seek(from), int(c.head)); i < len(c.slots); i++ {
		if e := &c.slots[i]; in.has(e.state) {
			return *e
		}
	}
	return entry{}
}

// all gives the live entries and when they expire.
func (c *chunk) all() iter.Seq2[entry, int64] {
	if c.packed != nil {
		return c.packed.all()
	}
	return func(yield func(entry, int64) bool) {
		for i := int(c.head); i < len(c.slots); i++ {
			if c.slots[i].state != gone && !yield(c.slots[i], c.expiry(i)) {
				return
			}
		}
	}
}

// expiry gives when the entry of a slot expires.
func (c *chunk) expiry(i int) int64 {
	if len(c.expires) == 0 {
		return 0
	}
	return c.expires[i]
}

// resize moves the entries of an open chunk together, into so many slots: its own if it has as many.
func (c *chunk) resize(n int) {
	to := chunk{slots: c.slots[:0], expires: c.expires[:0]}
	if n != cap(c.slots) {
		to.slots, to.expires = make([]entry, 0, n), nil
	}
	for e, expires := range c.all() {
		to.push(e, expires)
	}
	c.first, c.slots, c.expires, c.head = to.first, to.slots, to.expires, 0
}

// clear forgets all entries of an open chunk, and keeps its slots.
func (c *chunk) clear() {
	c.head, c.live = 0, 0
	c.slots = c.slots[:0]
	c.expires = c.expires[:0]
}

// isPackable tells whether an open chunk can be packed.
func (c *chunk) isPackable() bool {
	return !slices.ContainsFunc(c.slots[c.head:], func(e entry) bool { return e.state != ready && e.state != gone })
}
