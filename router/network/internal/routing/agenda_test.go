package routing_test

import "time"

// agenda is what is going to happen: a heap with the next event on top. Its entries are small, and the events stay where
// they are, as a large network has millions of them.
type agenda struct {
	heap   []entry
	events []event
	free   []int32 // places in events
	count  int64
}

type entry struct {
	at     int64 // Unix nanoseconds
	number int64 // of equals the first comes first
	event  int32
}

func (e entry) before(other entry) bool {
	return e.at < other.at || e.at == other.at && e.number < other.number
}

func (a *agenda) push(at time.Time, e event) {
	place := int32(len(a.events))
	if last := len(a.free) - 1; last >= 0 {
		place, a.free = a.free[last], a.free[:last]
		a.events[place] = e
	} else {
		a.events = append(a.events, e)
	}
	a.count++
	a.heap = append(a.heap, entry{at.UnixNano(), a.count, place})
	for i := len(a.heap) - 1; i > 0 && a.heap[i].before(a.heap[(i-1)/2]); i = (i - 1) / 2 {
		a.heap[i], a.heap[(i-1)/2] = a.heap[(i-1)/2], a.heap[i]
	}
}

// pop takes the next event if it is due by a time.
func (a *agenda) pop(by time.Time) (e event, at time.Time, ok bool) {
	if len(a.heap) == 0 || a.heap[0].at > by.UnixNano() {
		return event{}, time.Time{}, false
	}
	top, last := a.heap[0], len(a.heap)-1
	a.heap[0] = a.heap[last]
	a.heap = a.heap[:last]
	a.sink()
	e = a.events[top.event]
	a.events[top.event] = event{}
	a.free = append(a.free, top.event)
	return e, time.Unix(0, top.at).UTC(), true
}

// sink puts the top where it belongs.
func (a *agenda) sink() {
	for i := 0; ; {
		least := i
		for below := 2*i + 1; below <= 2*i+2 && below < len(a.heap); below++ {
			if a.heap[below].before(a.heap[least]) {
				least = below
			}
		}
		if least == i {
			return
		}
		a.heap[i], a.heap[least] = a.heap[least], a.heap[i]
		i = least
	}
}
