//go:build interop

package soak

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// life is one life of the process as its clients see it.
type life struct {
	ctx    context.Context // ends with the process
	doors  map[string]string
	last   bool            // nothing new is published, and nothing held back
	opened <-chan struct{} // closed when all clients are there: nobody is to publish before everybody has subscribed
}

// worker is a client, from one life to the next.
type worker interface {
	// open connects. What the client keeps of an earlier connection is its own.
	open(ctx context.Context, doors map[string]string) error
	// work works until the connection ends.
	work(l *life) error
	close()
	String() string
}

// crew is the clients of one life.
type crew struct {
	ledger  *ledger
	killed  atomic.Bool // connections may come to an end
	end     context.CancelFunc
	opened  chan struct{} // closed when all clients are there
	doors   map[string]string
	start   time.Duration // how long the process took to be ready
	running sync.WaitGroup
}

// hire lets workers work as soon as the process is ready, until it is killed.
func hire(p *gatewaytest.Process, workers []worker, ledger *ledger, last bool) *crew {
	ctx, end := context.WithCancel(context.Background())
	c := &crew{ledger: ledger, end: end, opened: make(chan struct{})}
	begin := time.Now()
	c.running.Go(func() {
		doors, err := p.Ready()
		if err != nil {
			c.fault("the start", err)
			return
		}
		c.start, c.doors = time.Since(begin), doors
		c.direct(&life{ctx: ctx, doors: doors, last: last, opened: c.opened}, workers)
	})
	return c
}

// direct opens all workers and then lets them work.
func (c *crew) direct(l *life, workers []worker) {
	var opening, working sync.WaitGroup
	for _, w := range workers {
		opening.Add(1)
		working.Go(func() {
			defer w.close()
			err := w.open(l.ctx, l.doors)
			opening.Done()
			if err == nil {
				err = w.work(l)
			}
			c.fault(w.String(), err)
		})
	}
	opening.Wait()
	close(c.opened)
	working.Wait()
}

// fault takes in why a worker has ended. That its connection has is no wonder once the process is killed.
func (c *crew) fault(who string, err error) {
	if err != nil && !c.killed.Load() {
		c.ledger.fault(fmt.Errorf("%s: %w", who, err))
	}
}

// expectKill says that the process is about to be killed.
func (c *crew) expectKill() { c.killed.Store(true) }

// wait waits until all workers have read what the process had still sent, and have ended.
func (c *crew) wait() {
	c.end()
	c.running.Wait()
}
