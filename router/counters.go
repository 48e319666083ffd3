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
	came       traffic          // from clients and containers
	presettled atomic.Uint64    // of those, that were sent settled
	ended      [4]atomic.Uint64 // by State
	settled    [4]atomic.Uint64 // of those, that were sent settled
	delayed    [2]atomic.Uint64 // that took longer than a second, and than ten
	refused    [reasonCount]atomic.Uint64
	delivered  atomic.Uint64
	onward     atomic.Uint64 // of those, to other routers
	supplied   atomic.Uint64 // and to containers; see Router.ForContainers
	dropped    atomic.Uint64
	redirected atomic.Uint64 // to the fallback
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

// traffic is a number of messages, and how many of them are of containers.
type traffic struct{ all, containers atomic.Uint64 }

// Came is the number of messages that have come over a protocol, and how many of them from containers; those from other routers
// are not among them.
func (c *KindCounters) Came() (all, containers uint64) {
	return c.came.all.Load(), c.came.containers.Load()
}

// Presettled is how many of those that came were sent settled.
func (c *KindCounters) Presettled() uint64 { return c.presettled.Load() }

// Asked is the number of sent messages that ended in a state and whose outcome somebody had asked for.
func (c *KindCounters) Asked(s State) uint64 {
	all := c.ended[s].Load()
	return all - min(c.settled[s].Load(), all)
}

// Lost is the number of messages that were sent settled and have not arrived.
func (c *KindCounters) Lost() uint64 {
	return c.settled[Released].Load() + c.settled[Rejected].Load() + c.settled[Modified].Load()
}

// Delayed gives how many messages had their outcome after more than one second, and after more than ten.
func (c *KindCounters) Delayed() (one, ten uint64) { return c.delayed[0].Load(), c.delayed[1].Load() }

// Onward is the number of deliveries to other routers, and Supplied that of those to containers; they are among Delivered.
func (c *KindCounters) Onward() uint64   { return c.onward.Load() }
func (c *KindCounters) Supplied() uint64 { return c.supplied.Load() }

// sent counts a message of a sender.
func (c *KindCounters) sent(l *listed, protocol string, settled bool) {
	if l.passes || protocol == "" { // from another router, or from the gateway itself
		return
	}
	c.came.all.Add(1)
	if l.container {
		c.came.containers.Add(1)
	}
	if settled {
		c.presettled.Add(1)
	}
}

// received counts a delivery to a receiver.
func (c *KindCounters) received(l *listed) {
	c.delivered.Add(1)
	switch {
	case l.passes:
		c.onward.Add(1)
	case l.container:
		c.supplied.Add(1)
	}
}

// Refused is the number of sent messages that were not accepted for a reason.
func (c *KindCounters) Refused(r Reason) uint64 { return c.refused[r].Load() }

// Delivered is the number of deliveries handed to receivers.
func (c *KindCounters) Delivered() uint64 { return c.delivered.Load() }

// Redirected is the number of sent messages that the fallback of their address has got, as nobody else wanted them.
func (c *KindCounters) Redirected() uint64 { return c.redirected.Load() }

// Dropped is the number of messages that a receiver missed because it had no credit.
func (c *KindCounters) Dropped() uint64 { return c.dropped.Load() }
