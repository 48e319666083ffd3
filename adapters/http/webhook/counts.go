package webhook

import (
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/router"
)

// counts are the figures of one hook. They go on when it is declared anew.
type counts struct {
	accepted, rejected, failed atomic.Uint64
	nanoseconds                atomic.Int64 // of all requests
	posting, waiting           atomic.Int64
	attached, stopped          atomic.Bool
}

// count notes what a request came to.
func (c *counts) count(v verdict, o router.Outcome, took time.Duration) {
	c.nanoseconds.Add(int64(took))
	switch o.State {
	case router.Accepted:
		c.accepted.Add(1)
	case router.Rejected:
		c.rejected.Add(1)
	default:
		c.failed.Add(1)
	}
	if v.action == stop {
		c.stopped.Store(true)
	}
}

// Figure is what there is to tell about one hook.
type Figure struct {
	Tenant, Name string

	Accepted uint64 // messages that its server has taken
	Rejected uint64 // messages that it will not take
	Failed   uint64 // tries after which a message went back to its queue
	Spent    time.Duration
	Posting  int  // requests under way
	Waiting  int  // messages that wait to be tried again
	Running  bool // it takes messages: it has what it takes from, and its server has not said that it is gone
}

func (c *counts) figure(k key) Figure {
	return Figure{
		Tenant: k.tenant, Name: k.name,
		Accepted: c.accepted.Load(), Rejected: c.rejected.Load(), Failed: c.failed.Load(),
		Spent:   time.Duration(c.nanoseconds.Load()),
		Posting: int(c.posting.Load()), Waiting: int(c.waiting.Load()),
		Running: c.attached.Load() && !c.stopped.Load(),
	}
}
