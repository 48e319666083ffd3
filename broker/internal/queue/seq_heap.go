package queue

import "slices"

// seqHeap is a binary heap of numbers with the lowest at index 0.
type seqHeap []Seq

func (h *seqHeap) push(seq Seq) {
	s := append(*h, seq)
	i := len(s) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if s[parent] <= s[i] {
			break
		}
		s[parent], s[i] = s[i], s[parent]
		i = parent
	}
	*h = s
}

// pop removes the lowest number. The heap must not be empty; an emptied one gives its memory back.
func (h *seqHeap) pop() {
	s := *h
	n := len(s) - 1
	s[0], s = s[n], s[:n]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < n; child++ {
			if s[child] < s[least] {
				least = child
			}
		}
		if least == i {
			break
		}
		s[i], s[least] = s[least], s[i]
		i = least
	}
	if n == 0 && cap(s) > keep {
		s = nil
	}
	*h = s
}

// drop removes a number wherever it is; rare, so that rebuilding is good enough.
func (h *seqHeap) drop(seq Seq) {
	old := *h
	if !slices.Contains(old, seq) {
		return
	}
	*h = nil
	for _, s := range old {
		if s != seq {
			h.push(s)
		}
	}
}
