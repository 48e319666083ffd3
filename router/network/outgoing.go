package network

import (
	"context"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/wire"
	"github.com/manifoldmq/manifold/tenancy"
)

// outgoing takes what is sent to an address of ours to one of the broker's. It consumes from our address only while the
// broker has the link.
type outgoing struct {
	conn     *conn
	auto     *autoLink
	link     *engine.Link
	receiver *router.Receiver // nil before the broker has the link
	granted  int              // credit that the node has and has not used, or whose message is still in the mail
	held     int              // messages that the broker has and has not settled
	leaving  bool             // nothing new goes out, and the link ends when nothing is held
	ended    bool             // what still arrives is given back
	lost     []*held          // what the broker had not settled when the link ended
	download wire.Download
}

// held is a message that the broker has and has not settled.
type held struct{ delivery router.Delivery }

var (
	_ router.Consumer = (*outgoing)(nil)
	_ wire.Outlet     = (*outgoing)(nil)
	_ end             = (*outgoing)(nil)
)

// attached begins to consume.
func (out *outgoing) attached() {
	source := router.Source{
		Filter: out.auto.Address.Filter(), Subscription: out.auto.Subscription, Phase: &out.auto.Phase, Name: out.link.Name(), Streams: true,
	}
	if out.auto.Fallback {
		source.Phase = new(addressing.Fallback)
	}
	user, err := out.conn.insider(out.auto)
	if err == nil {
		n := out.conn.connector.network
		out.receiver, err = n.config.Router.ForContainers().Receiver(context.Background(), user, source, out)
	}
	if err != nil {
		out.link.Close(&frame.Error{Condition: frame.PreconditionFailed, Description: err.Error()})
		out.conn.refused(out.auto, err.Error())
		return
	}
	out.auto.leads(out.receiver.Number())
	out.auto.note(true, "")
	out.creditChanged() // the broker may have given credit with the attach
}

// insider is who we are in the tenant of a link.
func (k *conn) insider(l *autoLink) (*tenancy.Principal, error) {
	t, ok := k.connector.network.config.Directory.Lookup(l.Tenant)
	if !ok {
		return nil, router.Errorf(router.NotFound, "there is no tenant %q", l.Tenant)
	}
	return tenancy.InsiderOver(t, "connector:"+l.Connector, k.desk.Number), nil
}

// Deliver implements router.Consumer.
func (out *outgoing) Deliver(_ *router.Receiver, d router.Delivery) {
	out.conn.mail.arrivals.Put(arrival{link: out, delivery: d})
}

// creditChanged brings the node's credit in line with the broker's.
func (out *outgoing) creditChanged() {
	out.download.Continue()
	if out.receiver == nil || out.ended {
		return
	}
	want := out.link.Credit()
	if out.leaving {
		want = 0
	}
	if more := want - out.granted; more > 0 {
		out.granted += more
		out.receiver.Grant(more)
	}
	for out.granted > want && out.receiver.TakeBack() {
		out.granted--
	}
	if out.link.Draining() && !out.download.Busy() {
		out.drain()
	}
}

// drain gives back the credit for which there is nothing at hand.
func (out *outgoing) drain() {
	for out.receiver.TakeBack() {
		out.granted--
	}
	out.conn.sendArrivals()
	out.link.Drained()
}

// Arrived takes in a message from the node. It implements wire.Outlet.
func (out *outgoing) Arrived(d router.Delivery) {
	switch {
	case out.ended || out.leaving:
		out.granted--
		out.Finish(d, router.Release())
	case out.download.Busy():
		out.download.Behind(d)
	default:
		out.granted--
		if !out.send(d) {
			out.creditChanged()
		}
	}
}

// send gives a message to the engine. It reports false when that took no credit of the broker.
func (out *outgoing) send(d router.Delivery) bool {
	m, wanted := wire.Write(&d, time.Now, out.auto.Durable && d.Owned())
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
	err := out.link.Send(engine.Delivery{
		Payload: payload, More: more, Settled: !d.Owned() && d.Settled, Token: &held{d},
	})
	switch err {
	case nil:
		out.held++
		return true
	case engine.TooLarge:
		out.Finish(d, wire.TooLarge())
	default: // the credit has been taken back meanwhile, or the link ends
		out.Finish(d, router.Release())
	}
	return false
}

// GiveUp implements wire.Outlet.
func (out *outgoing) GiveUp(d router.Delivery, o router.Outcome) {
	out.held--
	out.Finish(d, o)
}

// Finish ends a delivery that the broker does not hold. It implements wire.Outlet.
func (out *outgoing) Finish(d router.Delivery, o router.Outcome) {
	if d.Stream != nil {
		defer out.download.Stop(d.Stream)
	}
	if d.Owned() {
		d.Settle(o)
	}
}

// progressed hears what became of a delivery.
func (out *outgoing) progressed(u engine.Update) {
	h := u.Token.(*held)
	o := router.Accept()
	switch u.Progress {
	case engine.Updated:
		if u.State == nil || !u.State.IsOutcome() {
			return
		}
		o = wire.Outcome(u.State) // the broker settles second [2.6.12]
		out.link.Settle(u.ID, frame.State{Kind: u.State.Kind})
	case engine.Settled:
		o = wire.Outcome(out.settledState(u.State))
	case engine.Lost:
		out.lost = append(out.lost, h)
		return
	case engine.Unsent:
		o = router.Release()
	}
	out.held--
	out.Finish(h.delivery, o)
	out.parted()
}

// settledState is what a settlement says: without a state of its own, the default outcome of the source [3.5.3].
func (out *outgoing) settledState(s *frame.State) *frame.State {
	if s != nil && s.Kind != frame.NoState {
		return s
	}
	if answer := out.link.Remote().Source; answer != nil {
		return &answer.DefaultOutcome
	}
	return nil
}

// leave has nothing new go out, and ends the link when the broker has settled what it has.
func (out *outgoing) leave() {
	out.leaving = true
	out.creditChanged()
	out.parted()
}

// parted ends a link that is to leave when nothing is left of it.
func (out *outgoing) parted() {
	if out.leaving && out.held == 0 && !out.ended && out.conn.stopping.IsZero() {
		out.link.Close(nil)
	}
}

func (out *outgoing) unfinished() int { return out.held }

// detached gives back what the broker had not settled, of which nobody knows whether it has it, and what was not sent.
func (out *outgoing) detached(d engine.Detachment) {
	out.ended, out.held = true, 0
	for _, h := range out.lost {
		out.Finish(h.delivery, router.Fail())
	}
	out.lost = nil
	out.download.End()
	if out.receiver != nil {
		out.receiver.Close()
	}
	out.conn.sendArrivals()
	out.conn.parted(out.auto, out.link, d)
}
