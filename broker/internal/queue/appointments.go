package queue

import (
	"cmp"
	"slices"
)

// appointment is an entry that is waited for: at a time, or, when all times are zero, by its number.
type appointment struct {
	at  int64
	seq Seq
}

func (a appointment) before(b appointment) bool { return a.at < b.at || a.at == b.at && a.seq < b.seq }

// appointments is a binary heap of them with the earliest at index 0. Appointments that are void by now stay until they
// come to the top or the heap is pruned, so that it is at most about twice as large as it need be.
type appointments struct {
	items []appointment
	limit int // when to prune next
}

// minHeap is the size from which on a heap is pruned.
const minHeap = 64

func (h *appointments) empty() bool      { return len(h.items) == 0 }
func (h *appointments) top() appointment { return h.items[0] }
func (h *appointments) full() bool       { return len(h.items) >= max(h.limit, minHeap) }

func (h *appointments) clone() appointments { return appointments{slices.Clone(h.items), h.limit} }

func (h *appointments) push(a appointment) {
	s := append(h.items, a)
	i := len(s) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !a.before(s[parent]) {
			break
		}
		s[i] = s[parent]
		i = parent
	}
	s[i] = a
	h.items = s
}

// pop removes the earliest appointment. The heap must not be empty; an emptied one gives its memory back.
func (h *appointments) pop() {
	n := len(h.items) - 1
	last, s := h.items[n], h.items[:n]
	i := 0
	for {
		child := 2*i + 1
		if child >= n {
			break
		}
		if child+1 < n && s[child+1].before(s[child]) {
			child++
		}
		if !s[child].before(last) {
			break
		}
		s[i] = s[child]
		i = child
	}
	if n > 0 {
		s[i] = last
	} else if cap(s) > keep {
		s = nil
	}
	h.items = s
}

// popAll removes an entry from the top, however often it is there.
func (h *appointments) popAll(seq Seq) {
	for !h.empty() && h.top().seq == seq {
		h.pop()
	}
}

// drop removes an entry wherever it is; rare, so that going through all of them is good enough.
func (h *appointments) drop(seq Seq) {
	if slices.ContainsFunc(h.items, func(a appointment) bool { return a.seq == seq }) {
		h.prune(func(a appointment) bool { return a.seq != seq })
	}
}

// prune keeps, once each, the appointments that are still valid.
func (h *appointments) prune(valid func(appointment) bool) {
	slices.SortFunc(h.items, func(a, b appointment) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.seq, b.seq))
	})
	s := slices.DeleteFunc(slices.Compact(h.items), func(a appointment) bool { return !valid(a) })
	h.items, h.limit = s, 2*len(s)
}

// clear forgets all appointments, and gives the memory back if it was much.
func (h *appointments) clear() {
	h.items = h.items[:0]
	if cap(h.items) > keep {
		*h = appointments{}
	}
}
