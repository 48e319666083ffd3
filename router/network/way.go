package network

import (
	"context"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/network/internal/forwarding"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// Windows of ways: how many messages may wait there for the link to the neighbour. A broadcast that
// has no room holds up its sender for all, so that it has more.
const (
	wayWindow       = 128
	broadcastWindow = 1024
	queueWindow     = 256 // not settled: a queue keeps the others for those who come
)

// way leads from the node of an address to a neighbour. The node sees a consumer, and gives it what is to go there. What a
// full link does not take waits here, as far as the window goes, and then in the node, which holds back its senders.
type way struct {
	wayKey
	neighbor *neighbor
	reach    *Reach
	tenant   string
	literal  bool  // the address is one, and no filter
	lane     *lane // that its messages go on; nil for that of their priority
	receiver *router.Receiver
	used     bool // it has been given its window
	priority addressing.Priority

	taken   int  // messages for which the node is to get credit back; the connection's, as is all below
	held    int  // messages that have come, and have not ended
	leaving bool // it ends when nothing is held
	closed  bool
	respite respite
}

var _ router.Way = (*way)(nil)

// newWay opens the way of an address to a neighbour. By it goes what comes after use.
func newWay(m *Mesh, n *neighbor, k wayKey) (*way, error) {
	w := &way{wayKey: k}
	return w, w.open(m, n, nil, k.address, w, m.config.Reach.Hint(k.address))
}

// open has consumer, which gives to the way what it is given, receive from the node of an address. hint is how its messages
// are treated if it is not declared here.
func (w *way) open(
	m *Mesh, n *neighbor, l *lane, key protocol.Key, consumer router.Consumer, hint protocol.Treatment,
) error {
	tenant, filter, phase, err := m.tenantOf(key)
	if err != nil {
		return err
	}
	w.neighbor, w.lane, w.address, w.reach, w.tenant = n, l, key, m.config.Reach, tenant.Name
	_, w.literal = filter.Literal()
	w.priority = m.priority(key)
	source := router.Source{Filter: filter, Phase: &phase, Streams: true, Undeclared: definitionOf(filter, hint)}
	w.receiver, err = m.network.config.Router.Receiver(context.Background(), n.insider(tenant), source, consumer)
	return err
}

// use has messages go by the way, also those that have waited for one that leads to where it does now.
func (w *way) use() {
	if w.used {
		w.receiver.Retry()
		return
	}
	w.used = true
	window := wayWindow
	switch w.receiver.Kind() {
	case addressing.Broadcast:
		window = broadcastWindow
	case addressing.Queue:
		window = queueWindow
	}
	w.receiver.Grant(window)
}

// Deliver implements router.Consumer.
func (w *way) Deliver(r *router.Receiver, d router.Delivery) { w.DeliverAfter(nil, r, d) }

// DeliverAfter implements router.Way.
func (w *way) DeliverAfter(leader *router.Stream, _ *router.Receiver, d router.Delivery) {
	w.neighbor.post(parcel{delivery: d, after: leader, way: w, lane: w.lane, to: w.keyOf(d.To)})
}

// Leads implements router.Way.
func (w *way) Leads(d router.Delivery) (cost int64, ok bool) {
	m, _ := d.Route.(*forwarding.Message)
	return w.reach.Leads(w.address, w.wayKey.neighbor, w.keyOf(d.To), m)
}

// keyOf gives the key of an address that the way is for.
func (w *way) keyOf(a addressing.Address) protocol.Key {
	if w.literal {
		return w.address
	}
	key, _ := w.reach.keys.Key(w.tenant, a.Filter(), w.address.Phase())
	return key
}

// leave has the way end when the neighbour has settled what it has.
func (w *way) leave() { w.neighbor.mail.partings.Put(w) }

// part has nothing new come by the way.
func (w *way) part() {
	w.receiver.Retire()
	w.neighbor.sendParcels()
	w.leaving = true
	w.settled(0)
}

// left notes that a message waits no longer for the link.
func (w *way) left() {
	if w.receiver.Kind() != addressing.Queue {
		w.vacate()
	}
}

// vacate has the node get credit back for a message.
func (w *way) vacate() {
	if w.taken++; w.taken == 1 {
		w.neighbor.regrants = append(w.neighbor.regrants, w)
	}
}

// regrant gives the node credit for what has gone out.
func (w *way) regrant() {
	if w.respite.resting {
		return
	}
	n := w.taken
	if w.taken = 0; !w.leaving && w.neighbor.stopping.IsZero() {
		w.receiver.Grant(n)
	}
}

// settled notes that so many messages have ended.
func (w *way) settled(n int) {
	w.held -= n
	if w.leaving && w.held == 0 && !w.closed {
		w.closed = true
		w.receiver.Close()
	}
}

// parcel is a message that is to go to a neighbour.
type parcel struct {
	delivery router.Delivery
	after    *router.Stream // the latest of its sender that it comes after; nil for none
	way      *way           // by which it has come; nil for what is for a router
	lane     *lane          // that it goes on; nil for that of its priority
	to       protocol.Key   // the address, if it is one of applications; otherwise it is in the message
}

// leads tells whether a message may be the first of its sender on the link that it goes on: it streams, or it did so at the
// router before this one, which knows.
func (p parcel) leads() bool {
	from, ok := p.delivery.Route.(*forwarding.Message)
	return p.delivery.Stream != nil || ok && from.Annotations.Streaming
}

// priority is that of its address, or its own.
func (p parcel) priority() uint8 {
	header, _ := p.delivery.Message.Header() // one that is not right has the usual priority
	if p.way == nil {
		return header.Priority
	}
	return p.way.priority.Of(header.Priority)
}

// settled tells whether the neighbour is asked for no outcome. Of a message for a router the sender hears when it has gone
// out, so that he does not send faster than that.
func (p parcel) settled() bool {
	return !p.delivery.Owned() || p.way == nil && p.delivery.Settled
}

// finish ends a message that the neighbour does not hold.
func (p parcel) finish(o router.Outcome) {
	if p.delivery.Stream != nil {
		p.delivery.Stream.Abandon()
	}
	if p.delivery.Owned() {
		p.delivery.Settle(o)
	}
}
