package broker

import (
	"sync"

	"github.com/manifoldmq/manifold/broker/internal/queue"
)

// readers are the few goroutines that read from the disk: bodies for consumers, and messages that are moved. A feed has
// at most one request with them, so what waits is bounded by the number of consumers and of messages on their way.
type readers struct {
	running sync.WaitGroup

	mu      sync.Mutex // guards everything below; a leaf
	arrived sync.Cond
	asked   []task
	closing bool
}

// task is what a reader does.
type task interface{ run() }

// fetch is a request for the bodies of a queue, from a number on.
type fetch struct {
	node *queueNode
	feed *feed
	from queue.Seq
}

func (r *readers) start(n int) {
	r.arrived.L = &r.mu
	for range n {
		r.running.Go(r.run)
	}
}

func (f fetch) run() { f.node.load(f.feed, f.from) }

func (r *readers) ask(t task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, t)
	r.arrived.Signal()
}

func (r *readers) run() {
	for t, ok := r.next(); ok; t, ok = r.next() {
		t.run()
	}
}

// next waits for a request; false when the broker closes.
func (r *readers) next() (task, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.asked) == 0 && !r.closing {
		r.arrived.Wait()
	}
	if r.closing {
		return nil, false
	}
	t := r.asked[0]
	r.asked = r.asked[1:]
	return t, true
}

// stop ends the goroutines and waits for them; what is still asked for is forgotten.
func (r *readers) stop() {
	r.mu.Lock()
	r.closing = true
	r.arrived.Broadcast()
	r.mu.Unlock()
	r.running.Wait()
}
