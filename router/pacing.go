package router

import (
	"sync"
	"sync/atomic"
	"time"
)

// pacing keeps back credit of a receiver whose tenant may be given only so much in a second: what is over a burst, and
// all of it while the tenant has been given too much. The nodes get it bit by bit, as the receiver is given messages and
// time passes. Its zero value keeps nothing back.
type pacing struct {
	withheld atomic.Int64

	mu    sync.Mutex  // guards everything below, and changes of withheld; a leaf
	timer *time.Timer // runs when something is withheld that is to be looked at again
	ended bool
}

// pass gives how much of n credit is to go on to the nodes now, and keeps the rest.
func (p *pacing) pass(r *Receiver, n int) int {
	wait, burst := r.principal.Allowance().Pace()
	if wait == 0 && burst == 0 && p.withheld.Load() == 0 {
		return n
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return 0
	}
	p.withheld.Add(int64(n))
	return p.next(r, wait, burst)
}

// next gives how much of what is withheld is to go on now, and sees to it that it is looked at again after wait.
func (p *pacing) next(r *Receiver, wait time.Duration, burst int) int {
	if wait > 0 {
		p.remind(r, wait)
		return 0
	}
	n := p.withheld.Load()
	if burst > 0 {
		n = min(n, max(int64(burst)-max(r.credit.Load(), 0), 0))
	}
	p.withheld.Add(-n)
	return int(n)
}

// delivered is called when a message has used up credit, so that there is room for some that is withheld.
func (p *pacing) delivered(r *Receiver) {
	if p.withheld.Load() == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	wait, _ := r.principal.Allowance().Pace()
	p.remind(r, wait)
}

// remind has what is withheld looked at again after wait, if that is not so already.
func (p *pacing) remind(r *Receiver, wait time.Duration) {
	const soonest = time.Millisecond // the node that has just delivered is still at work
	if p.timer == nil && !p.ended {
		p.timer = time.AfterFunc(max(wait, soonest), func() { p.release(r) })
	}
}

// release goes on when some time has passed.
func (p *pacing) release(r *Receiver) {
	wait, burst := r.principal.Allowance().Pace()
	n := 0
	p.mu.Lock()
	p.timer = nil
	if !p.ended && p.withheld.Load() > 0 {
		n = p.next(r, wait, burst)
	}
	p.mu.Unlock()
	r.give(n)
}

// takeBack takes back one credit that is withheld.
func (p *pacing) takeBack() bool {
	if p.withheld.Load() == 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.withheld.Load() == 0 {
		return false
	}
	p.withheld.Add(-1)
	return true
}

// holds tells whether something is withheld.
func (p *pacing) holds() bool { return p.withheld.Load() > 0 }

// end forgets what is withheld.
func (p *pacing) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.withheld.Store(0)
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
}
