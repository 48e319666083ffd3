package queue

// Divide makes the chunks of a queue that is still empty so small, and packs them unless so few are open.
func (q *Queue) Divide(size, open int) {
	q.grain = grain{size, open}
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
