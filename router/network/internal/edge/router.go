package edge

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/router/network/internal/outputs"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// Times are how long things are waited for. The zero value of a field means its default.
type Times struct {
	Patience time.Duration // after a link is attached, for news that there are consumers; default 1 s
	Linger   time.Duration // that a link stays after its last producer, in case that another one comes; default 10 s
	Retry    time.Duration // before a link is attached again that the interior refused or ended; default 2 s
	Renewal  time.Duration // before the interior is asked again for a proxy that it refused; default 10 s
}

func (t Times) withDefaults() Times {
	set := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	set(&t.Patience, time.Second)
	set(&t.Linger, 10*time.Second)
	set(&t.Retry, 2*time.Second)
	set(&t.Renewal, 10*time.Second)
	return t
}

// Router is the links of an edge router, and the proxies of its link routes.
type Router struct {
	times     Times
	uplinks   []UplinkID // the first one is in use
	addresses map[protocol.Key]*address
	links     map[LinkID]*address // those of the uplink in use
	newest    LinkID

	proxies  map[protocol.Key]*proxy
	requests map[RequestID]*proxy // that have no response, to the interior of the uplink in use
	asked    RequestID            // the newest

	patience, lingering, retries, renewals queue

	actions outputs.Queue[Action]
}

// address is one that somebody at the edge uses, or used a moment ago.
type address struct {
	protocol.Address
	consumers, producers int // at the edge
	in, out              link
	road                 Road
	leftAt               time.Time // when the last producer did
}

// link is one of an address; the zero link is none.
type link struct {
	id       LinkID
	answered bool
	refused  bool // it was, and is tried again later
}

// New gives an edge router without uplinks.
func New(t Times) *Router {
	return &Router{
		times: t.withDefaults(), addresses: make(map[protocol.Key]*address), links: make(map[LinkID]*address),
		proxies: make(map[protocol.Key]*proxy), requests: make(map[RequestID]*proxy),
	}
}

// NextAction takes the next action; ok is false when there is none.
func (r *Router) NextAction() (a Action, ok bool) { return r.actions.Next() }

func (r *Router) report(a Action) { r.actions.Put(a) }

// Consumers says how many there are of an address at the edge now: of a link route that is whether there are containers. Those
// of other classes are found by the edge's own name and are ignored.
func (r *Router) Consumers(a protocol.Address, n int, now time.Time) {
	if isLinkRoute(a.Key) {
		r.expose(a.Key, n > 0)
		return
	}
	if known := r.know(a, n); known != nil {
		known.consumers = n
		r.follow(known, now)
	}
}

// Producers says how many there are for an address at the edge now.
func (r *Router) Producers(a protocol.Address, n int, now time.Time) {
	known := r.know(a, n)
	if known == nil {
		return
	}
	if n == 0 && known.producers > 0 {
		known.leftAt = now
		r.lingering.put(now.Add(r.times.Linger), known.Key, Send)
	}
	known.producers = n
	r.follow(known, now)
}

// know gives what is known of an address; nil if there is nothing to know.
func (r *Router) know(a protocol.Address, n int) *address {
	known := r.addresses[a.Key]
	if known == nil && n > 0 && a.Key.Class() == protocol.Mobile {
		known = &address{Address: a}
		r.addresses[a.Key] = known
	}
	return known
}

// tidy forgets an address that nobody uses.
func (r *Router) tidy(a *address) {
	if a.consumers+a.producers == 0 && a.in == (link{}) && a.out == (link{}) {
		delete(r.addresses, a.Key)
	}
}

// inOrder gives the addresses in the order of their keys.
func (r *Router) inOrder() []*address {
	return slices.SortedFunc(maps.Values(r.addresses), func(a, b *address) int {
		return strings.Compare(string(a.Key), string(b.Key))
	})
}

// follow brings the links of an address in line with its use.
func (r *Router) follow(a *address, now time.Time) {
	if len(r.uplinks) > 0 {
		switch {
		case a.consumers > 0:
			r.attach(a, &a.in, Receive)
		default:
			r.detach(&a.in)
		}
		switch {
		case a.producers > 0:
			r.attach(a, &a.out, Send)
		case now.Sub(a.leftAt) >= r.times.Linger:
			r.detach(&a.out)
			r.lead(a, Nowhere)
		}
	}
	r.tidy(a)
}

func (r *Router) attach(a *address, l *link, d Direction) {
	if l.id != 0 || l.refused {
		return
	}
	r.newest++
	*l = link{id: r.newest}
	r.links[l.id] = a
	r.report(Action{Kind: Attach, Link: l.id, Direction: d, Address: a.Address})
	if d == Send {
		r.lead(a, Relay)
	}
}

func (r *Router) detach(l *link) {
	if l.id != 0 {
		delete(r.links, l.id)
		r.report(Action{Kind: Detach, Link: l.id})
	}
	*l = link{}
}

// lead has the messages of an address take a road.
func (r *Router) lead(a *address, road Road) {
	if a.road != road {
		a.road = road
		action := Action{Kind: Lead, Address: a.Address, Road: road}
		if road == Link {
			action.Link = a.out.id
		}
		r.report(action)
	}
}

// Attached says that the interior has answered the attach of a link.
func (r *Router) Attached(id LinkID, now time.Time) {
	a := r.links[id]
	if a == nil {
		return
	}
	if a.in.id == id {
		a.in.answered = true
		return
	}
	a.out.answered = true
	if a.road == Relay {
		r.patience.put(now.Add(r.times.Patience), a.Key, Send)
	}
}

// Refused says that the interior has refused or ended a link. What producers send goes with what is for all addresses
// then, so that they are told what is wrong.
func (r *Router) Refused(id LinkID, now time.Time) {
	a := r.links[id]
	if a == nil {
		return
	}
	delete(r.links, id)
	l, d := &a.in, Receive
	if a.out.id == id {
		l, d = &a.out, Send
		r.lead(a, Relay)
	}
	*l = link{refused: true}
	r.retries.put(now.Add(r.times.Retry), a.Key, d)
}

// Heard takes what the interior tells of an address.
func (r *Router) Heard(n News) {
	a := r.addresses[n.Key]
	switch {
	case a == nil || a.out.id == 0:
	case n.Reachable:
		r.lead(a, Link)
	default:
		r.lead(a, Nowhere)
	}
}
