package network

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/network/internal/forwarding"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/wire"
	"github.com/manifoldmq/manifold/tenancy"
)

// dataCredit is how many messages of a data link may be on their way to us, or not settled.
const dataCredit = 1000

// inlet is a data link on which messages come from a neighbour. What they wait for here they wait for there: a message
// gives its credit back when it is settled.
type inlet struct {
	*neighbor
	tally     tally
	link      *engine.Link
	senders   senders
	extra     bool   // for messages that stream: the other side ends it as it likes
	open      int    // messages that are not settled
	gathering bool   // the message that comes in has been counted, and is not whole
	id        uint32 // of that
	upload    *wire.Upload
	latest    *marks // of the latest message; nil before the first

	fixed protocol.Key       // of a link for one address only; empty for one to all of them
	place addressing.Address // of a link to something of this router's own; empty for none
}

// verdict is what became of a message.
type verdict struct {
	inlet   *inlet
	id      uint32 // of the delivery
	sender  *router.Sender
	outcome router.Outcome
}

var (
	_ trunk          = (*inlet)(nil)
	_ router.Passage = (*inlet)(nil)
	_ wire.Inlet     = (*inlet)(nil)
)

// newInlet gives the end of a link that is about to be attached.
func (k *neighbor) newInlet() *inlet {
	in := &inlet{neighbor: k, extra: len(k.inlets) >= priorities}
	in.senders.init()
	k.inlets = append(k.inlets, in)
	return in
}

func (in *inlet) bind(l *engine.Link) { in.link = l }

func (in *inlet) attached() {
	in.link.Stream()
	in.link.Grant(dataCredit)
}

func (in *inlet) sendable()                {}
func (in *inlet) progressed(engine.Update) {}

// received takes in a message, or a piece of one.
func (in *inlet) received(t *engine.Transfer) {
	found := in.count(t)
	if t.First && t.Last {
		in.receivedWhole(t, found)
		return
	}
	if t.Aborted && in.upload.Awaited() {
		in.tally.ends(router.Release())
	}
	in.upload = in.uploads.Received(in, in.link, in.upload, t)
}

// count counts a message that begins. One that was gathered comes a second time, whole: then it gives the sender that was
// found for it.
func (in *inlet) count(t *engine.Transfer) (found *router.Sender) {
	if !t.First {
		return nil
	}
	if in.gathering {
		in.gathering = false
		if in.upload != nil {
			found = in.upload.Sender()
		}
		if t.ID == in.id {
			return found
		}
		if in.upload != nil && !in.upload.Settled() {
			in.tally.ends(router.Release())
		}
		in.senders.done(found) // the one before was aborted
		in.open--
	}
	in.gathering, in.id = !t.Last, t.ID
	in.open++
	in.tally.begins(t.Settled)
	in.traffic.received.Add(1)
	return nil
}

// receivedWhole hands a message to its address. found is the sender to there, nil for one that is not found yet.
func (in *inlet) receivedWhole(t *engine.Transfer, found *router.Sender) {
	m, err := amqp.ParseMessage(t.Payload) // of which Find makes a copy
	var d router.Delivery
	var to *router.Sender
	switch {
	case t.Format != 0:
		err = router.Errorf(router.Unsupported, "only messages of format 0 are taken")
	case err != nil:
		err = router.Errorf(router.Malformed, "%v", err)
	default:
		d, to, err = in.find(m, found)
	}
	if err != nil {
		in.answer(verdict{inlet: in, id: t.ID, outcome: refusal(err)})
		return
	}
	d.Settled = t.Settled
	if in.repeated(d, to) {
		in.answer(verdict{inlet: in, id: t.ID, sender: to, outcome: router.Release()})
		return
	}
	to.Send(uint64(t.ID), d)
}

// repeated tells whether a message that is for many comes, or came, from another neighbour too.
func (in *inlet) repeated(d router.Delivery, to *router.Sender) bool {
	m, ok := d.Route.(*forwarding.Message)
	if !ok { // an edge router's comes from nobody else
		return false
	}
	many := to.Kind() == addressing.Broadcast || to.Kind() == addressing.Topic && m.Key.Phase() > 0
	return many && in.mesh.config.Reach.Repeated(*m)
}

// refusal is what becomes of a message that finds no address: where there is none it is released, as nobody is there.
func refusal(err error) router.Outcome {
	reason := router.ReasonOf(err)
	if reason == router.NotFound {
		return router.Release()
	}
	return router.Reject(reason, err.Error())
}

// errWhole leaves a message to be gathered that the other router has sent whole.
var errWhole = errors.New("the message comes whole")

// Find implements wire.Inlet. What comes whole does not stream on, or it could go another way than what comes whole before
// and after it: whoever has links for messages that stream says so of one that streams on another link.
func (in *inlet) Find(m amqp.Message, found *router.Sender) (router.Delivery, *router.Sender, error) {
	d, to, err := in.find(m, found)
	if err == nil && in.role == InterRouter && !in.extra && in.hasStreamLinks() && !in.latest.message.Annotations.Streaming {
		err = errWhole
	}
	return d, to, err
}

// find reads where a message goes, and gives a copy without what routers wrote on it.
func (in *inlet) find(m amqp.Message, found *router.Sender) (router.Delivery, *router.Sender, error) {
	d, properties, err := wire.Read(m, time.Now)
	if err != nil {
		return d, nil, router.Errorf(router.Malformed, "%v", err)
	}
	k, err := in.read(m, properties.To)
	if err != nil {
		return d, nil, err
	}
	d.Message = withoutAnnotations(m)
	d.Retain, d.Author = k.retain, k.author
	d.Route = in.routeOf(&k.message)
	if found != nil {
		return d, found, nil
	}
	to, err := in.senders.find(in, k.message.Key, k.place)
	return d, to, err
}

// withoutAnnotations gives a copy of a message without what routers wrote on it.
func withoutAnnotations(m amqp.Message) amqp.Message {
	return amqp.Trusted(annotate(m, protocol.Annotations{}))
}

// openSender makes the sender to an address.
func (in *inlet) openSender(key protocol.Key, place protocol.Place) (*router.Sender, error) {
	n := in.network
	if in.place != "" {
		t, known := n.config.Directory.Lookup(tenancy.DefaultTenant)
		if !known {
			return nil, router.Errorf(router.NotFound, "there is no such place")
		}
		return n.config.Router.Sender(context.Background(), in.asker(t), router.Target{Address: in.place}, in)
	}
	if place.Class != protocol.Mobile {
		t, _, known := in.mesh.tenantAt(place)
		a, err := addressing.ParseAddress(in.mesh.text(place))
		if err != nil || !known {
			return nil, router.Errorf(router.NotFound, "there is no such place")
		}
		return n.config.Router.Sender(context.Background(), in.insider(t), router.Target{Address: a}, in)
	}
	reach := in.mesh.config.Reach
	name, filter, phase, ok := reach.keys.Split(key)
	t, known := n.config.Directory.Lookup(name)
	a, literal := filter.Literal()
	if !ok || !known || !literal {
		return nil, router.Errorf(router.NotFound, "there is no such address")
	}
	return n.config.Router.Sender(context.Background(), in.insider(t), router.Target{
		Address: a, Phase: &phase, Undeclared: definitionOf(filter, reach.Hint(key)),
	}, in)
}

// Decided implements wire.Inlet.
func (in *inlet) Decided(_ *wire.Upload, streams bool) {
	if streams {
		in.gathering = false
	}
}

// RoomFor implements wire.Inlet.
func (in *inlet) RoomFor(u *wire.Upload) { in.mail.rooms.Put(u) }

// Settled implements router.Producer.
func (in *inlet) Settled(s *router.Sender, tag uint64, o router.Outcome) {
	in.mail.outcomes.Put(verdict{inlet: in, id: uint32(tag), sender: s, outcome: o})
}

// Credit implements router.Producer: that of the link counts.
func (in *inlet) Credit(*router.Sender, int) {}

// answer tells the neighbour what became of a message.
func (in *inlet) answer(v verdict) {
	in.upload.Ends(v.id, v.outcome)
	in.senders.done(v.sender)
	in.open--
	if in.link != nil {
		if in.link.Settle(v.id, wire.State(v.outcome)) {
			in.tally.ends(v.outcome)
		}
		if in.stopping.IsZero() {
			in.link.Grant(1)
		}
	}
}

// detached leaves all addresses. Without its data links a connection of two routers is of no use.
func (in *inlet) detached() {
	in.letGo()
	if in.role == Edge || in.extra {
		in.inlets = slices.DeleteFunc(in.inlets, func(other *inlet) bool { return other == in })
		return
	}
	in.refuseAll("a data link has ended")
}

// letGo leaves all addresses. How what was taken in ends nobody hears any more.
func (in *inlet) letGo() {
	in.upload.Void(router.Release())
	in.senders.close()
	in.link, in.open = nil, 0
}
