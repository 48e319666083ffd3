package passage

import (
	"sync"
	"sync/atomic"

	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/tenancy/register"
)

// A List has the ends of links that lead on, by the owners of the links. Any goroutine may ask it. Its zero value is empty.
type List struct {
	numbers register.Numbers
	owners  sync.Map // of *owned, by the names of owners
}

// owned is what belongs to an owner.
type owned struct {
	links register.Of[*End]
	totals
}

// totals count all messages of an owner's links, also of those that are over.
type totals struct{ came, went, onward atomic.Uint64 }

// Totals is how many messages have come in over the links of an owner, and how many of them went to clients and containers, and
// how many on to other routers.
type Totals struct{ Came, Went, Onward uint64 }

// Totals gives those of an owner. They only rise.
func (l *List) Totals(owner string) Totals {
	t := &l.of(owner).totals
	return Totals{Came: t.came.Load(), Went: t.went.Load(), Onward: t.onward.Load()}
}

// Link is what there is to say about an end of a link that leads on.
type Link struct {
	ID         uint64 // unique among those of a List; it rises
	Peer       uint64 // the ID of the other end
	Connection uint64 // Desk.Number
	Name       string // of the link on this connection
	Address    string // as who asked for the link calls it; see Address
	Sends      bool   // who is at this end sends; else he receives
	Credit     int    // that who receives has given, and who sends has not used

	Delivered  uint64 // messages that have come from who is at this end, or were given to him
	Presettled uint64 // of those, that came settled
	Unsettled  uint64
	Accepted   uint64
	Rejected   uint64
	Released   uint64
	Modified   uint64
}

// entry is what an end has that is in a list: what it is, which does not change, and what has become of its messages, which its
// owner counts.
type entry struct {
	list       *owned // nil for none
	number     uint64
	peer       atomic.Uint64
	connection uint64
	label      string
	address    string
	sends      bool
	router     bool // who is at this end is a router: Desk.Router

	delivered, presettled atomic.Uint64
	outcomes              [frame.Modified + 1]atomic.Uint64 // by their kinds
	unsettled, credit     atomic.Int64
}

// of gives what belongs to an owner.
func (l *List) of(owner string) *owned {
	all, ok := l.owners.Load(owner)
	if !ok {
		all, _ = l.owners.LoadOrStore(owner, new(owned))
	}
	return all.(*owned)
}

// add enters both ends of a link.
func (l *List) add(owner string, near, far *End) {
	all := l.of(owner)
	for _, e := range []*End{near, far} {
		e.list = all
		all.links.Add(&l.numbers, e, &e.number)
	}
	near.peer.Store(far.number)
	far.peer.Store(near.number)
}

// delist takes out an end that is over.
func (e *End) delist() {
	if e.list != nil {
		e.list.links.Remove(e.number)
	}
}

// Page gives the links of an owner in the order in which they were made: those whose numbers are above after, at most so many.
func (l *List) Page(owner string, after uint64, most int) []Link {
	page := l.of(owner).links.Page(after, most)
	links := make([]Link, len(page))
	for i, e := range page {
		links[i] = e.describe()
	}
	return links
}

// Get finds a link of an owner by its number.
func (l *List) Get(owner string, id uint64) (Link, bool) {
	e, ok := l.of(owner).links.Get(id)
	if !ok {
		return Link{}, false
	}
	return e.describe(), true
}

func (e *entry) describe() Link {
	return Link{
		ID: e.number, Peer: e.peer.Load(), Connection: e.connection, Name: e.label, Address: e.address, Sends: e.sends,
		Credit: int(max(e.credit.Load(), 0)), Delivered: e.delivered.Load(), Presettled: e.presettled.Load(),
		Unsettled: uint64(max(e.unsettled.Load(), 0)),
		Accepted:  e.outcomes[frame.Accepted].Load(), Rejected: e.outcomes[frame.Rejected].Load(),
		Released: e.outcomes[frame.Released].Load(), Modified: e.outcomes[frame.Modified].Load(),
	}
}

// counted counts a delivery that begins.
func (e *entry) counted(settled bool) {
	e.delivered.Add(1)
	if settled {
		e.presettled.Add(1)
	}
	switch {
	case e.list == nil:
	case e.sends:
		e.list.came.Add(1)
	case e.router:
		e.list.onward.Add(1)
	default:
		e.list.went.Add(1)
	}
}

// ends counts how a delivery has ended.
func (e *entry) ends(s frame.State) {
	if int(s.Kind) < len(e.outcomes) {
		e.outcomes[s.Kind].Add(1)
	}
}

// look takes down what the engine says of the link.
func (e *End) look() {
	if e.link != nil {
		e.unsettled.Store(int64(e.link.Unsettled()))
	}
}
