package router

// holding is a message of an anycast address that a consumer has and has not settled. It hears the outcome itself, so
// nothing has to be looked up. After that it serves for another message, under the next tag.
type holding struct {
	node *anycast // its lock guards everything below

	delivery Delivery  // as its sender offered it
	consumer *consumer // nil while it is spare
	began    Instant   // when the consumer got it
	tag      uint64    // counts the messages it has served for
	newer    *holding  // of the same consumer
	older    *holding  // of the same consumer
}

var _ Settler = (*holding)(nil)

// hold notes that a consumer has a message, and gives this as the consumer gets it.
func (n *anycast) hold(d Delivery, c *consumer) Delivery {
	h := n.spare.Get().(*holding)
	h.tag++
	h.delivery, h.consumer, h.older, h.began = d, c, c.held, c.link.Begin()
	if h.older != nil {
		h.older.newer = h
	}
	c.held = h
	c.unsettled++
	return d.From(h, h.tag)
}

// letGo notes that the consumer does not have it any more, and gives the message as its sender offered it.
func (n *anycast) letGo(h *holding) Delivery {
	d, c := h.delivery, h.consumer
	if h.newer != nil {
		h.newer.older = h.older
	} else {
		c.held = h.older
	}
	if h.older != nil {
		h.older.newer = h.newer
	}
	c.unsettled--
	h.delivery, h.consumer, h.newer, h.older = Delivery{}, nil, nil, nil
	n.spare.Put(h)
	return d
}

// Settle implements Settler for what a consumer holds.
func (h *holding) Settle(tag uint64, o Outcome, done func(error)) {
	h.node.mu.Lock()
	defer h.node.mu.Unlock()
	if h.consumer == nil || h.tag != tag {
		if done != nil {
			done(Errorf(Conflict, "the delivery is no longer held"))
		}
		return
	}
	h.consumer.link.Settled(o, h.began)
	h.node.letGo(h).SettleThen(o, done)
}
