package router

import "slices"

// consumer is a receiver as a node sees it that gives each message to one of several.
type consumer struct {
	link      *Receiver
	fallback  bool // it gets what no other wants
	unsettled int
	ready     bool     // to take something; see look
	turn      uint64   // when it was last chosen
	held      *holding // of an anycast address, the newest; nil for none
}

// assignment is a message that one consumer holds.
type assignment struct {
	delivery Delivery // as its sender offered it
	consumer *consumer
	began    Instant
}

// wants tells whether a message is one that the consumer asked for, and that it leads on for if it is a way.
func (c *consumer) wants(d Delivery) bool {
	return c.link.source.Selector.Matches(d.Message) && c.link.leads(d)
}

// cost is what it costs to have the consumer take a message: nothing, but for a way. It is false for one that it does not
// want.
func (c *consumer) cost(d Delivery) (cost int64, wanted bool) {
	if c.link.way == nil {
		return 0, c.link.source.Selector.Matches(d.Message)
	}
	return c.link.cost(d)
}

// wanted tells whether any of the consumers asked for a message.
func wanted(d Delivery, consumers []*consumer) bool {
	return slices.ContainsFunc(consumers, func(c *consumer) bool { return c.wants(d) })
}

// selective tells whether any of the consumers takes only some of the messages.
func selective(consumers []*consumer) bool {
	return slices.ContainsFunc(consumers, func(c *consumer) bool {
		return c.link.source.Selector != nil || c.link.way != nil
	})
}

// preference says which of the consumers that want a message is to have it.
type preference uint8

const (
	leastBusy    preference = iota // who has credit, where the sum of the cost and of what is unsettled is the least
	nearestReady                   // who has credit, at the least cost
	nearest                        // at the least cost, also if it has to be waited for
)

// look notes which of the consumers have credit when a node begins to hand out what waits. Credit that comes meanwhile is for the next
// time, which follows (Node.Grant): it might be there for a message when those before it have just found none.
func look(consumers []*consumer) {
	for _, c := range consumers {
		c.ready = c.link.HasCredit()
	}
}

// able tells whether a consumer that was ready has credit left.
func (c *consumer) able() bool {
	c.ready = c.ready && c.link.HasCredit()
	return c.ready
}

// eligible keeps those of the consumers that want a message and of whom none has to be passed over for another, also while they have no
// credit. It works in place.
func eligible(d Delivery, consumers []*consumer, p preference) []*consumer {
	var least int64
	kept := consumers[:0]
	for _, c := range consumers {
		cost, wanted := c.cost(d)
		if p == nearest && wanted && (len(kept) == 0 || cost < least) {
			least, kept = cost, kept[:0]
		}
		if wanted && (p != nearest || cost == least) {
			kept = append(kept, c)
		}
	}
	return kept
}

// choose picks among the consumers that want a message. Ties go to the one that has waited longest, so that they take turns. It
// is nil when there is none with credit, or none that is preferred.
func choose(d Delivery, consumers []*consumer, p preference) *consumer {
	var best *consumer
	var least int64
	ready := false // best has credit
	for _, c := range consumers {
		able := c.able()
		if !able && p != nearest {
			continue
		}
		load, wanted := c.cost(d)
		if p == leastBusy {
			load += int64(c.unsettled)
		}
		switch {
		case !wanted || best != nil && load > least:
		case best == nil || load < least || able && !ready || able == ready && c.turn < best.turn:
			best, least, ready = c, load, able
		}
	}
	if !ready {
		return nil
	}
	return best
}

// handOut assigns the messages of a queue in their order, as long as a consumer has credit, and gives what is left.
func handOut(queue []Delivery, consumers []*consumer, assign func(Delivery) bool) []Delivery {
	kept, i := 0, 0
	for ; i < len(queue) && slices.ContainsFunc(consumers, (*consumer).able); i++ {
		if !assign(queue[i]) {
			queue[kept] = queue[i]
			kept++
		}
	}
	if kept > 0 {
		return slices.Delete(queue, kept, i)
	}
	clear(queue[:i])
	return queue[i:]
}
