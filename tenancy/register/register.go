// Package register keeps what comes and goes in the order in which it came, to be listed in pages.
//
// Promises:
//   - To come and to go cost the same however many are there.
//   - A page costs what is on it, and a binary search for where it begins. Pages that are asked for one after the other
//     show everybody who is there all the time, and nobody twice.
//   - A register has a lock of its own, a leaf: those who use different ones do not wait for each other.
package register

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Numbers gives numbers from 1 on, none of them twice. Registers that share it have no number in common.
type Numbers struct{ last atomic.Uint64 }

// Next gives the next number, for what is in no register.
func (n *Numbers) Next() uint64 { return n.last.Add(1) }

// Of is a register of entries, none of which is the zero value of its type. Its zero value is empty.
type Of[T comparable] struct {
	mu      sync.Mutex // guards everything below; a leaf
	rows    []row[T]   // by number; those of entries that have gone stay for a while
	present int
}

// row is an entry with its number. One that has gone is zero.
type row[T comparable] struct {
	number uint64
	entry  T
}

// Add enters an entry under the next of numbers, which it writes to number before anybody can find the entry.
func (r *Of[T]) Add(numbers *Numbers, entry T, number *uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*number = numbers.Next()
	r.rows = append(r.rows, row[T]{*number, entry})
	r.present++
}

// Remove takes out the entry of a number. It is false if that was not there.
func (r *Of[T]) Remove(number uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.find(number)
	if !ok {
		return false
	}
	var gone T
	r.rows[at].entry = gone
	if r.present--; len(r.rows) > 2*r.present+16 {
		r.tidy()
	}
	return true
}

// tidy forgets the rows of entries that have gone, and gives back memory that many of them took.
func (r *Of[T]) tidy() {
	var gone T
	rows := slices.DeleteFunc(r.rows, func(w row[T]) bool { return w.entry == gone })
	if cap(rows) > 4*len(rows)+64 {
		rows = slices.Clone(rows)
	}
	r.rows = rows
}

// Get finds the entry of a number.
func (r *Of[T]) Get(number uint64) (entry T, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.find(number)
	if !ok {
		return entry, false
	}
	return r.rows[at].entry, true
}

// Page gives the first entries whose numbers are above after, at most so many, in the order in which they came.
func (r *Of[T]) Page(after uint64, most int) []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.search(after)
	if ok {
		at++
	}
	var page []T
	var gone T
	for ; at < len(r.rows) && len(page) < most; at++ {
		if entry := r.rows[at].entry; entry != gone {
			page = append(page, entry)
		}
	}
	return page
}

// Len is how many entries there are.
func (r *Of[T]) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.present
}

// find gives the row of an entry that is there.
func (r *Of[T]) find(number uint64) (at int, ok bool) {
	var gone T
	at, ok = r.search(number)
	return at, ok && r.rows[at].entry != gone
}

// search gives where the row of a number is, or would be.
func (r *Of[T]) search(number uint64) (at int, ok bool) {
	return slices.BinarySearchFunc(r.rows, number, func(w row[T], number uint64) int {
		switch {
		case w.number < number:
			return -1
		case w.number > number:
			return 1
		}
		return 0
	})
}
