package amqp

import (
	"context"
	"slices"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/wire"
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
	end      engine.Detachment
	lost     []*held // what the client had not settled when the link ended
	pledged  int     // deliveries that the client has settled in transactions that are open; the receiver is kept for them
	download wire.Download

	addressed bool // messages say which address they are of; see federate
}

// held is a message that the client has and has not settled.
type held struct {
	delivery router.Delivery
	answered bool        // the client settles second, has said how, and waits for us
	retired  *retirement // in a transaction; nil for none
}

var (
	_ router.Consumer = (*outgoing)(nil)
	_ linkEnd         = (*outgoing)(nil)
	_ wire.Outlet     = (*outgoing)(nil)
)

// attachOutgoing answers a client that wants to receive.
func (c *conn) attachOutgoing(l *engine.Link) error {
	out := &outgoing{conn: c, link: l}
	answer, err := out.open(l.Remote().Source)
	if err != nil {
		if out.release != nil {
			out.release()
		}
		return err
	}
	l.Context = out
	l.Accept(frame.Attach{Source: answer})
	if out.waits {
		out.receiver.Grant(c.server.config.Limits.SubscriptionCredit)
	}
	out.creditChanged() // a client may have given credit before it heard of the attach
	return nil
}

// open links to what the client receives from, and gives the source as it then is. Without a wish that is what the link
// had before.
func (out *outgoing) open(wish *frame.Source) (*frame.Source, error) {
	if wish == nil {
		source, answer, err := out.conn.lookUp(out.link)
		if err == nil {
			err = out.attach(source)
		}
		return answer, err
	}
	answer := *wish
	if wish.Dynamic {
		answer.Address, out.release = out.conn.makeTemporary(wish.Capabilities)
		answer.HasAddress, answer.DynamicNodeProperties = true, deleteOnClose()
	}
	f, err := readFilters(wish.Filter)
	if err == nil {
		err = out.connect(&answer, f)
	}
	if router.ReasonOf(err) == router.Conflict && out.rob() { // the same link was in the way
		err = out.connect(&answer, f)
	}
	if err != nil {
		return nil, err
	}
	out.describe(&answer, f)
	return &answer, nil
}

// connect makes the link's receiver as the client wants it.
func (out *outgoing) connect(s *frame.Source, f filters) error {
	source, err := out.sourceOf(s, f)
	if err != nil {
		return err
	}
	return out.attach(source)
}

// sourceOf reads what the client wants to receive.
func (out *outgoing) sourceOf(s *frame.Source, f filters) (source router.Source, err error) {
	c := out.conn
	source = router.Source{Kind: kindOf(s.Capabilities), Selector: f.selector, Streams: true, Priority: out.priority()}
	subscription := ""
	if source.Filter, subscription, err = parseSource(c.place(s.Address)); err != nil {
		return source, err
	}
	if f.noLocal {
		source.Except = c.Remote().ContainerID
	}
	source.Phase = c.sourcePhase(source.Filter, s.Capabilities)
	out.federate(&source)
	source.Browse = s.DistributionMode == frame.DistributionCopy && c.isQueue(source.Filter)
	return source, c.subscribe(&source, s, subscription, out.link.Name())
}

// attach makes the link's receiver.
func (out *outgoing) attach(source router.Source) (err error) {
	c := out.conn
	source.Name = out.link.Name()
	out.receiver, err = c.links().Receiver(context.Background(), c.user, source, out)
	if err != nil {
		return err
	}
	stored := out.receiver.Kind() == addressing.Queue || source.Subscription != ""
	out.waits = !stored && out.receiver.Kind() != addressing.Anycast
	if source.Subscription != "" {
		c.server.owners.Take(out.name(), out)
	}
	return nil
}

// describe says in the answer what the source is now: what could not be had is left out [3.5.3].
func (out *outgoing) describe(answer *frame.Source, f filters) {
	source, kind := out.receiver.Source(), out.receiver.Kind()
	answer.Filter = f.applied(out.waits || source.Subscription != "")
	answer.DistributionMode = frame.DistributionMove
	if source.Browse || out.waits || source.Subscription != "" {
		answer.DistributionMode = frame.DistributionCopy
	}
	answer.Durable, answer.ExpiryPolicy = kept(source.Subscription != "" && isDurable(answer))
	answer.Timeout = 0
	asked := answer.Capabilities
	answer.Capabilities = capabilitiesOf(kind, asked)
	if source.Phase != nil {
		answer.Capabilities = append(answer.Capabilities, phased(asked)...)
	}
	for _, c := range []codec.Symbol{sharedCapability, globalCapability} {
		if source.Shared && slices.Contains(asked, c) {
			answer.Capabilities = append(answer.Capabilities, c)
		}
	}
}

// Deliver implements router.Consumer.
func (out *outgoing) Deliver(_ *router.Receiver, d router.Delivery) { out.conn.mail.arrive(out, d) }

// creditChanged makes use of the client's credit.
func (out *outgoing) creditChanged() {
	out.download.Continue()
	if out.acquires() {
		out.link.Close(&frame.Error{
			Condition: frame.NotImplemented, Description: "transactional acquisition is not offered: settle in the transaction",
		})
		return
	}
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
	for out.granted > want && out.receiver.TakeBack() {
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
	for !out.waits && out.receiver.TakeBack() {
		out.granted--
	}
	out.conn.sendArrivals() // what came between the last look and the taking
	out.drainBy = time.Time{}
	out.link.Drained()
}

// sendArrivals gives to the engine what has come.
func (c *conn) sendArrivals() {
	for _, a := range c.mail.arrivals.Take() {
		a.link.Arrived(a.delivery)
	}
}

// Arrived takes in a message from the node. It implements wire.Outlet.
func (out *outgoing) Arrived(d router.Delivery) {
	dropped := d.Message.IsZero()
	switch {
	case out.ended:
		out.Finish(d, router.Release())
	case out.waits && dropped:
		out.receiver.Grant(1)
	case out.waits && d.Due > time.Now().UnixMilli():
		out.conn.delay(arrival{link: out, delivery: d})
	case out.waits:
		out.waiting = append(out.waiting, d)
		out.sendWaiting()
	case out.download.Busy():
		out.download.Behind(d)
	default:
		out.granted--
		if (dropped || !out.send(d)) && out.drainBy.IsZero() {
			out.passCredit()
		}
	}
}

// send gives a message to the engine. It reports false when that took no credit of the client.
func (out *outgoing) send(d router.Delivery) bool {
	out.address(&d)
	if a := out.conn.server.entrance.Annotations; a != nil {
		d.Message = a.Out(&d)
	}
	m, wanted := wire.Write(&d, time.Now, false)
	if !wanted {
		out.Finish(d, router.Reject(router.Unroutable, "expired"))
		return false
	}
	if d.Stream != nil {
		return out.download.Start(out, out.link, d, m.Bytes(), func() { out.conn.mail.streams.Put(out) })
	}
	return out.SendBytes(d, m.Bytes(), false)
}

// SendBytes implements wire.Outlet.
func (out *outgoing) SendBytes(d router.Delivery, payload []byte, more bool) bool {
	h := out.conn.server.tokens.Get().(*held)
	h.delivery = d
	err := out.link.Send(engine.Delivery{Payload: payload, More: more, Settled: !d.Owned() && d.Settled, Token: h})
	switch err {
	case nil:
		return true
	case engine.TooLarge:
		out.GiveUp(d, wire.TooLarge())
	default: // the credit has been taken back meanwhile, or the link ends
		out.Finish(d, router.Release())
	}
	out.forget(h)
	return false
}

// GiveUp implements wire.Outlet.
func (out *outgoing) GiveUp(d router.Delivery, o router.Outcome) {
	if o.Reason == router.TooLarge {
		out.receiver.Drop()
	}
	out.Finish(d, o)
}

// Finish ends a delivery that the client does not hold. It implements wire.Outlet.
func (out *outgoing) Finish(d router.Delivery, o router.Outcome) {
	if d.Stream != nil {
		defer out.download.Stop(d.Stream)
	}
	if d.Owned() {
		d.Settle(o)
	} else if out.waits {
		out.conn.mail.shed.Add(-int64(d.Message.Len()))
	}
}

// progressed hears what became of a delivery.
func (out *outgoing) progressed(u engine.Update) {
	h, ok := u.Token.(*held)
	if !ok || out.transacted(h, u) {
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
		o = wire.Outcome(out.settledState(u.State))
	case engine.Lost:
		out.lost = append(out.lost, h)
		return
	case engine.Unsent:
		o = router.Release()
	}
	out.Finish(h.delivery, o)
	out.forget(h)
}

// settleSecond answers a client that has said how a delivery ends and waits for us to settle [2.6.12]: we do when that
// is safe.
func (out *outgoing) settleSecond(h *held, u engine.Update) {
	h.answered = true
	s := settlement{link: out, held: h, id: u.ID, state: frame.State{Kind: u.State.Kind}}
	if !h.delivery.Owned() {
		out.Finish(h.delivery, router.Accept())
		out.settled(s)
		return
	}
	h.delivery.SettleThen(wire.Outcome(u.State), func(err error) {
		if err != nil {
			s.state = frame.State{Kind: frame.Rejected, Error: wire.Error(err)}
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
	return out.conn.server.config.Manner.silent(&out.link.Local().Source.DefaultOutcome)
}

// discard forgets a delivery whose end is settled elsewhere.
func (out *outgoing) discard(h *held) {
	if !h.delivery.Owned() {
		out.Finish(h.delivery, router.Accept())
	}
	out.forget(h)
}

func (out *outgoing) forget(h *held) {
	*h = held{}
	out.conn.server.tokens.Put(h)
}

func (out *outgoing) detached(d engine.Detachment) {
	if !out.ended {
		out.leave(d)
		out.closeReceiver()
	}
}

// farewell ends the link before its client is told so, who closes it for good. The error is why that did not end the
// subscription with it.
func (out *outgoing) farewell(d engine.Detachment) *frame.Error {
	out.leave(d)
	if err := out.closeReceiver(); err != nil {
		return wire.Error(err)
	}
	return nil
}

// leave gives back what the client had not settled, and what it did not get.
func (out *outgoing) leave(d engine.Detachment) {
	out.ended, out.end = true, d
	for _, h := range out.lost {
		out.Finish(h.delivery, out.conn.server.config.Manner.unsettled(d))
		out.forget(h)
	}
	out.lost = nil
	out.download.End()
	for out.pledged > 0 && out.receiver.TakeBack() { // nothing more is to come for a receiver that is kept
	}
	out.conn.sendArrivals()
	for _, d := range out.waiting {
		out.Finish(d, router.Release())
	}
	out.waiting = nil
	out.conn.dropDelayed(out)
}

// closeReceiver leaves the node when the link has ended, and no transaction may yet give something back. The error is
// why its subscription does not end with it.
func (out *outgoing) closeReceiver() error {
	if !out.ended || out.pledged > 0 {
		return nil
	}
	out.receiver.Close()
	if out.release != nil {
		out.release()
	}
	if out.receiver.Source().Subscription == "" {
		return nil
	}
	out.conn.server.owners.Release(out.name(), out)
	return out.endSubscription()
}

// endSubscription ends the durable subscription of a durable source that its client closes, for good [3.5.6].
func (out *outgoing) endSubscription() error {
	if !out.end.Closed || out.end.By != engine.ByPeer || !isDurable(out.link.Local().Source) {
		return nil
	}
	c, source := out.conn, out.receiver.Source()
	err := c.forget(source)
	if router.ReasonOf(err) == router.Internal {
		c.server.config.Log.Warn("a subscription cannot be ended",
			"tenant", c.user.Tenant.Name, "subscription", source.Subscription, "err", err)
	}
	return err
}
