package router

import "slices"

// consumer is a receiver as a node sees it that gives each message to one of several.
type consumer struct {
	link      *Receiver
	unsettled int
	turn      uint64   // when it was last chosen
	held      *holding // of an anycast address, the newest; nil for none
}

// assignment is a message that one consumer holds.
type assignment struct {
	delivery Delivery // as its sender offered it
	consumer *consumer
}

// wants tells whether a message is one that the consumer asked for.
func (c *consumer) wants(d Delivery) bool { return c.link.source.Selector.Matches(d.Message) }

// wanted tells whether any of the consumers asked for a message.
func wanted(d Delivery, consumers []*consumer) bool {
	return slices.ContainsFunc(consumers, func(c *consumer) bool { return c.wants(d) })
}

// selective tells whether any of the consumers takes only some of the messages.
func selective(consumers []*consumer) bool {
	return slices.ContainsFunc(consumers, func(c *consumer) bool { return c.link.source.Selector != nil })
}

// choose picks among the consumers with credit that want a message: balanced takes the one with the least unsettled,
// otherwise they take turns. Ties go to the one that has waited longest. It is nil when there is none.
func choose(d Delivery, consumers []*consumer, balanced bool) *consumer {
	var best *consumer
	for _, c := range consumers {
		switch {
		case !c.link.HasCredit() || !c.wants(d):
		case best == nil:
			best = c
		case balanced && c.unsettled != best.unsettled:
			if c.unsettled < best.unsettled {
				best = c
			}
		case c.turn < best.turn:
			best = c
		}
	}
	return best
}

// handOut assigns the messages of a queue in their order, as long as a consumer has credit, and gives what is left.
func handOut(queue []Delivery, consumers []*consumer, assign func(Delivery) bool) []Delivery {
	kept, i := 0, 0
	for ; i < len(queue) && slices.ContainsFunc(consumers, func(c *consumer) bool { return c.link.HasCredit() }); i++ {
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
