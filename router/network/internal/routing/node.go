package routing

import (
	"slices"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/router/network/internal/outputs"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/network/internal/topology"
)

// Node is the control plane of one router.
type Node struct {
	config Config
	timers Timers

	links   []*link   // in the order of their ids
	remotes []*remote // in the order of their ids
	byID    map[string]*remote

	sequence  int64           // of this router's link state
	peers     []topology.Edge // this router's link state, in the order of ids
	routes    *topology.Routes
	addresses local

	unrouted     bool      // something happened that may change the routes, which they do not go by yet
	parted       []Change  // neighbours that were lost since
	unsettled    bool      // something happened that may change the routes, and what follows from them
	settledAt    time.Time // when that was done last
	helloAt      time.Time // when to say hello next
	advertisedAt time.Time // when that was done last
	fluxUntil    time.Time

	full bool // that there are too many routers was reported

	sends   outputs.Queue[Send]
	changes outputs.Queue[Change]
}

// New gives the control plane of a router that has no links yet.
func New(c Config, now time.Time) *Node {
	c = c.withDefaults()
	return &Node{
		config:       c,
		timers:       c.Timers,
		byID:         make(map[string]*remote),
		routes:       &topology.Routes{},
		addresses:    newLocal(),
		helloAt:      now.Add(c.Timers.Hello),
		advertisedAt: now,
	}
}

// Routes gives the ways to all routers in reach, as they are now.
func (n *Node) Routes() *topology.Routes { return n.routes }

// Deadline gives when to call Advance next.
func (n *Node) Deadline() time.Time {
	deadline := earlier(n.helloAt, n.advertiseAt())
	if n.unsettled {
		deadline = earlier(deadline, n.settledAt.Add(n.timers.Settle))
	}
	if n.addresses.changed() {
		deadline = earlier(deadline, n.addresses.toldAt.Add(n.timers.Batch))
	}
	for _, l := range n.links {
		if l.mutual {
			deadline = earlier(deadline, l.listed.Add(n.timers.HelloMaxAge))
		}
	}
	return deadline
}

// Advance does what is due. It may be called at any time; before the Deadline it does nothing.
func (n *Node) Advance(now time.Time) {
	n.expireNeighbors(now)
	if !now.Before(n.helloAt) {
		n.helloAt = now.Add(n.timers.Hello)
		n.hello(now)
		n.sweep(now)
	}
	if n.addresses.changed() && !now.Before(n.addresses.toldAt.Add(n.timers.Batch)) {
		n.tell(now)
	}
	if n.unsettled && !now.Before(n.settledAt.Add(n.timers.Settle)) {
		n.settle(now)
	}
	if !now.Before(n.advertiseAt()) {
		n.advertise(now)
	}
}

// NextSend takes the next packet to send; ok is false when there is none. The packets of one link are sent in this order.
func (n *Node) NextSend() (s Send, ok bool) {
	n.reroute()
	return n.sends.Next()
}

// NextChange takes the next change; ok is false when there is none. Whoever does what the changes say before he sends tells
// nobody of what he does not reach himself.
func (n *Node) NextChange() (c Change, ok bool) {
	n.reroute()
	return n.changes.Next()
}

func (n *Node) report(c Change) { n.changes.Put(c) }

// sender gives what each message says of this router.
func (n *Node) sender() protocol.Sender {
	return protocol.Sender{Router: n.config.Router, Version: protocol.Version}
}

// learn gives what is known of a router, which is at first nothing. It is nil for this router, and if there are too many.
func (n *Node) learn(router string, now time.Time) *remote {
	r, ok := n.byID[router]
	switch {
	case ok:
		return r
	case router == n.config.Router:
		return nil
	case len(n.remotes) >= n.config.MaxRouters:
		if !n.full {
			n.full = true
			n.report(Change{Kind: Refused, Router: router})
		}
		return nil
	}
	r = newRemote(router, now)
	n.byID[router] = r
	at, _ := slices.BinarySearchFunc(n.remotes, router, (*remote).compare)
	n.remotes = slices.Insert(n.remotes, at, r)
	return r
}

// forget drops what is known of a router.
func (n *Node) forget(r *remote) {
	n.flush(r)
	delete(n.byID, r.id)
	at, _ := slices.BinarySearchFunc(n.remotes, r.id, (*remote).compare)
	n.remotes = slices.Delete(n.remotes, at, at+1)
	n.full = false
	n.report(Change{Kind: Forgotten, Router: r.id})
}

func (r *remote) compare(id string) int { return strings.Compare(r.id, id) }

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
