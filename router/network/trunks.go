package network

import (
	"sync/atomic"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// Trunk tells of a link to another router of the network: one of those for messages to any address, or for what routers tell
// each other.
type Trunk struct {
	ID         uint64 // unique among those of the process; it rises
	Connection uint64 // NeighborStatus.ID
	Name       string
	Control    bool // for what routers tell each other
	Sends      bool // this router sends over it; else it receives
	Priority   int  // of the messages that it is for
	Capacity   int  // messages that may be on their way at once, as far as this router says it

	Delivered  uint64
	Presettled uint64    // of those, whose end nobody wants to know
	Ended      [4]uint64 // of the others, by router.State
	Unsettled  uint64
}

// tally is what is told of a link to another router. What has become of its messages the connection's owner counts.
type tally struct {
	neighbor *neighbor
	link     *engine.Link
	number   uint64
	control  bool
	priority int

	delivered, presettled atomic.Uint64
	ended                 [4]atomic.Uint64
}

// counted is a trunk that has a tally.
type counted interface{ counts() *tally }

func (l *lane) counts() *tally       { return &l.tally }
func (in *inlet) counts() *tally     { return &in.tally }
func (c *controlOut) counts() *tally { return &c.tally }
func (c *controlIn) counts() *tally  { return &c.tally }

// usualPriority is that of a message that does not say it.
const usualPriority = 4

// enter has a link be told of.
func (k *neighbor) enter(end trunk, l *engine.Link) {
	c, ok := end.(counted)
	if k.role != InterRouter || !ok {
		return
	}
	t := c.counts()
	t.neighbor, t.link, t.priority = k, l, usualPriority
	switch end := end.(type) {
	case *lane:
		t.priority = k.priorityOf(end)
	case *inlet:
		if !end.extra {
			t.priority = len(k.inlets) - 1
		}
	default:
		t.control = true
	}
	k.tallies = append(k.tallies, t)
	k.network.trunks.Add(&k.network.numbers, t, &t.number)
}

// priorityOf gives the priority of the messages of a lane.
func (k *neighbor) priorityOf(l *lane) int {
	for i, other := range k.lanes {
		if other == l {
			return i
		}
	}
	return usualPriority
}

// delist has links not be told of any more: one, or all for nil.
func (k *neighbor) delist(l *engine.Link) {
	left := k.tallies[:0]
	for _, t := range k.tallies {
		if l == nil || t.link == l {
			k.network.trunks.Remove(t.number)
		} else {
			left = append(left, t)
		}
	}
	clear(k.tallies[len(left):])
	k.tallies = left
}

// begins counts a message.
func (t *tally) begins(settled bool) {
	t.delivered.Add(1)
	if settled {
		t.presettled.Add(1)
	}
}

// ends counts how a message has ended.
func (t *tally) ends(o router.Outcome) { t.ended[o.State].Add(1) }

// Trunks lists the links to other routers, in the order in which they were made: those whose numbers are above after, at most so
// many.
func (n *Network) Trunks(after uint64, most int) []Trunk {
	page := n.trunks.Page(after, most)
	all := make([]Trunk, len(page))
	for i, t := range page {
		all[i] = t.describe()
	}
	return all
}

// Trunk finds one by its number.
func (n *Network) Trunk(id uint64) (Trunk, bool) {
	t, ok := n.trunks.Get(id)
	if !ok {
		return Trunk{}, false
	}
	return t.describe(), true
}

func (t *tally) describe() Trunk {
	d := Trunk{
		ID: t.number, Connection: t.neighbor.number, Name: t.link.Name(), Control: t.control,
		Sends: t.link.Role() == frame.Sender, Priority: t.priority, Capacity: dataCredit,
	}
	if t.control {
		d.Capacity = controlCredit
	}
	ended := uint64(0)
	for i := range t.ended { // before what was delivered, so that no more has ended than that
		d.Ended[i] = t.ended[i].Load()
		ended += d.Ended[i]
	}
	d.Presettled = t.presettled.Load()
	d.Delivered = t.delivered.Load()
	d.Unsettled = d.Delivered - min(ended+d.Presettled, d.Delivered)
	return d
}
