package network

import (
	"bytes"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

const (
	controlCredit = 250    // packets that may be on their way to us, or wait for the mesh
	maxControl    = 10_000 // packets that may wait for the credit of the other side
)

// control is the pair of links over which routers speak of the network. The mesh knows the connection when both are there.
type control struct {
	out *controlOut
	in  *controlIn
}

// send sends a packet, now or when there is credit.
func (c *control) send(p protocol.Packet) {
	switch {
	case c.out == nil: // the mesh has not heard yet that it has ended
	case len(c.out.waiting) == maxControl:
		c.out.refuseAll("it takes no messages of the control plane")
	default:
		c.out.waiting = append(c.out.waiting, p)
		c.out.sendable()
	}
}

// controlOut is the link that we tell on.
type controlOut struct {
	*neighbor
	tally   tally
	link    *engine.Link
	waiting []protocol.Packet // for credit
}

// controlIn is the link that we hear on.
type controlIn struct {
	*neighbor
	tally  tally
	link   *engine.Link
	warned bool // that something could not be read
}

var (
	_ trunk = (*controlOut)(nil)
	_ trunk = (*controlIn)(nil)
)

func (c *controlOut) bind(l *engine.Link) { c.link = l }
func (c *controlIn) bind(l *engine.Link)  { c.link = l }

func (c *controlOut) attached() {
	c.control.out = c
	c.controlAttached()
}

func (c *controlIn) attached() {
	c.control.in = c
	c.link.Grant(controlCredit)
	c.controlAttached()
}

// controlAttached tells the mesh when both links are there.
func (k *neighbor) controlAttached() {
	if k.control.in != nil && k.control.out != nil {
		k.mesh.up(k)
	}
}

// Without its control links a connection is of no use: it is made anew.
func (c *controlOut) detached() { c.controlDetached() }
func (c *controlIn) detached()  { c.controlDetached() }

func (k *neighbor) controlDetached() {
	k.control = control{}
	k.refuseAll("a control link has ended")
}

func (c *controlOut) sendable() {
	for len(c.waiting) > 0 && c.link.Credit() > 0 {
		p := c.waiting[0]
		c.waiting = c.waiting[1:]
		if err := c.link.Send(engine.Delivery{Payload: p.Append(nil), Settled: true}); err != nil {
			c.log.Warn("message of the control plane not sent", "opcode", p.Message.Opcode(), "err", err)
			continue
		}
		c.tally.begins(true)
	}
}

func (c *controlOut) received(*engine.Transfer) {}
func (c *controlIn) sendable()                  {}

func (c *controlOut) progressed(u engine.Update) {
	if u.Progress == engine.Updated {
		c.link.Settle(u.ID, frame.State{Kind: frame.Accepted})
	}
}

func (c *controlIn) received(t *engine.Transfer) {
	payload := t.Payload
	if !t.Owned {
		payload = bytes.Clone(payload)
	}
	if !t.Settled {
		c.link.Settle(t.ID, frame.State{Kind: frame.Accepted})
	}
	c.tally.begins(true)
	p, err := protocol.Parse(payload)
	if err != nil {
		c.taken()
		if !c.warned {
			c.warned = true
			c.log.Warn("a neighbour speaks of the network in a way that is not understood", "err", err)
		}
		return
	}
	c.mesh.received(c, p)
}

// taken gives the other side back the credit for a packet that is dealt with.
func (c *controlIn) taken() { c.link.Grant(1) }

func (c *controlIn) progressed(engine.Update) {}
