package gateway

import (
	"context"
	"slices"
	"sync"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/router"
)

// madeDoors are AMQP listeners that management has opened. They last as long as the process, and drain as the other doors
// do.
type madeDoors struct {
	mu    sync.Mutex // guards everything below; a leaf
	all   []*madeDoor
	begin func(*madeDoor) // has a door serve; nil before run, which has those serve that were made till then
	ended bool            // run has
}

// madeDoor is one of them.
type madeDoor struct {
	door
	declared config.AMQPListener
	profile  string // by which it is secured; empty for none
	close    context.CancelFunc
}

// run has the doors serve until ctx ends, and waits for them.
func (m *madeDoors) run(ctx context.Context) error {
	var serving sync.WaitGroup
	m.mu.Lock()
	m.begin = func(d *madeDoor) {
		ctx, closeDoor := context.WithCancel(ctx)
		d.close = closeDoor
		serving.Go(func() {
			defer closeDoor()
			_ = d.door.run(ctx) // it has been closed
		})
	}
	for _, d := range m.all {
		m.begin(d)
	}
	m.mu.Unlock()
	<-ctx.Done()
	m.mu.Lock()
	m.ended = true
	m.mu.Unlock()
	serving.Wait()
	return nil
}

// add has a door serve whose listener is open.
func (m *madeDoors) add(d *madeDoor) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended {
		return router.Errorf(router.Stopping, "the gateway is stopping")
	}
	d.close = func() { d.listener.Close() }
	m.all = append(m.all, d)
	if m.begin != nil {
		m.begin(d)
	}
	return nil
}

// remove closes a door: its clients may finish until the drain timeout. It is false if there is none of this name.
func (m *madeDoors) remove(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.all, func(d *madeDoor) bool { return d.declared.Name == name })
	if i < 0 {
		return false
	}
	m.all[i].close()
	m.all = slices.Delete(m.all, i, i+1)
	return true
}

// list gives the doors of now.
func (m *madeDoors) list() []*madeDoor {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.all)
}
