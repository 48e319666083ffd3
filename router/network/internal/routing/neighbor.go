package routing

import (
	"cmp"
	"slices"
	"time"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// link is a control link.
type link struct {
	id     LinkID
	cost   int64
	peer   string    // who said hello on it last; empty before
	heard  time.Time // when that was
	listed time.Time // when there was last a HELLO that listed this router
	mutual bool      // that is not too long ago
	odd    bool      // that there is something wrong with it was reported
}

// better tells whether a link is to be used rather than another to the same router.
func (l *link) better(other *link) bool {
	return other == nil || l.cost < other.cost || l.cost == other.cost && l.id < other.id
}

func (l *link) compare(id LinkID) int { return cmp.Compare(l.id, id) }

// LinkUp says that there is a control link. Its cost, at least 1, is what both ends have agreed on.
func (n *Node) LinkUp(id LinkID, cost int64, now time.Time) {
	at, there := slices.BinarySearchFunc(n.links, id, (*link).compare)
	if there {
		return
	}
	l := &link{id: id, cost: cost}
	n.links = slices.Insert(n.links, at, l)
	n.helloOn(l, now)
}

// LinkDown says that a control link is no more.
func (n *Node) LinkDown(id LinkID, now time.Time) {
	at, there := slices.BinarySearchFunc(n.links, id, (*link).compare)
	if !there {
		return
	}
	peer := n.links[at].peer
	n.links = slices.Delete(n.links, at, at+1)
	n.relink(peer, now)
}

func (n *Node) link(id LinkID) *link {
	at, there := slices.BinarySearchFunc(n.links, id, (*link).compare)
	if !there {
		return nil
	}
	return n.links[at]
}

// hello says hello on all links.
func (n *Node) hello(now time.Time) {
	if len(n.links) == 0 {
		return
	}
	packet := n.helloPacket(now)
	for _, l := range n.links {
		n.sends.Put(Send{l.id, packet})
	}
}

func (n *Node) helloOn(l *link, now time.Time) { n.sends.Put(Send{l.id, n.helloPacket(now)}) }

// helloPacket makes a HELLO. It lists who was heard lately.
func (n *Node) helloPacket(now time.Time) protocol.Packet {
	var seen []string
	for _, l := range n.links {
		if l.peer != "" && now.Sub(l.heard) < n.timers.HelloMaxAge {
			seen = append(seen, l.peer)
		}
	}
	slices.Sort(seen)
	hello := &protocol.Hello{Sender: n.sender(), Instance: n.config.Instance, Seen: slices.Compact(seen)}
	return protocol.Packet{To: protocol.HelloAddress, Message: hello}.Through(n.config.Router)
}

// heardHello takes a HELLO. It is answered at once while the other end has not heard of this one, so that two routers
// need not wait for their clocks to become neighbours.
func (n *Node) heardHello(l *link, m *protocol.Hello, now time.Time) {
	if m.Router == n.config.Router {
		n.heardMyself(l, m.Instance)
		return
	}
	r := n.learn(m.Router, now)
	if r == nil || !n.incarnation(r, m.Instance, now) {
		return
	}
	r.version = m.Version
	former := l.peer
	l.peer, l.heard = m.Router, now
	if former != l.peer {
		l.mutual = false
		n.relink(former, now)
	}
	listed := slices.Contains(m.Seen, n.config.Router)
	if listed {
		l.listed, l.mutual = now, true
	}
	if !listed || former != l.peer {
		n.helloOn(l, now)
	}
	n.relink(l.peer, now)
}

// heardMyself takes a HELLO with this router's own id.
func (n *Node) heardMyself(l *link, instance int64) {
	if l.odd {
		return
	}
	l.odd = true
	kind := Looped
	if instance != n.config.Instance {
		kind = Duplicate
	}
	n.report(Change{Kind: kind, Router: n.config.Router, Link: l.id})
}

// expireNeighbors ends what no HELLO has confirmed for too long.
func (n *Node) expireNeighbors(now time.Time) {
	for _, l := range n.links {
		if l.mutual && now.Sub(l.listed) >= n.timers.HelloMaxAge {
			l.mutual = false
			n.report(Change{Kind: Silent, Router: l.peer, Link: l.id})
			n.relink(l.peer, now)
		}
	}
}

// relink chooses the link to a router anew.
func (n *Node) relink(router string, now time.Time) {
	r := n.byID[router]
	if r == nil {
		return
	}
	var best *link
	for _, l := range n.links {
		if l.mutual && l.peer == router && l.better(best) {
			best = l
		}
	}
	former := r.link
	if best == former {
		return
	}
	r.link = best
	n.doubt()
	if best == nil {
		n.parted = append(n.parted, Change{Kind: Parted, Router: router, Link: former.id})
		return
	}
	n.report(Change{Kind: Met, Router: router, Link: best.id})
	if former == nil {
		r.state.wanted = true
		n.ask(r, now)
	}
}
