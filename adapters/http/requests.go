package http

import (
	"context"
	nethttp "net/http"
	"sync"
)

// requests counts the requests of one listener, because closing a server does not wait for its handlers.
type requests struct {
	mu     sync.Mutex // guards everything below; a leaf
	active int
	closed bool
	none   chan struct{} // closed when closed and none is active
}

func newRequests() *requests { return &requests{none: make(chan struct{})} }

// counted wraps a handler. A request that comes after the end finds its connection closed anyway.
func (q *requests) counted(h nethttp.Handler) nethttp.Handler {
	return nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if !q.enter() {
			panic(nethttp.ErrAbortHandler)
		}
		defer q.leave()
		h.ServeHTTP(w, r)
	})
}

func (q *requests) enter() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.active++
	}
	return !q.closed
}

func (q *requests) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.active--; q.closed && q.active == 0 {
		close(q.none)
	}
}

// closeAndWait lets no more requests in and waits for those under way.
func (q *requests) closeAndWait() {
	q.mu.Lock()
	if q.closed = true; q.active == 0 {
		close(q.none)
	}
	q.mu.Unlock()
	<-q.none
}

// served is what a request of a listener of ours knows of it.
type served struct {
	ends     context.Context // when the process begins to stop
	requests *requests
}

// servedKey is the context key of a *served.
type servedKey struct{}

func withServed(ctx context.Context, s *served) context.Context {
	return context.WithValue(ctx, servedKey{}, s)
}

// stopping gives the context that ends when the process begins to stop; one that never ends for a request of somebody
// else's server.
func stopping(r *nethttp.Request) context.Context {
	if s, ok := r.Context().Value(servedKey{}).(*served); ok {
		return s.ends
	}
	return context.Background()
}

// draining gives the channel that is closed when the request should come to its end.
func draining(r *nethttp.Request) <-chan struct{} { return stopping(r).Done() }
