package router

import (
	"slices"
	"sync"

	"github.com/manifoldmq/manifold/addressing"
)

// anycast is the node of an anycast definition: each message goes to exactly one receiver, whose outcome is passed
// back as it is. Those of the fallback come last: see rank. A message whose receivers are all out of credit waits in
// memory, in order, as long as its sender stays, or for ever if that asked for no answer. What waits is bounded in bytes:
// a message beyond that, or one that nobody at all could take, is Released.
type anycast struct {
	preference preference
	maxWaiting int       // bytes
	spare      sync.Pool // of *holding

	mu        sync.Mutex // guards everything below; a node's lock
	tenure    tenure
	consumers addressing.Index[*consumer]
	links     map[*Receiver]*consumer
	waiting   map[addressing.Address][]Delivery
	bytes     int // of what waits
	senders   senders
	turn      uint64      // of the newest choice
	scratch   []*consumer // what match gave last
	ranked    bool        // there have been consumers of the fallback, or senders to those alone
	chosen    []*consumer // what among gave last
	eager     eager
}

var (
	_ Node     = (*anycast)(nil)
	_ Streamer = (*anycast)(nil)
	_ Returner = (*anycast)(nil)
	_ Rerouter = (*anycast)(nil)
)

func newAnycast(p preference, maxWaiting int, stays tenure) *anycast {
	n := &anycast{
		preference: p,
		maxWaiting: maxWaiting,
		tenure:     stays,
		links:      make(map[*Receiver]*consumer),
		waiting:    make(map[addressing.Address][]Delivery),
		senders:    make(senders),
		eager:      make(eager),
	}
	n.spare.New = func() any { return &holding{node: n} }
	return n
}

// Join grants credit only while somebody is there to consume, as a router without a store must: until then a door
// that can hold its sender back does so.
func (n *anycast) Join(s *Sender) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.tenure.begin(s); err != nil {
		return err
	}
	n.ranked = n.ranked || s.rank == fallback
	n.senders.add(s)
	n.welcome(s.Address())
	return nil
}

func (n *anycast) Leave(s *Sender) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.senders.remove(s)
	delete(n.eager, s)
	n.setWaiting(s.Address(), slices.DeleteFunc(n.waiting[s.Address()], func(d Delivery) bool {
		withdrawn := d.owner() == s && !d.Settled && !s.target.Lingers
		if withdrawn {
			n.bytes -= d.weight()
			d.Settle(Release())
		}
		return withdrawn
	}))
	for i, d := range n.waiting[s.Address()] {
		if d.owner() == s {
			n.waiting[s.Address()][i] = d.leftBy(s)
		}
	}
	n.eager.call() // as fewer may wait before them
	n.tenure.end(s)
}

func (n *anycast) Offer(d Delivery) {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := n.match(d.To)
	candidates := n.among(d, all)
	first := len(n.waiting[d.To]) == 0
	switch {
	case first && n.assign(d, candidates):
	case !wanted(d, candidates):
		d.Settle(Release())
		if r := d.rank(); !slices.ContainsFunc(all, r.admits) {
			n.senders.withdraw(d.To, r)
		}
	default:
		n.wait(d)
		if !first && (n.ranked || selective(candidates)) { // what waits before it may be for others
			n.handOut(d.To, n.match(d.To))
		}
	}
}

// wait keeps a message until a consumer has credit, if there is room.
func (n *anycast) wait(d Delivery) {
	if n.bytes+d.weight() > n.maxWaiting {
		d.Settle(Outcome{State: Released, Reason: Unroutable, Text: "too much waits for consumers (limits.maxWaiting)"})
		return
	}
	n.bytes += d.weight()
	n.waiting[d.To] = append(n.waiting[d.To], d)
}

func (n *anycast) Attach(r *Receiver) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.tenure.begin(r); err != nil {
		return err
	}
	c := &consumer{link: r, fallback: r.source.isFallback()}
	n.ranked = n.ranked || c.fallback
	n.links[r] = c
	n.consumers.Add(r.source.Filter, c)
	n.eager.call()
	for a := range within(n.senders, r.source.Filter) {
		n.welcome(a)
	}
	return nil
}

func (n *anycast) Grant(r *Receiver) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.eager.call()
	for a := range within(n.waiting, r.source.Filter) {
		if !r.HasCredit() {
			return
		}
		n.handOut(a, n.match(a))
	}
}

// Reroute implements Rerouter.
func (n *anycast) Reroute(way *Receiver) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.reassign(way)
}

// reassign gives to others, or back, what waits where a consumer receives that wants less than before, or nothing.
func (n *anycast) reassign(r *Receiver) {
	n.eager.call()
	for a := range within(n.waiting, r.source.Filter) {
		n.releaseUnwanted(a)
		n.handOut(a, n.match(a))
	}
}

// Pending implements Node: what can be handed out has been.
func (n *anycast) Pending(*Receiver) bool { return false }

func (n *anycast) Detach(r *Receiver) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c, ok := n.links[r]
	if !ok {
		return
	}
	delete(n.links, r)
	n.consumers.Remove(r.source.Filter, c)
	for c.held != nil {
		n.letGo(c.held).Settle(Fail())
	}
	n.reassign(r)
	n.tenure.end(r)
}

// welcome grants the senders to an address the credit that they have coming, when it has a consumer for whose sake they get it.
func (n *anycast) welcome(a addressing.Address) {
	if !n.senders.wait(a) {
		return
	}
	all := n.match(a)
	n.senders.grant(a, func(r rank) bool {
		return slices.ContainsFunc(all, func(c *consumer) bool { return r.admits(c) && c.link.welcomes() })
	})
}

// TakeBack implements Returner.
func (n *anycast) TakeBack(s *Sender, credit int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.senders.owe(s, credit) {
		n.welcome(s.Address())
	}
}

// match gives the consumers of an address, with the credit that they have now. It is valid until the next call.
func (n *anycast) match(a addressing.Address) []*consumer {
	n.scratch = n.consumers.Match(a, n.scratch[:0])
	look(n.scratch)
	return n.scratch
}

// handOut assigns what waits at an address while one of its consumers has credit.
func (n *anycast) handOut(a addressing.Address, candidates []*consumer) {
	queue := n.waiting[a]
	if len(queue) == 0 {
		return
	}
	n.setWaiting(a, handOut(queue, candidates, func(d Delivery) bool {
		given := n.assign(d, n.among(d, candidates))
		if given {
			n.bytes -= d.weight()
		}
		return given
	}))
}

// assign hands a message to the best candidate with credit, if there is one.
func (n *anycast) assign(d Delivery, candidates []*consumer) bool {
	for {
		c := choose(d, candidates, n.preference)
		if c == nil {
			return false
		}
		if !c.link.Take() { // its credit went elsewhere meanwhile
			continue
		}
		n.turn++
		c.turn = n.turn
		if c.fallback {
			d.redirected()
		}
		var leader *Stream
		if c.link.way != nil {
			leader = d.leader()
		}
		if d.Settled {
			d.Settle(Accept())
			c.link.deliverAfter(leader, d.Unowned())
			return true
		}
		c.link.deliverAfter(leader, n.hold(d, c))
		return true
	}
}

// releaseUnwanted gives back what waits at an address and nobody there wants any more.
func (n *anycast) releaseUnwanted(a addressing.Address) {
	candidates := n.match(a)
	n.setWaiting(a, slices.DeleteFunc(n.waiting[a], func(d Delivery) bool {
		unwanted := !wanted(d, n.among(d, candidates))
		if unwanted {
			n.bytes -= d.weight()
			d.Settle(Release())
		}
		return unwanted
	}))
}

func (n *anycast) setWaiting(a addressing.Address, queue []Delivery) {
	if len(queue) == 0 {
		delete(n.waiting, a)
	} else {
		n.waiting[a] = queue
	}
}
