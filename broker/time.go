package broker

// schedule tells the clock when the queue wants to be woken: not before it is known what becomes of what has expired.
func (n *queueNode) schedule() {
	at, ok := n.machine.Deadline()
	if !ok {
		at = 0
	}
	if at != n.wakeAt && n.configured && !n.retired {
		n.wakeAt = at
		n.broker.clock.set(n, at)
	}
}

// tick is called by the clock when the time has come.
func (n *queueNode) tick() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.retired {
		return
	}
	n.wakeAt = 0
	n.advance()
}

// advance does what is to be done by now.
func (n *queueNode) advance() {
	n.expire(n.machine.Advance(now()))
	n.handOut()
}
