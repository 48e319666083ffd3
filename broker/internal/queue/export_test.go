package queue

import (
	"fmt"
	"slices"
)

// Divide makes the chunks of a queue that is still empty so small, and packs them unless so few are open.
func (q *Queue) Divide(size, open int) {
	q.grain = grain{int32(size), int32(open)}
	for _, l := range q.lines {
		l.grain = q.grain
	}
}

// OpenChunks and PackedChunks count the chunks of a queue.
func (q *Queue) OpenChunks() int   { return q.chunks(func(c *chunk) bool { return c.packed == nil }) }
func (q *Queue) PackedChunks() int { return q.chunks(func(c *chunk) bool { return c.packed != nil }) }

func (q *Queue) chunks(are func(*chunk) bool) (n int) {
	for _, l := range q.lines {
		for _, c := range l.chunks {
			if are(c) {
				n++
			}
		}
	}
	return n
}

// Check tells what is wrong with the chunks of a queue, if anything is.
func (q *Queue) Check() error {
	timed := 0
	for _, l := range q.lines {
		live, slots, loose := 0, 0, l.chunks[:len(l.chunks)-1]
		loose = slices.DeleteFunc(slices.Clone(loose), func(c *chunk) bool { return c.packed != nil })
		for i, c := range l.chunks {
			live += int(c.live)
			slots += cap(c.slots)
			if c.earliest != 0 {
				timed++
			}
			switch {
			case c.packed != nil && (c.slots != nil || c.isLast()):
				return fmt.Errorf("chunk %d is packed, and open or the last", i)
			case c.live == 0 && !c.isLast():
				return fmt.Errorf("chunk %d is empty", i)
			case i > 0 && c.live > 0 && l.chunks[i-1].first >= c.first:
				return fmt.Errorf("chunk %d begins before the one before it", i)
			case (c.place > 0) != (c.earliest != 0) || c.place > 0 && q.agenda[c.place-1] != c:
				return fmt.Errorf("chunk %d expires at %d and has place %d", i, c.earliest, c.place)
			}
			for e, expires := range c.all() {
				if expires > q.now && (c.earliest == 0 || expires < c.earliest) {
					return fmt.Errorf("%d expires at %d, before all of its chunk at %d", e.seq, expires, c.earliest)
				}
			}
		}
		switch {
		case live != l.live || slots != l.slots:
			return fmt.Errorf("%d entries in %d slots, counted as %d in %d", live, slots, l.live, l.slots)
		case len(loose) != len(l.loose):
			return fmt.Errorf("%d loose chunks, counted as %d", len(loose), len(l.loose))
		}
	}
	if timed != len(q.agenda) {
		return fmt.Errorf("%d chunks expire, the agenda has %d", timed, len(q.agenda))
	}
	return nil
}

func (c *chunk) isLast() bool { return c == c.line.chunks[len(c.line.chunks)-1] }
