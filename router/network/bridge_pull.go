package network

import (
	"bytes"
	"context"
	"math"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/federation"
	"github.com/manifoldmq/manifold/router/wire"
)

// pulling brings what another network has to addresses of ours. It has a window of credit, of which a message gives its
// share back when it has its outcome.
type pulling struct {
	conn    *conn
	auto    *autoLink
	link    *engine.Link
	senders map[addressing.Address]*router.Sender
	open    int      // messages that are not settled
	credit  int      // that the other network has
	owed    int      // credit that is to be given when the rest is over
	back    []uint32 // deliveries that go back when the rest is over
	rest    rest
	leaving bool      // the link ends when nothing more comes and all is settled
	leaveBy time.Time // when it does not wait any longer for what still comes; zero for never
	ended   bool
}

// pulled is what became of a message.
type pulled struct {
	link    *pulling
	id      uint32 // of the delivery
	outcome router.Outcome
}

var (
	_ router.Producer = (*pulling)(nil)
	_ receiving       = (*pulling)(nil)
	_ patient         = (*pulling)(nil)
)

// pullWindow is how many messages of another network may be on their way to our addresses.
const pullWindow = 1000

// maxPullSenders is how many addresses a link has senders to at a time, which are made anew when there are more.
const maxPullSenders = 1000

// attached begins to take.
func (p *pulling) attached() {
	p.senders = make(map[addressing.Address]*router.Sender)
	if a, one := p.auto.federated.target(); one {
		if _, err := p.sender(a); err != nil {
			p.link.Detach() // a durable subscription stays
			p.conn.refused(p.auto, err.Error())
			return
		}
	}
	p.auto.note(true, "")
	p.grant(min(pullWindow, p.conn.connector.Limits.MaxUnsettled))
}

// sender gives the sender to an address.
func (p *pulling) sender(a addressing.Address) (*router.Sender, error) {
	if s := p.senders[a]; s != nil {
		return s, nil
	}
	user, err := p.conn.insider(p.auto)
	if err != nil {
		return nil, err
	}
	if len(p.senders) >= maxPullSenders {
		p.closeSenders()
	}
	target := router.Target{Address: a, Kind: p.auto.federated.Kind}
	s, err := p.conn.connector.network.config.Router.Sender(context.Background(), user, target, p)
	if err == nil {
		p.senders[a] = s
	}
	return s, err
}

func (p *pulling) closeSenders() {
	for _, s := range p.senders {
		s.Close()
	}
	clear(p.senders)
}

// Settled implements router.Producer.
func (p *pulling) Settled(_ *router.Sender, tag uint64, o router.Outcome) {
	p.conn.mail.pulls.Put(pulled{link: p, id: uint32(tag & math.MaxUint32), outcome: o})
}

// Credit implements router.Producer: queues and topics take what comes, and answer.
func (p *pulling) Credit(*router.Sender, int) {}

func (p *pulling) grant(n int) {
	p.credit += n
	p.link.Grant(n)
}

// received hands a message to its address.
func (p *pulling) received(t *engine.Transfer) {
	p.credit--
	if !t.Settled {
		p.open++
	}
	if p.rest.waits() && !t.Settled { // those before it go back too, and so all come again in order
		p.back, p.owed = append(p.back, t.ID), p.owed+1
		return
	}
	s, d, o := p.accept(t)
	switch {
	case s != nil:
		s.Send(uint64(t.ID), d)
	case o.State == router.Rejected && passes(o):
		p.postpone(t.ID, o)
	default:
		p.settle(t.ID, o)
	}
}

// accept gives a message as it goes on, or what becomes of it if it does not: then the sender is nil.
func (p *pulling) accept(t *engine.Transfer) (*router.Sender, router.Delivery, router.Outcome) {
	f := p.auto.federated
	refused := func(reason router.Reason, text string) (*router.Sender, router.Delivery, router.Outcome) {
		return nil, router.Delivery{}, router.Reject(reason, text)
	}
	if t.Format != 0 {
		return refused(router.Unsupported, "only messages of format 0 are taken")
	}
	payload := t.Payload
	if !t.Owned {
		payload = bytes.Clone(payload)
	}
	m, err := amqp.ParseMessage(payload)
	if err != nil {
		return refused(router.Malformed, err.Error())
	}
	d, properties, err := wire.Read(m, time.Now)
	if err != nil {
		return refused(router.Malformed, err.Error())
	}
	trace, taken := f.trace(m, f.peerTag())
	if !taken {
		return nil, d, f.exclusion()
	}
	to, err := f.destination(m, properties.To)
	if err != nil {
		return refused(router.Malformed, err.Error())
	}
	s, err := p.sender(to)
	if err != nil {
		return refused(router.ReasonOf(err), err.Error())
	}
	d.Message, d.Settled, d.Attempts = federation.Traced(m, trace), t.Settled, 0
	return s, d, router.Outcome{}
}

// answer tells the other network what became of a message.
func (p *pulling) answer(x pulled) {
	switch {
	case p.ended:
	case x.outcome.State == router.Accepted:
		p.auto.federated.taken.Add(1)
		p.rest.refresh()
		p.auto.note(true, "")
		p.settle(x.id, x.outcome)
	case passes(x.outcome):
		p.postpone(x.id, x.outcome)
	default:
		p.settle(x.id, x.outcome)
	}
}

// postpone has a message come again later.
func (p *pulling) postpone(id uint32, o router.Outcome) {
	p.auto.federated.postponed.Add(1)
	p.auto.note(true, o.Text)
	p.back, p.owed = append(p.back, id), p.owed+1
	p.rest.begin(time.Now())
}

// settle ends a message, unless its sender has settled it, and gives its credit back.
func (p *pulling) settle(id uint32, o router.Outcome) {
	if p.link.Settle(id, wire.State(o)) {
		p.open--
	}
	p.owed++
	p.pay()
	p.parted()
}

// pay gives the credit that is owed, when it is the time for that.
func (p *pulling) pay() {
	if !p.leaving && !p.rest.waits() {
		p.grant(p.owed)
		p.owed = 0
	}
}

// wakeAt implements patient.
func (p *pulling) wakeAt() time.Time { return earlier(p.rest.until, p.leaveBy) }

// wake gives back what is to come again.
func (p *pulling) wake(now time.Time) {
	if p.rest.over(now) {
		p.giveBack()
		p.pay()
		p.parted()
	}
	if !p.leaveBy.IsZero() && !now.Before(p.leaveBy) {
		p.drained() // the other network does not answer
	}
}

func (p *pulling) giveBack() {
	back := p.back
	p.back = nil
	for _, id := range back {
		if p.link.Settle(id, wire.State(router.Release())) {
			p.open--
		}
	}
}

// leave ends the link when the other network has said all that it has to say on it and that is settled. Another one may
// be there in its place, and what is published meanwhile comes over both, so that nothing is missed.
func (p *pulling) leave() {
	p.leaving = true
	p.giveBack()
	if p.credit > 0 {
		p.leaveBy = time.Now().Add(drainPatience)
		p.link.Drain()
	}
	p.parted()
}

// drained hears that nothing more comes.
func (p *pulling) drained() {
	p.credit, p.leaveBy = 0, time.Time{}
	p.parted()
}

// parted ends a link that is to leave when nothing is left of it. With a durable subscription that ends this too: it is
// declared no more.
func (p *pulling) parted() {
	if p.leaving && p.credit <= 0 && p.open == 0 && !p.ended && p.conn.stopping.IsZero() {
		p.link.Close(nil)
	}
}

func (p *pulling) unfinished() int { return p.open }

// detached leaves our addresses. What was taken goes on; how it ends nobody hears any more, and it comes again.
func (p *pulling) detached(d engine.Detachment) {
	p.ended, p.open, p.back, p.rest, p.leaveBy = true, 0, nil, rest{}, time.Time{}
	p.closeSenders()
	p.conn.parted(p.auto, p.link, d)
}
