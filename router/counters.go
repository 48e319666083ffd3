package router

import (
	"sync/atomic"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/tenancy/register"
)

// Counters count what one tenant's messages came to. They only rise; reading them takes no lock.
type Counters struct {
	kinds [addressing.Topic + 1]KindCounters // by addressing.Kind
	links register.Of[lister]                // those that are open
}

// KindCounters count for one kind of address.
type KindCounters struct {
	came      atomic.Uint64    // from clients
	ended     [4]atomic.Uint64 // by State
	settled   [4]atomic.Uint64 // of those, that were sent settled
	delayed   [2]atomic.Uint64 // that took longer than a second, and than ten
	refused   [reasonCount]atomic.Uint64
	delivered atomic.Uint64
	onward    atomic.Uint64 // of those, to other routers
	dropped   atomic.Uint64
}

func (c *KindCounters) outcome(o Outcome) {
	c.ended[o.State].Add(1)
	if o.Reason != OK {
		c.refused[o.Reason].Add(1)
	}
}

// Kind gives the counters of one kind; the zero Kind counts receivers that span several.
func (c *Counters) Kind(k addressing.Kind) *KindCounters { return &c.kinds[k] }

// Ended is the number of sent messages that ended in a state.
func (c *KindCounters) Ended(s State) uint64 { return c.ended[s].Load() }

// Came is the number of messages that clients have sent.
func (c *KindCounters) Came() uint64 { return c.came.Load() }

// Presettled is the number of sent messages that ended in a state and whose outcome nobody had asked for.
func (c *KindCounters) Presettled(s State) uint64 { return c.settled[s].Load() }

// Delayed gives how many messages had their outcome after more than one second, and after more than ten.
func (c *KindCounters) Delayed() (one, ten uint64) { return c.delayed[0].Load(), c.delayed[1].Load() }

// Onward is the number of deliveries to other routers, which are among Delivered.
func (c *KindCounters) Onward() uint64 { return c.onward.Load() }

// Refused is the number of sent messages that were not accepted for a reason.
func (c *KindCounters) Refused(r Reason) uint64 { return c.refused[r].Load() }

// Delivered is the number of deliveries handed to receivers.
func (c *KindCounters) Delivered() uint64 { return c.delivered.Load() }

// Dropped is the number of messages that a receiver missed because it had no credit.
func (c *KindCounters) Dropped() uint64 { return c.dropped.Load() }
