package queue

import "container/heap"

// agenda is the chunks in which an entry expires, in a heap with the earliest at index 0.
type agenda []*chunk

// set says when the earliest entry of a chunk expires; 0 for never.
func (a *agenda) set(c *chunk, at int64) {
	c.earliest = at
	switch {
	case at == 0 && c.place > 0:
		heap.Remove(a, int(c.place)-1)
	case at != 0 && c.place > 0:
		heap.Fix(a, int(c.place)-1)
	case at != 0:
		heap.Push(a, c)
	}
}

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].earliest < a[j].earliest }

func (a agenda) Swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].place, a[j].place = int32(i+1), int32(j+1)
}

func (a *agenda) Push(c any) {
	*a = append(*a, c.(*chunk))
	c.(*chunk).place = int32(len(*a))
}

func (a *agenda) Pop() any {
	n := len(*a) - 1
	c := (*a)[n]
	c.place = 0
	(*a)[n] = nil
	*a = (*a)[:n]
	return c
}
