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
	ended     [4]atomic.Uint64 // by State
	refused   [reasonCount]atomic.Uint64
	delivered atomic.Uint64
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

// Refused is the number of sent messages that were not accepted for a reason.
func (c *KindCounters) Refused(r Reason) uint64 { return c.refused[r].Load() }

// Delivered is the number of deliveries handed to receivers.
func (c *KindCounters) Delivered() uint64 { return c.delivered.Load() }

// Dropped is the number of messages that a receiver missed because it had no credit.
func (c *KindCounters) Dropped() uint64 { return c.dropped.Load() }
