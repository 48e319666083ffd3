package router

import (
	"slices"
	"sync"

	"github.com/manifoldmq/manifold/addressing"
)

// multicast is the node of a broadcast definition in the manner of Qpid Dispatch Router. Who sends has credit as soon as
// somebody receives. Every receiver attached now gets each message, as soon as it has credit, and the message ends when all
// of them have settled it, with the weightiest outcome. A receiver that goes has released what it had no credit for, and
// failed at what it had.
//
// A receiver holds what it had credit for. What waits for it is bounded: in bytes with what waits for the others, and what
// is settled in number too. Beyond that it misses a message, which is counted; for its sender that receiver has released it.
type multicast struct {
	maxWaiting int // bytes
	capacity   int // messages that may wait for a receiver when one comes that is settled

	mu       sync.Mutex // guards everything below; a node's lock
	tenure   tenure
	audience addressing.Index[*listener]
	links    map[*Receiver]*listener
	senders  senders
	bytes    int // of what waits; what waits for two counts twice
	scratch  []*listener
}

var (
	_ Node     = (*multicast)(nil)
	_ Returner = (*multicast)(nil)
)

func newMulticast(maxWaiting, capacity int, stays tenure) *multicast {
	return &multicast{
		maxWaiting: maxWaiting,
		capacity:   capacity,
		tenure:     stays,
		links:      make(map[*Receiver]*listener),
		senders:    make(senders),
	}
}

// Join grants credit only while somebody is there, as anycast's does.
func (m *multicast) Join(s *Sender) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.tenure.begin(s); err != nil {
		return err
	}
	m.senders.add(s)
	m.welcome(s.Address())
	return nil
}

// Leave has what the sender has sent go on without it.
func (m *multicast) Leave(s *Sender) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.senders.remove(s)
	for _, l := range m.links {
		for _, c := range l.waiting {
			if c.cast.delivery.owner() == s {
				c.cast.delivery = c.cast.delivery.leftBy(s)
			}
		}
	}
	m.tenure.end(s)
}

func (m *multicast) Offer(d Delivery) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.match(d.To)
	if len(all) == 0 {
		m.senders.withdraw(d.To, ordinary)
	}
	wanting := slices.DeleteFunc(all, func(l *listener) bool { return !l.link.Wants(d) })
	switch {
	case len(wanting) == 0:
		d.Settle(Release())
		return
	case d.Settled:
		d.Settle(Accept())
		d = d.Unowned()
	}
	c := &cast{delivery: d, ends: verdicts{missing: len(wanting)}}
	for _, l := range wanting {
		m.give(&copied{node: m, cast: c, to: l})
	}
}

func (m *multicast) Attach(r *Receiver) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.tenure.begin(r); err != nil {
		return err
	}
	l := &listener{link: r, held: make(map[*copied]struct{}), probes: !r.welcomes()}
	m.links[r] = l
	m.audience.Add(r.source.Filter, l)
	m.invite(r)
	return nil
}

// Grant hands out what waits for the receiver, which may also be a Probe that has found somebody.
func (m *multicast) Grant(r *Receiver) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.links[r]
	if l == nil {
		return
	}
	m.handOut(l)
	if probes := !r.welcomes(); probes != l.probes {
		l.probes = probes
		m.invite(r)
	}
}

// Pending implements Node: what can be handed out has been.
func (m *multicast) Pending(*Receiver) bool { return false }

func (m *multicast) Detach(r *Receiver) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.links[r]
	if l == nil {
		return
	}
	delete(m.links, r)
	m.audience.Remove(r.source.Filter, l)
	m.dismiss(l)
	m.tenure.end(r)
}

// TakeBack implements Returner.
func (m *multicast) TakeBack(s *Sender, credit int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.senders.owe(s, credit) {
		m.welcome(s.Address())
	}
}

// invite welcomes the senders to what a receiver takes from.
func (m *multicast) invite(r *Receiver) {
	for a := range within(m.senders, r.source.Filter) {
		m.welcome(a)
	}
}

// welcome grants the senders to an address the credit that they have coming, when it has a receiver.
func (m *multicast) welcome(a addressing.Address) {
	if m.senders.wait(a) && slices.ContainsFunc(m.match(a), func(l *listener) bool { return l.link.welcomes() }) {
		m.senders.grant(a, func(rank) bool { return true })
	}
}

// match gives the receivers of an address. It is valid until the next call.
func (m *multicast) match(a addressing.Address) []*listener {
	m.scratch = m.audience.Match(a, m.scratch[:0])
	return m.scratch
}
