package broker

import (
	"container/heap"
	"sync"
	"time"
)

// clock wakes queues when the time has come that they wait for: a message expires, or is due. It has one goroutine,
// which sleeps until the earliest of these times, and for good when there is none.
type clock struct {
	running sync.WaitGroup
	changed chan struct{} // that the earliest time is another now, or the clock is to stop

	mu      sync.Mutex // guards everything below; a leaf
	waiting alarms
	closing bool
}

// alarm is when a queue wants to be woken.
type alarm struct {
	at    int64 // Unix ms; 0 for never
	index int   // in the clock's heap, as long as at is not 0
	node  *queueNode
}

func (c *clock) start() {
	c.changed = make(chan struct{}, 1)
	c.running.Go(c.run)
}

// now is the time that queues know, in Unix milliseconds.
func now() int64 { return time.Now().UnixMilli() }

// set says when a queue wants to be woken next, instead of when it said before; 0 is never.
func (c *clock) set(n *queueNode, at int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &n.alarm
	switch was := a.at; {
	case was == at:
		return
	case was == 0:
		a.at, a.node = at, n
		heap.Push(&c.waiting, a)
	case at == 0:
		heap.Remove(&c.waiting, a.index)
		a.at = 0
	default:
		a.at = at
		heap.Fix(&c.waiting, a.index)
	}
	if at > 0 && c.waiting[0] == a {
		c.signal()
	}
}

func (c *clock) signal() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// run wakes queues until the clock is stopped.
func (c *clock) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		due, next, ok := c.due(now())
		if !ok {
			return
		}
		for _, n := range due {
			n.tick()
		}
		if len(due) > 0 {
			continue
		}
		timer.Stop()
		if next > 0 {
			timer.Reset(time.Until(time.UnixMilli(next)))
		}
		select {
		case <-timer.C:
		case <-c.changed:
		}
	}
}

// due takes out the queues whose time has come, and gives when the next one's will; false when the clock is to stop.
func (c *clock) due(at int64) (due []*queueNode, next int64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.waiting) > 0 && c.waiting[0].at <= at {
		a := heap.Pop(&c.waiting).(*alarm)
		a.at = 0
		due = append(due, a.node)
	}
	if len(c.waiting) > 0 {
		next = c.waiting[0].at
	}
	return due, next, !c.closing
}

// stop ends the goroutine and waits for it.
func (c *clock) stop() {
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	c.signal()
	c.running.Wait()
}

// alarms is a heap.Interface with the earliest first.
type alarms []*alarm

func (h alarms) Len() int           { return len(h) }
func (h alarms) Less(i, j int) bool { return h[i].at < h[j].at }

func (h alarms) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *alarms) Push(a any) {
	a.(*alarm).index = len(*h)
	*h = append(*h, a.(*alarm))
}

// Pop implements heap.Interface.
func (h *alarms) Pop() any {
	last := len(*h) - 1
	a := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return a
}
