package router

import "slices"

// eager are senders whose stream has found no consumer free, each with what tells it to try again.
type eager map[*Sender]func()

// call tells all of them to try again: when a consumer may be free now, and when none may be left who takes streams.
func (e eager) call() {
	for s, retry := range e {
		delete(e, s)
		retry()
	}
}

// OfferStream implements Streamer. A stream does not wait here: it goes to a consumer that has credit and will begin with it
// at once. Messages that wait have theirs before; those that wait yet are for others. A Way can have several on it at a time.
func (n *anycast) OfferStream(d Delivery) Reception {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := n.match(d.To)
	n.handOut(d.To, all)
	able := slices.DeleteFunc(eligible(d, n.among(d, all), n.preference), func(c *consumer) bool { return !c.link.source.Streams })
	if len(able) == 0 {
		return WholeOnly
	}
	d.Stream.free = n.freed
	free := slices.DeleteFunc(able, func(c *consumer) bool { return c.link.way == nil && c.link.Streaming() })
	if n.assign(d, free) {
		return Taken
	}
	n.eager[d.sender()] = d.Stream.room
	return Busy
}

// freed hears that a consumer is done with a stream.
func (n *anycast) freed() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.eager.call()
}
