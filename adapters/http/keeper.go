package http

import (
	"sync"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/transport"
)

// keeper ends the locks that nobody settled in time and the stays that nobody came back to, and gives back what a node
// delivered too late for its request. One goroutine does it while at least one listener is served.
type keeper struct {
	locks *locks
	stays *stays
	late  transport.Mailbox[*intake]
	wake  chan struct{}

	mu      sync.Mutex // guards everything below; a leaf
	users   int        // calls of Serve under way
	stop    chan struct{}
	running sync.WaitGroup
}

func newKeeper(l *locks, s *stays) *keeper {
	k := &keeper{locks: l, stays: s, wake: make(chan struct{}, 1)}
	k.late.Init(k.poke)
	return k
}

// start makes sure that the keeper runs until leave is called, which waits for its end if nobody else needs it. The
// locks and stays that are then left end as if they had expired: their clients can no longer use them.
func (k *keeper) start() (leave func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.users++; k.users == 1 {
		k.stop = make(chan struct{})
		stop := k.stop
		k.running.Go(func() { k.run(stop) })
	}
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.users--; k.users == 0 {
			close(k.stop)
			k.running.Wait()
		}
	}
}

// runs tells whether a listener is served.
func (k *keeper) runs() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.users > 0
}

// release gives back what came to a sealed intake. It is called with a node's lock held.
func (k *keeper) release(in *intake) { k.late.Put(in) }

// poke makes the keeper look again.
func (k *keeper) poke() {
	select {
	case k.wake <- struct{}{}:
	default: // it is about to
	}
}

func (k *keeper) run(stop <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		for _, in := range k.late.Take() {
			in.releaseLate()
		}
		now := time.Now()
		expire(k.locks.due(now))
		end(k.stays.due(now))
		if at, ok := k.next(); ok {
			timer.Reset(time.Until(at))
		} else {
			timer.Stop()
		}
		select {
		case <-timer.C:
		case <-k.wake:
		case <-stop:
			expire(k.locks.all())
			end(k.stays.all())
			return
		}
	}
}

// next tells when the first lock or stay ends; ok is false when there is none.
func (k *keeper) next() (at time.Time, ok bool) {
	at, ok = k.locks.next()
	if other, waits := k.stays.next(); waits && (!ok || other.Before(at)) {
		return other, true
	}
	return at, ok
}

func end(all []*stay) {
	for _, s := range all {
		s.end()
	}
}

func expire(all []*lock) {
	for _, l := range all {
		l.settle(router.Fail(), nil)
	}
}
