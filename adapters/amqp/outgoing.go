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

// outgoing is a link on which the client receives. What a queue or an anycast address has for it waits there until the
// client gives credit. A topic or a broadcast address keeps nothing: what it has waits here, within bounds, so that a client
// whose credit is on its way does not miss what is published meanwhile.
type outgoing struct {
	conn     *conn
	link     *engine.Link
	receiver *router.Receiver
	release  func() // of the address that was made for the link; nil for none
	waits    bool   // messages wait here and not at the node
	waiting  []router.Delivery
	drainBy  time.Time // when it stops waiting for a drain; zero when there is none
	granted  int       // credit that the node has and has not used, or whose message is still in the mail
	ended    bool      // what still arrives is given back
}

// held is a message that the client has and has not settled.
type held struct {
	delivery router.Delivery
	answered bool // the client settles second, has said how, and waits for us
}

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
	if out.waits {
		out.receiver.Grant(c.server.config.Limits.SubscriptionCredit)
	}
	out.creditChanged() // a client may have given credit before it heard of the attach
	return nil
}

// open links to what the client receives from.
func (out *outgoing) open(s *frame.Source) error {
	c := out.conn
	source, err := sourceOf(s, c.Remote().ContainerID, out.link.Name())
	if err != nil {
		return err
	}
	if err := out.attach(source); err != nil {
		return err
	}
	if s.DistributionMode == frame.DistributionCopy && out.receiver.Kind() == addressing.Queue {
		out.receiver.Close()
		return router.Errorf(router.Unsupported, "browsing is not offered yet (distribution-mode copy)")
	}
	stored := out.receiver.Kind() == addressing.Queue || source.Subscription != ""
	out.waits = !stored && out.receiver.Kind() != addressing.Anycast
	return nil
}

// attach makes the link's receiver. If it is refused because the same link is attached on another connection, that one
// ends.
func (out *outgoing) attach(source router.Source) (err error) {
	c := out.conn
	link := func() error {
		out.receiver, err = c.server.config.Router.Receiver(context.Background(), c.user, source, out)
		return err
	}
	if source.Subscription == "" {
		return link()
	}
	if router.ReasonOf(link()) == router.Conflict && c.server.owners.rob(out.name()) {
		err = link()
	}
	if err == nil {
		c.server.owners.take(out.name(), out)
	}
	return err
}

// Deliver implements router.Consumer.
func (out *outgoing) Deliver(_ *router.Receiver, d router.Delivery) { out.conn.mail.arrive(out, d) }

// creditChanged makes use of the client's credit.
func (out *outgoing) creditChanged() {
	if out.waits {
		out.sendWaiting()
	} else {
		out.passCredit()
	}
	if out.link.Draining() {
		out.drain()
	}
}

// passCredit brings the node's credit in line with the client's.
func (out *outgoing) passCredit() {
	want := out.link.Credit()
	if more := want - out.granted; more > 0 {
		out.granted += more
		out.receiver.Grant(more)
	}
	for out.granted > want && out.receiver.Take() {
		out.granted--
	}
}

// sendWaiting sends what waits here, as far as there is credit, and lets as many more come.
func (out *outgoing) sendWaiting() {
	n := min(len(out.waiting), out.link.Credit())
	for _, d := range out.waiting[:n] {
		out.send(d)
	}
	clear(out.waiting[:n])
	if out.waiting = out.waiting[n:]; len(out.waiting) == 0 {
		out.waiting = nil
	}
	out.receiver.Grant(n)
}

// How long a drain waits for messages that the node is fetching, and how often it looks.
const (
	drainPatience = 5 * time.Second
	drainInterval = 10 * time.Millisecond
)

// drain remembers that the receiver wants its credit used up or given back. What the node had at hand is in the mail
// already; see finishDrains.
func (out *outgoing) drain() {
	if out.drainBy.IsZero() {
		out.drainBy = time.Now().Add(drainPatience)
		out.conn.draining = append(out.conn.draining, out)
	}
}

// finishDrains gives back the credit of those links whose node has nothing more for them.
func (c *conn) finishDrains() {
	if len(c.draining) == 0 {
		return
	}
	now := time.Now()
	c.draining = slices.DeleteFunc(c.draining, func(out *outgoing) bool {
		if !out.ended && !out.waits && out.receiver.Pending() && now.Before(out.drainBy) {
			return false
		}
		out.drained()
		return true
	})
	c.drainAt = time.Time{}
	if len(c.draining) > 0 {
		c.drainAt = now.Add(drainInterval)
	}
}

func (out *outgoing) drained() {
	if out.ended {
		return
	}
	for !out.waits && out.receiver.Take() {
		out.granted--
	}
	out.conn.sendArrivals() // what came between the last look and the taking
	out.drainBy = time.Time{}
	out.link.Drained()
}

// sendArrivals gives to the engine what has come.
func (c *conn) sendArrivals() {
	for _, a := range c.mail.arrivals.Take() {
		a.link.arrived(a.delivery)
	}
}

// arrived takes in a message from the node.
func (out *outgoing) arrived(d router.Delivery) {
	dropped := d.Message.IsZero()
	switch {
	case out.ended:
		out.finish(d, router.Release())
	case out.waits && dropped:
		out.receiver.Grant(1)
	case out.waits:
		out.waiting = append(out.waiting, d)
		out.sendWaiting()
	default:
		out.granted--
		if (dropped || !out.send(d)) && out.drainBy.IsZero() {
			out.passCredit()
		}
	}
}

// send gives a message to the engine. It reports false when that took no credit of the client.
func (out *outgoing) send(d router.Delivery) bool {
	payload, wanted := encode(&d)
	if !wanted {
		out.finish(d, router.Reject(router.Unroutable, "expired"))
		return false
	}
	h := out.conn.server.tokens.Get().(*held)
	h.delivery = d
	err := out.link.Send(engine.Delivery{Payload: payload, Settled: !d.Owned() && d.Settled, Token: h})
	switch err {
	case nil:
		return true
	case engine.TooLarge:
		out.receiver.Drop()
		out.finish(d, router.Reject(router.TooLarge, "larger than the receiver's max-message-size"))
	default: // the credit has been taken back meanwhile, or the link ends
		out.finish(d, router.Release())
	}
	out.forget(h)
	return false
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
		if u.State != nil && u.State.IsOutcome() && !h.answered {
			out.settleSecond(h, u)
		}
		return
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

// settleSecond answers a client that has said how a delivery ends and waits for us to settle [2.6.12]: we do when that
// is safe.
func (out *outgoing) settleSecond(h *held, u engine.Update) {
	h.answered = true
	s := settlement{link: out, held: h, id: u.ID, state: frame.State{Kind: u.State.Kind}}
	if !h.delivery.Owned() {
		out.finish(h.delivery, router.Accept())
		out.settled(s)
		return
	}
	h.delivery.SettleThen(outcomeOf(u.State), func(err error) {
		if err != nil {
			s.state = frame.State{Kind: frame.Rejected, Error: errorOf(err)}
		}
		out.conn.mail.settlements.Put(s)
	})
}

// settled tells the client, unless the delivery has ended otherwise meanwhile.
func (out *outgoing) settled(s settlement) {
	if out.link.Settle(s.id, s.state) {
		out.forget(s.held)
	}
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
	for _, d := range out.waiting {
		out.finish(d, router.Release())
	}
	out.waiting = nil
	out.receiver.Close()
	if out.release != nil {
		out.release()
	}
	if out.receiver.Source().Subscription != "" {
		out.conn.server.owners.release(out.name(), out)
		out.endSubscription(d)
	}
}

// endSubscription ends the durable subscription of a durable source that its client closes, for good [3.5.6].
func (out *outgoing) endSubscription(d engine.Detachment) {
	if !d.Closed || d.By != engine.ByPeer || !isDurable(out.link.Remote().Source) {
		return
	}
	c, source := out.conn, out.receiver.Source()
	if err := c.server.config.Router.Forget(context.Background(), c.user, source); err != nil {
		c.server.config.Log.Warn("a subscription cannot be ended",
			"tenant", c.user.Tenant.Name, "subscription", source.Subscription, "err", err)
	}
}
