// Package outputs keeps what a state machine has to say until its owner takes it.
//
// Promises: pure, without clock, goroutines or locks. What is put first is taken first. The memory is kept for the next.
package outputs

// Queue is what waits to be taken. The zero Queue is empty.
type Queue[T any] struct {
	waiting []T
	taken   int
}

// Put adds one.
func (q *Queue[T]) Put(v T) { q.waiting = append(q.waiting, v) }

// Next takes the next one; ok is false when there is none.
func (q *Queue[T]) Next() (v T, ok bool) {
	if q.taken == len(q.waiting) {
		clear(q.waiting)
		q.waiting, q.taken = q.waiting[:0], 0
		return v, false
	}
	v = q.waiting[q.taken]
	q.taken++
	return v, true
}
