package network

import (
	"context"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/federation"
	"github.com/manifoldmq/manifold/router/wire"
)

// pushing takes what is sent to addresses of ours to another network. It consumes from them only while that has the link.
type pushing struct {
	conn     *conn
	auto     *autoLink
	link     *engine.Link
	receiver *router.Receiver  // nil before the other network has the link
	granted  int               // credit that the node has and has not used, or whose message is still in the mail
	sent     int               // messages that the other network has and has not settled
	back     []router.Delivery // messages that go back when the rest is over
	rest     rest
	leaving  bool // nothing new goes out, and the link ends when nothing is under way
	ended    bool // what still arrives is given back
}

// pushed is a message that a node handed to a bridge.
type pushed struct {
	link     *pushing
	delivery router.Delivery
}

// crossing is a message that the other network has and has not settled.
type crossing struct{ delivery router.Delivery }

var (
	_ router.Consumer = (*pushing)(nil)
	_ sending         = (*pushing)(nil)
	_ patient         = (*pushing)(nil)
)

// attached begins to consume.
func (p *pushing) attached() {
	f := p.auto.federated
	source := router.Source{
		Filter: f.Source, Kind: f.Kind, Via: federation.PathOf(f.peerTag()), Identified: true,
	}
	if f.Durable {
		source.Subscription = f.linkName("")
	}
	user, err := p.conn.insider(p.auto)
	if err == nil {
		n := p.conn.connector.network
		p.receiver, err = n.config.Router.Receiver(context.Background(), user, source, p)
	}
	if err != nil {
		p.link.Detach()
		p.conn.refused(p.auto, err.Error())
		return
	}
	p.auto.note(true, "")
	p.creditChanged() // the other network may have given credit with the attach
}

// Deliver implements router.Consumer.
func (p *pushing) Deliver(_ *router.Receiver, d router.Delivery) {
	p.conn.mail.pushes.Put(pushed{link: p, delivery: d})
}

// creditChanged brings the node's credit in line with that of the other network.
func (p *pushing) creditChanged() {
	if p.receiver == nil || p.ended {
		return
	}
	want := p.link.Credit()
	if p.leaving || p.rest.waits() {
		want = 0
	}
	if more := want - p.granted; more > 0 {
		p.granted += more
		p.receiver.Grant(more)
	}
	for p.granted > want && p.receiver.TakeBack() {
		p.granted--
	}
	if p.link.Draining() {
		p.conn.takePushes()
		p.link.Drained()
	}
}

// arrived takes in a message from the node.
func (p *pushing) arrived(d router.Delivery) {
	p.granted--
	switch {
	case p.ended || p.leaving:
		settle(d, router.Release())
	case p.rest.waits():
		p.back = append(p.back, d)
	case !p.send(d):
		p.creditChanged()
	}
}

// send gives a message to the engine. It reports false when that took no credit.
func (p *pushing) send(d router.Delivery) bool {
	f := p.auto.federated
	trace, taken := f.trace(d.Message, f.Tag)
	if !taken {
		settle(d, f.exclusion())
		return false
	}
	m, wanted := wire.Write(&d, time.Now, d.Owned())
	if !wanted {
		settle(d, router.Reject(router.Unroutable, "expired"))
		return false
	}
	m = federation.Traced(m, trace)
	if _, one := f.target(); !one {
		m = federation.Addressed(m, string(d.To))
	}
	err := p.link.Send(engine.Delivery{Payload: m.Bytes(), Settled: !d.Owned() && d.Settled, Token: &crossing{d}})
	switch err {
	case nil:
		p.sent++
		return true
	case engine.TooLarge:
		settle(d, wire.TooLarge())
	default: // the credit has been taken back meanwhile, or the link ends
		settle(d, router.Release())
	}
	return false
}

// exclusion is how a message ends for a link that is not to take it: a queue keeps it for others; a topic has others that
// get it.
func (f *federated) exclusion() router.Outcome {
	if f.Kind == addressing.Queue {
		return router.Outcome{State: router.Modified, Reason: router.Unroutable, Elsewhere: true}
	}
	return router.Accept()
}

// settle ends a delivery if somebody waits for that.
func settle(d router.Delivery, o router.Outcome) {
	if d.Owned() {
		d.Settle(o)
	}
}

// progressed hears what became of a message.
func (p *pushing) progressed(u engine.Update) {
	d, o := u.Token.(*crossing).delivery, router.Release()
	switch u.Progress {
	case engine.Updated:
		if u.State == nil || !u.State.IsOutcome() {
			return
		}
		o = wire.Outcome(u.State) // the other network settles second [2.6.12]
		p.link.Settle(u.ID, frame.State{Kind: u.State.Kind})
	case engine.Settled:
		o = wire.Outcome(p.settledState(u.State))
	case engine.Lost, engine.Unsent: // it goes again: a queue that counts failures is not to give up for want of a network
	}
	p.sent--
	p.ends(d, o, u.Progress == engine.Lost || u.Progress == engine.Unsent)
	p.parted()
}

// ends ends a message that the other network does not hold any more; it has said how unless it is lost.
func (p *pushing) ends(d router.Delivery, o router.Outcome, lost bool) {
	f := p.auto.federated
	switch {
	case o.State == router.Accepted:
		f.taken.Add(1)
		p.rest.refresh()
		p.auto.note(true, "")
		settle(d, o)
	case lost || p.ended || !d.Owned():
		settle(d, router.Release())
	case passes(o):
		f.postponed.Add(1)
		p.auto.note(true, o.Text)
		p.back = append(p.back, d)
		p.rest.begin(time.Now())
		p.creditChanged()
	default:
		settle(d, o)
	}
}

// settledState is what a settlement says: without a state of its own, the default outcome of the source [3.5.3].
func (p *pushing) settledState(s *frame.State) *frame.State {
	if s != nil && s.Kind != frame.NoState {
		return s
	}
	if answer := p.link.Remote().Source; answer != nil {
		return &answer.DefaultOutcome
	}
	return nil
}

// wakeAt implements patient.
func (p *pushing) wakeAt() time.Time { return p.rest.until }

// wake gives back what is to be tried again, which the node then gives to the link in its order.
func (p *pushing) wake(now time.Time) {
	if p.rest.over(now) {
		p.giveBack()
		p.creditChanged()
		p.parted()
	}
}

func (p *pushing) giveBack() {
	back := p.back
	p.back = nil
	for _, d := range back {
		settle(d, router.Release())
	}
}

// leave has nothing new go out, and ends the link when the other network has settled what it has.
func (p *pushing) leave() {
	p.leaving = true
	p.giveBack()
	p.creditChanged()
	p.parted()
}

// parted ends a link that is to leave when nothing is left of it.
func (p *pushing) parted() {
	if p.leaving && p.sent == 0 && !p.ended && p.conn.stopping.IsZero() {
		p.link.Close(nil)
	}
}

func (p *pushing) unfinished() int { return p.sent }

// detached gives back what was not sent.
func (p *pushing) detached(d engine.Detachment) {
	p.ended, p.sent, p.rest = true, 0, rest{}
	p.giveBack()
	if p.receiver != nil {
		p.receiver.Close()
	}
	p.conn.takePushes()
	p.conn.parted(p.auto, p.link, d)
}
