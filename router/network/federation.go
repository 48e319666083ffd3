package network

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/federation"
)

// FederationLink declares that what is in one network goes to another, over a connector of ours. A message carries the
// tags of the networks that it has left, and does not go where it has been.
type FederationLink struct {
	Name      string // unique; the other network knows the link by it
	Tenant    string
	Connector string          // by its name
	Kind      addressing.Kind // Queue or Topic, at both ends
	Direction Direction       // Out pushes what is here, In pulls what is there
	Source    addressing.Filter
	Target    addressing.Address // where it goes; empty for an address of the same name
	Durable   bool               // Topic: a subscription at the source keeps what the link has not taken on

	Tag     string   // of our network; empty for what our container is called
	PeerTag string   // of the other network; empty for what its container is called
	Exclude []string // further networks whose messages are not taken
}

// dynamic tells whether the link is there only while somebody here subscribes.
func (l *FederationLink) dynamic() bool {
	return l.Kind == addressing.Topic && l.Direction == In && !l.Durable
}

// target is the one address that messages go to; false if each goes to that where it was published.
func (l *FederationLink) target() (addressing.Address, bool) {
	if l.Target != "" {
		return l.Target, true
	}
	return l.Source.Literal()
}

// Federation is the links to other networks. It is made before the broker, whose Watcher it is: so it knows what somebody
// subscribes to.
type Federation struct {
	links []*federated
	news  chan struct{} // holds one when there is something to look at
}

// NewFederation gives the links of a network whose tag is that of each link that has none.
func NewFederation(tag string, links ...FederationLink) *Federation {
	f := &Federation{news: make(chan struct{}, 1)}
	for _, l := range links {
		if l.Tag == "" {
			l.Tag = tag
		}
		f.links = append(f.links, &federated{
			FederationLink: l, federation: f, interest: make(map[federation.Path]int),
		})
	}
	return f
}

// Subscribed implements broker.Watcher.
func (f *Federation) Subscribed(tenant string, source *router.Source) { f.count(tenant, source, 1) }

// Unsubscribed implements broker.Watcher.
func (f *Federation) Unsubscribed(tenant string, source *router.Source) { f.count(tenant, source, -1) }

func (f *Federation) count(tenant string, source *router.Source, n int) {
	for _, l := range f.links {
		if l.Tenant == tenant && l.dynamic() && l.takes(source.Filter) {
			l.count(source.Via, n)
		}
	}
}

// tell has the network look at what is wanted.
func (f *Federation) tell() {
	select {
	case f.news <- struct{}{}:
	default:
	}
}

// wanted gives the links that are to be there, and when that changes by itself; zero for never.
func (f *Federation) wanted(now time.Time) (links []AutoLink, again time.Time) {
	for _, l := range f.links {
		via, wanted, until := l.wanted(now)
		if wanted {
			links = append(links, AutoLink{
				Name: l.Name, Tenant: l.Tenant, Connector: l.Connector, Direction: l.Direction, federated: l, via: via,
			})
		}
		again = earlier(again, until)
	}
	return links, again
}

// federated is a link to another network and what is known of it. It stays the same while it is attached anew.
type federated struct {
	FederationLink
	federation *Federation

	taken, excluded, postponed atomic.Uint64 // messages

	mu       sync.Mutex              // guards everything below; a leaf
	peer     string                  // the tag of the other network; empty before it is known
	interest map[federation.Path]int // subscriptions here, by the networks on whose behalf they are
	serves   bool                    // the link is there
	behalf   federation.Path         // and on whose behalf; see choose
	goneAt   time.Time               // when the last of those whom it serves left; zero for not
}

// takes tells whether a subscription here may get something of what the link brings.
func (f *federated) takes(wish addressing.Filter) bool {
	if f.Target != "" {
		return wish.Matches(f.Target)
	}
	return wish.Overlaps(f.Source)
}

// count counts subscriptions on behalf of a path of networks.
func (f *federated) count(via federation.Path, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.interest[via] += n
	if f.interest[via] == 0 {
		delete(f.interest, via)
	}
	f.federation.tell()
}

// meet remembers what the other network is called.
func (f *federated) meet(container string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	peer := f.PeerTag
	if peer == "" {
		peer = container
	}
	if peer != f.peer {
		f.peer = peer
		f.federation.tell()
	}
}

// linger is how long a link stays that nobody needs any more, as when a client connects anew.
const linger = 5 * time.Second

// wanted tells whether the link is to be there, and on whose behalf it then is; and when that changes by itself.
func (f *federated) wanted(now time.Time) (via federation.Path, wanted bool, until time.Time) {
	if !f.dynamic() {
		return federation.PathOf(f.Tag), true, time.Time{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.choose() {
		f.goneAt = time.Time{}
	} else if f.serves && f.goneAt.IsZero() {
		f.goneAt = now
	}
	if end := f.goneAt.Add(linger); !f.goneAt.IsZero() {
		f.serves, until = now.Before(end), end
		if !f.serves {
			f.goneAt, until = time.Time{}, time.Time{}
		}
	}
	return f.behalf.With(f.Tag), f.serves, until
}

// choose chooses the subscriptions on whose behalf the link is there: clients of ours, or else those of networks that take
// the shortest path through us. What goes through the other network, or has come through ours before, is no reason to be
// there: in a ring each link would be the reason of the next one for ever. It is false when there are none; then those
// that it was there for stay chosen.
func (f *federated) choose() (found bool) {
	best := f.behalf
	for p := range f.interest {
		if p.Has(f.Tag) || p.Has(f.peer) || p.Len() >= federation.MaxHops {
			continue
		}
		if !found || p.Len() < best.Len() || p.Len() == best.Len() && p < best {
			found, best = true, p
		}
	}
	f.behalf, f.serves = best, f.serves || found
	return found
}

// trace gives the trace that a message has when it leaves the network called tag, or that it is not to be taken on: it has
// been here or there before, or is excluded.
func (f *federated) trace(m router.Message, tag string) (trace federation.Path, taken bool) {
	f.mu.Lock()
	peer := f.peer
	f.mu.Unlock()
	was := federation.Trace(m)
	if was.Has(f.Tag) || was.Has(peer) || slices.ContainsFunc(f.Exclude, was.Has) || was.Len() >= federation.MaxHops {
		f.excluded.Add(1)
		return "", false
	}
	return was.With(tag), true
}

// peerTag is what the other network is called.
func (f *federated) peerTag() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.peer
}

// followInterest has the links of the federation come and go with the subscriptions here, until ctx ends.
func (n *Network) followInterest(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-n.config.Federation.news:
		}
		n.mu.Lock()
		now := time.Now()
		again := n.define(now)
		n.mu.Unlock()
		if !again.IsZero() {
			timer.Reset(again.Sub(now))
		}
	}
}
