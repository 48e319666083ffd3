package amqp

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// outgoing is a link on which the client receives.
type outgoing struct {
	conn     *conn
	link     *engine.Link
	receiver *router.Receiver
	release  func() // of the address that was made for the link; nil for none
	granted  int    // credit that the node has and has not used, or whose message is still in the mail
	ended    bool   // what still arrives is given back
}

// held is a message that the client has and has not settled.
type held struct{ delivery router.Delivery }

var (
	_ router.Consumer = (*outgoing)(nil)
	_ linkEnd         = (*outgoing)(nil)
)

// attachOutgoing answers a client that wants to receive.
func (c *conn) attachOutgoing(l *engine.Link) error {
	wish := l.Remote().Source
	if wish == nil {
		return router.Errorf(router.Malformed, "a source is required")
	}
	out := &outgoing{conn: c, link: l}
	answer := *wish
	answer.Filter = nil // none is offered, and one that is not applied is left out of the answer [3.5.3]
	if wish.Dynamic {
		var a addressing.Address
		a, out.release = c.server.config.Router.Temporary(c.user)
		answer.Address, answer.HasAddress = string(a), true
	}
	if err := out.open(&answer); err != nil {
		if out.release != nil {
			out.release()
		}
		return err
	}
	l.Context = out
	l.Accept(frame.Attach{Source: &answer})
	return nil
}

// open links to what the client receives from.
func (out *outgoing) open(s *frame.Source) error {
	c := out.conn
	source, err := sourceOf(s, c.Remote().ContainerID, out.link.Name())
	if err != nil {
		return err
	}
	if out.receiver, err = c.server.config.Router.Receiver(context.Background(), c.user, source, out); err != nil {
		return err
	}
	if s.DistributionMode == frame.DistributionCopy && out.receiver.Kind() == addressing.Queue {
		out.receiver.Close()
		return router.Errorf(router.Unsupported, "browsing is not offered yet (distribution-mode copy)")
	}
	return nil
}

// Deliver implements router.Consumer.
func (out *outgoing) Deliver(_ *router.Receiver, d router.Delivery) { out.conn.mail.arrive(out, d) }

// creditChanged brings the node's credit in line with the client's.
func (out *outgoing) creditChanged() {
	want := out.link.Credit()
	if more := want - out.granted; more > 0 {
		out.granted += more
		out.receiver.Grant(more)
	}
	for out.granted > want && out.receiver.Take() {
		out.granted--
	}
	if out.link.Draining() {
		out.drain()
	}
}

// drain waits a little for messages that the node may still be reading from disk, then gives the credit back.
func (out *outgoing) drain() {
	c := out.conn
	if slices.Contains(c.draining, out) {
		return
	}
	c.draining = append(c.draining, out)
	if c.drainAt.IsZero() {
		c.drainAt = time.Now().Add(c.server.config.Limits.DrainWait)
	}
}

// finishDrains ends the waiting of drain: what is in the mail is sent, then the rest of the credit goes back.
func (c *conn) finishDrains() {
	c.drainAt = time.Time{}
	c.sendArrivals()
	for _, out := range c.draining {
		if out.ended {
			continue
		}
		for out.receiver.Take() {
			out.granted--
		}
		out.link.Drained()
	}
	c.draining = nil
}

// sendArrivals gives to the engine what has come.
func (c *conn) sendArrivals() {
	for _, a := range c.mail.arrivals.Take() {
		a.link.send(a.delivery)
	}
}

// send gives a message to the engine.
func (out *outgoing) send(d router.Delivery) {
	out.granted--
	if d.Message.IsZero() { // dropped on arrival
		out.creditChanged()
		return
	}
	if out.ended {
		out.finish(d, router.Release())
		return
	}
	payload, wanted := encode(&d)
	if !wanted {
		out.finish(d, router.Reject(router.Unroutable, "expired"))
		out.creditChanged()
		return
	}
	h := out.conn.server.tokens.Get().(*held)
	h.delivery = d
	err := out.link.Send(engine.Delivery{Payload: payload, Settled: !d.Owned() && d.Settled, Token: h})
	if err == nil {
		return
	}
	out.forget(h)
	if err == engine.TooLarge {
		out.receiver.Drop()
		out.finish(d, router.Reject(router.TooLarge, "larger than the receiver's max-message-size"))
		out.creditChanged()
		return
	}
	if !d.Owned() {
		out.receiver.Drop()
	}
	out.finish(d, router.Release()) // the credit has been taken back meanwhile, or the link ends
}

// encode gives the bytes of a delivery: the message as it is, or with a header that tells of earlier attempts and of
// the time that is left. wanted is false for a message that has expired.
func encode(d *router.Delivery) (payload []byte, wanted bool) {
	if d.Attempts == 0 && d.Expires == 0 {
		return d.Message.Bytes(), true
	}
	header, err := d.Message.Header()
	if err != nil {
		return d.Message.Bytes(), true
	}
	header.DeliveryCount = d.Attempts
	if d.Expires > 0 && header.TTL > 0 {
		left := d.Expires - time.Now().UnixMilli()
		if left <= 0 {
			return nil, false
		}
		header.TTL = uint32(min(left, math.MaxUint32))
	}
	s := d.Message.Sections()
	dst := make([]byte, 0, d.Message.Len()+32)
	return d.Message.AppendRewritten(dst, header, s.DeliveryAnnotations, s.MessageAnnotations), true
}

// finish ends a delivery that the client does not hold.
func (out *outgoing) finish(d router.Delivery, o router.Outcome) {
	if d.Owned() {
		d.Settle(o)
	} else {
		out.conn.mail.shed.Add(-int64(d.Message.Len()))
	}
}

// progressed hears what became of a delivery.
func (out *outgoing) progressed(u engine.Update) {
	h, ok := u.Token.(*held)
	if !ok {
		return
	}
	o := router.Accept()
	switch u.Progress {
	case engine.Updated:
		// The receiver settles second: it has said how it will end and waits for us to settle [2.6.12].
		if u.State == nil || !u.State.IsOutcome() {
			return
		}
		o = outcomeOf(u.State)
		out.link.Settle(u.ID, frame.State{Kind: u.State.Kind})
	case engine.Settled:
		o = outcomeOf(out.settledState(u.State))
	case engine.Lost:
		o = router.Fail()
	case engine.Unsent:
		o = router.Release()
	}
	out.finish(h.delivery, o)
	out.forget(h)
}

// settledState is what a settlement says: without a state of its own, the default outcome of the source [3.5.3].
func (out *outgoing) settledState(s *frame.State) *frame.State {
	if s != nil && s.Kind != frame.NoState {
		return s
	}
	return &out.link.Local().Source.DefaultOutcome
}

func (out *outgoing) forget(h *held) {
	*h = held{}
	out.conn.server.tokens.Put(h)
}

func (out *outgoing) detached(d engine.Detachment) {
	out.ended = true
	out.conn.sendArrivals()
	out.receiver.Close()
	if out.release != nil {
		out.release()
	}
	source := out.receiver.Source()
	if d.Closed && d.By == engine.ByPeer && source.Subscription != "" && isDurable(out.link.Remote().Source) {
		c := out.conn
		if err := c.server.config.Router.Forget(context.Background(), c.user, source); err != nil {
			c.server.config.Log.Warn("a subscription cannot be ended",
				"tenant", c.user.Tenant.Name, "subscription", source.Subscription, "err", err)
		}
	}
}
