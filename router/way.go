package router

import "github.com/manifoldmq/manifold/addressing"

// Way is a Consumer that leads on, to consumers at another router of a network. A node asks it for each message whether it
// is for them, and prefers, of those that could take one message, who costs less: any other consumer costs nothing.
//
// Of an anycast address with distribution closest, a message goes to where the cost is the lowest among those with credit.
// With balanced it goes to where the sum is the lowest of the cost and of the messages that are not settled there. Each way
// gets one copy of a broadcast. That waits for a way without credit, in contrast to other consumers, since it stands for
// many; its sender is told when all ways have it, and so goes no faster than the slowest.
type Way interface {
	Consumer
	// Leads tells whether the way leads on for a message, given where that came from, and at what cost. It is called
	// with a node's lock held, and takes no lock but a leaf.
	Leads(d Delivery) (cost int64, ok bool)
	// DeliverAfter is Deliver for a message that comes after a stream, leader, of its sender, the latest, which may have come
	// to its end; nil for none. So a way of several links keeps in order what one sender sends.
	DeliverAfter(leader *Stream, r *Receiver, d Delivery)
}

// leadsFrom tells whether a way may lead from the addresses of a definition: what is stored here leaves only at the phase
// of its consumers, and only if it is stored for the network.
func leadsFrom(source Source, def *addressing.Definition) bool {
	var phase uint8
	if source.Phase != nil {
		phase = *source.Phase
	}
	within := source.Filter.Within(def.Name)
	switch {
	case def.Kind == addressing.Anycast:
		return within
	case def.Kind == addressing.Broadcast:
		return phase == 0
	case def.Home == addressing.Alone, def.Home == addressing.Here && phase != def.ConsumerPhase():
		return false
	default:
		return within || def.Kind == addressing.Topic
	}
}

// Leading tells whether the receiver is a way.
func (r *Receiver) Leading() bool { return r.way != nil }

// Outpost is a Way to consumers that the network takes for this router's own, as those of an edge router.
type Outpost interface {
	Way
	Outpost()
}

// Passage is a Producer of what comes from another router. Its senders are kept for a while, for what may follow, and tell nothing
// of who uses an address.
type Passage interface {
	Producer
	Passage()
}

// leads tells whether the receiver leads on for a message, as any does that is no way. What is stored for this router alone
// goes nowhere, although one node may have both.
func (r *Receiver) leads(d Delivery) bool {
	if r.way == nil {
		return true
	}
	if s := d.sender(); s != nil && s.def.Confined() {
		return false
	}
	_, ok := r.cost(d)
	return ok
}

// cost is what it costs to have a way take a message. It is false when the way does not lead on for it.
func (r *Receiver) cost(d Delivery) (int64, bool) {
	if r.retired.Load() {
		return 0, false
	}
	return r.way.Leads(d)
}

// Retire is for a Way that ends when what it has is settled: it leads on for nothing any more, and what has waited for it alone
// is Released.
func (r *Receiver) Retire() {
	r.retired.Store(true)
	for r.TakeBack() {
	}
	r.Retry()
}
