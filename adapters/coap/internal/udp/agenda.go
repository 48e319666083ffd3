package udp

import (
	"container/heap"
	"time"
)

// agenda are the peers that have something to do at a time, as a heap with the earliest on top.
type agenda []*peer

// enter changes when a peer has something to do. Later than what is entered already stays as it is: looking at a peer too
// early does no harm, and most deadlines move away before they come.
func (a *agenda) enter(p *peer, due time.Time) {
	switch {
	case due.IsZero():
	case p.place < 0:
		p.due = due
		heap.Push(a, p)
	case due.Before(p.due):
		p.due = due
		heap.Fix(a, p.place)
	}
}

// remove takes a peer out.
func (a *agenda) remove(p *peer) {
	if p.place >= 0 {
		heap.Remove(a, p.place)
	}
}

// due takes out a peer whose time has come; nil when there is none.
func (a *agenda) due(now time.Time) *peer {
	if len(*a) == 0 || now.Before((*a)[0].due) {
		return nil
	}
	return heap.Pop(a).(*peer)
}

// samples is how many peers are looked at to find one that can go.
const samples = 16

// sample gives, of a few peers from top to bottom that are as they should be, the one that is due first; nil when none is.
func (a agenda) sample(is func(*peer) bool) (found *peer) {
	for i := range samples {
		p := a.at(i * len(a) / samples)
		if p != nil && is(p) && (found == nil || p.due.Before(found.due)) {
			found = p
		}
	}
	return found
}

func (a agenda) at(i int) *peer {
	if i < len(a) {
		return a[i]
	}
	return nil
}

// next is when the first peer has something to do; zero for never.
func (a agenda) next() time.Time {
	if len(a) == 0 {
		return time.Time{}
	}
	return a[0].due
}

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].due.Before(a[j].due) }
func (a agenda) Swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].place, a[j].place = i, j
}

func (a *agenda) Push(x any) {
	p := x.(*peer)
	p.place = len(*a)
	*a = append(*a, p)
}

func (a *agenda) Pop() any {
	last := len(*a) - 1
	p := (*a)[last]
	(*a)[last] = nil
	*a = (*a)[:last]
	p.place = -1
	return p
}
