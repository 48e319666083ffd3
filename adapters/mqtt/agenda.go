package mqtt

import (
	"container/heap"
	"time"
)

// agenda is what is to be done for sessions without a connection, and when: a heap with the earliest first. It is pure: it
// is told the time.
type agenda struct{ entries entries }

// entry is a session's place in the agenda.
type entry struct {
	key   clientKey
	at    time.Time
	index int // in the heap, from 1; 0 when it is not in it
}

// add puts an entry in and tells whether it is the earliest now.
func (a *agenda) add(e *entry) bool {
	heap.Push(&a.entries, e)
	return e.index == 1
}

// remove takes an entry out, if it is in.
func (a *agenda) remove(e *entry) {
	if e.index > 0 {
		heap.Remove(&a.entries, e.index-1)
	}
}

// Deadline is when Advance has something to give; zero for never.
func (a *agenda) Deadline() time.Time {
	if len(a.entries) == 0 {
		return time.Time{}
	}
	return a.entries[0].at
}

// Advance takes out the earliest entry whose time has come; nil when there is none.
func (a *agenda) Advance(now time.Time) *entry {
	if len(a.entries) == 0 || now.Before(a.entries[0].at) {
		return nil
	}
	return heap.Pop(&a.entries).(*entry)
}

// entries is a heap.Interface.
type entries []*entry

func (h entries) Len() int           { return len(h) }
func (h entries) Less(i, j int) bool { return h[i].at.Before(h[j].at) }

func (h entries) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i+1, j+1
}

// Push implements heap.Interface.
func (h *entries) Push(e any) {
	*h = append(*h, e.(*entry))
	e.(*entry).index = len(*h)
}

// Pop implements heap.Interface.
func (h *entries) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	e.index = 0
	return e
}
