package broker

import (
	"sync"

	"github.com/manifoldmq/manifold/broker/internal/queue"
)

// readers are the few goroutines that fetch bodies from the disk. A queue has at most one request with them, so what
// waits is bounded by the number of queues.
type readers struct {
	running sync.WaitGroup

	mu      sync.Mutex // guards everything below; a leaf
	arrived sync.Cond
	asked   []fetch
	closing bool
}

// fetch is a request for the bodies of a queue, from a number on.
type fetch struct {
	node *queueNode
	from queue.Seq
}

func (r *readers) start(n int) {
	r.arrived.L = &r.mu
	for range n {
		r.running.Go(r.run)
	}
}

func (r *readers) ask(f fetch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, f)
	r.arrived.Signal()
}

func (r *readers) run() {
	for f, ok := r.next(); ok; f, ok = r.next() {
		f.node.load(f.from)
	}
}

// next waits for a request; false when the broker closes.
func (r *readers) next() (fetch, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.asked) == 0 && !r.closing {
		r.arrived.Wait()
	}
	if r.closing {
		return fetch{}, false
	}
	f := r.asked[0]
	r.asked = r.asked[1:]
	return f, true
}

// stop ends the goroutines and waits for them; what is still asked for is forgotten.
func (r *readers) stop() {
	r.mu.Lock()
	r.closing = true
	r.arrived.Broadcast()
	r.mu.Unlock()
	r.running.Wait()
}
