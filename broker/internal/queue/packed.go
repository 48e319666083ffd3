package queue

import (
	"encoding/binary"
	"iter"
	"slices"
	"sort"
)

// packed is entries that are all ready: their count, and behind it their columns. Messages of one kind, stored one after
// the other, take next to nothing.
//
// A number is kept less its position: without gaps all are equal. An expiry is kept as 0 for never, else as the time
// above the earliest in the chunk, plus 1; that earliest is a column of one value.
type packed []byte

// pack packs the slots of a chunk without gaps, and their expiries, or none.
func pack(slots []entry, expires []int64) packed {
	var scratch [chunkSize]uint64
	values := scratch[:len(slots)]
	p := binary.AppendUvarint(make([]byte, 0, 64), uint64(len(slots)))
	for i := range slots {
		values[i] = uint64(slots[i].seq) - uint64(i)
	}
	p = appendColumn(p, values)
	for i := range slots {
		values[i] = uint64(slots[i].size)
	}
	p = appendColumn(p, values)
	for i := range slots {
		values[i] = uint64(slots[i].attempts)
	}
	p = appendColumn(p, values)
	for i := range slots {
		values[i] = uint64(slots[i].bucket)
	}
	p = appendColumn(p, values)
	origin := before(expires)
	p = appendColumn(p, []uint64{uint64(origin)})
	clear(values)
	for i, at := range expires {
		if at != 0 {
			values[i] = uint64(at - origin)
		}
	}
	p = appendColumn(p, values)
	return slices.Clone(append(p, make([]byte, padding)...))
}

// before gives the time just before the earliest of some expiries.
func before(expires []int64) int64 {
	earliest := int64(0)
	for _, at := range expires {
		if at != 0 && (earliest == 0 || at < earliest) {
			earliest = at
		}
	}
	return max(earliest, 1) - 1
}

// columns are a packed chunk as it is read.
type columns struct {
	n                                    int
	seq, size, attempts, bucket, expires column
	origin                               int64 // of expires
	alike                                bool  // all but the numbers and expiries are equal
	facts                                facts // if so
}

func (p packed) columns() (c columns) {
	n, size := binary.Uvarint(p)
	c.n = int(n)
	rest := []byte(p[size:])
	c.seq, rest = cutColumn(rest, c.n)
	c.size, rest = cutColumn(rest, c.n)
	c.attempts, rest = cutColumn(rest, c.n)
	c.bucket, rest = cutColumn(rest, c.n)
	origin, rest := cutColumn(rest, 1)
	c.expires, _ = cutColumn(rest, c.n)
	c.origin = int64(origin.low)
	c.facts = c.factsAt(0)
	c.alike = c.size.width == 0 && c.attempts.width == 0 && c.bucket.width == 0
	return c
}

func (c *columns) number(i int) Seq { return Seq(c.seq.at(i)) + Seq(i) }

func (c *columns) entry(i int) entry {
	if c.alike {
		return entry{c.number(i), c.facts}
	}
	return entry{c.number(i), c.factsAt(i)}
}

func (c *columns) factsAt(i int) facts {
	return facts{
		size:     uint32(c.size.at(i)),
		attempts: uint16(c.attempts.at(i)),
		bucket:   bucket(c.bucket.at(i)),
		state:    ready,
	}
}

func (c *columns) expiry(i int) int64 {
	if above := c.expires.at(i); above > 0 {
		return c.origin + int64(above)
	}
	return 0
}

// seek gives the position of the first entry whose number is at least seq.
func (c *columns) seek(seq Seq) int {
	first := c.number(0)
	if seq <= first {
		return 0
	}
	n := int(min(uint64(seq-first), uint64(c.n)))
	if c.seq.width == 0 {
		return n
	}
	return sort.Search(n, func(i int) bool { return c.number(i) >= seq })
}

// look gives the entry seq, or none.
func (p packed) look(seq Seq) entry {
	if e := p.next(seq); e.seq == seq {
		return e
	}
	return entry{}
}

// next gives the first entry from a number on, or none.
func (p packed) next(from Seq) entry {
	c := p.columns()
	if i := c.seek(from); i < c.n {
		return c.entry(i)
	}
	return entry{}
}

// all gives the entries and when they expire.
func (p packed) all() iter.Seq2[entry, int64] {
	return func(yield func(entry, int64) bool) {
		c := p.columns()
		for i := range c.n {
			if !yield(c.entry(i), c.expiry(i)) {
				return
			}
		}
	}
}
