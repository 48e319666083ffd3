package routing_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router/network/internal/forwarding"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/network/internal/routing"
)

// network is routers and wires between them in virtual time: nothing waits, and the same seed gives the same course.
type network struct {
	t       testing.TB
	random  *rand.Rand
	now     time.Time
	timers  routing.Timers
	routers []*router
	wires   []*wire
	events  agenda
	loss    float64 // of packets
	links   routing.LinkID
	sent    int // packets
}

// router is one node of the network. It is dead while node is nil.
type router struct {
	id       string
	node     *routing.Node
	instance int64
	table    *forwarding.Table
	stale    bool // the table has not got the newest routes
	local    map[protocol.Key]bool
	ends     map[routing.LinkID]*wire
	wakeAt   time.Time
	changes  []routing.Change
}

// wire is a connection between two routers.
type wire struct {
	number int
	ends   [2]*router
	ids    [2]routing.LinkID // of the link at each end; 0 while the connection is down
	cost   int64
	delay  time.Duration
	silent bool         // loses everything, and nobody is told
	clear  [2]time.Time // when the last packet to each end arrives: none overtakes another
}

func newNetwork(t testing.TB, seed uint64) *network {
	return &network{
		t:      t,
		random: rand.New(rand.NewPCG(seed, 0)),
		now:    time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC),
		timers: routing.Timers{}.WithDefaults(),
	}
}

// add adds a router, which starts now.
func (net *network) add(id string) *router {
	r := &router{id: id, local: make(map[protocol.Key]bool)}
	net.routers = append(net.routers, r)
	net.start(r)
	return r
}

// start gives a router a new life, without links.
func (net *network) start(r *router) {
	r.instance = max(r.instance+1, net.now.Unix())
	r.node = routing.New(routing.Config{Router: r.id, Instance: r.instance, Timers: net.timers}, net.now)
	r.table = forwarding.NewTable(r.id)
	r.ends = make(map[routing.LinkID]*wire)
	for key := range r.local {
		r.node.Announce(protocol.Address{Key: key, Treatment: protocol.Multicast})
	}
	net.after(r)
}

// kill ends a router's life. Its neighbours hear of it only if it goes with a word, as when its connections are closed.
func (net *network) kill(r *router, word bool) {
	r.node = nil
	for _, w := range net.wires {
		if w.ends[0] != r && w.ends[1] != r {
			continue
		}
		if word {
			net.cut(w)
		} else {
			w.silent = true
		}
	}
}

// wire adds a connection, which is up if both ends live.
func (net *network) wire(a, b *router, cost int64, delay time.Duration) *wire {
	w := &wire{number: len(net.wires), ends: [2]*router{a, b}, cost: cost, delay: delay}
	net.wires = append(net.wires, w)
	net.connect(w)
	return w
}

// connect brings a connection up, anew if it was.
func (net *network) connect(w *wire) {
	net.cut(w)
	w.silent = false
	if w.ends[0].node == nil || w.ends[1].node == nil {
		return
	}
	for i, r := range w.ends {
		net.links++
		w.ids[i] = net.links
		r.ends[w.ids[i]] = w
	}
	for i, r := range w.ends {
		r.node.LinkUp(w.ids[i], w.cost, net.now)
		net.after(r)
	}
}

// cut takes a connection down; both ends notice.
func (net *network) cut(w *wire) {
	for i, r := range w.ends {
		if id := w.ids[i]; id != 0 && r.node != nil {
			delete(r.ends, id)
			r.node.LinkDown(id, net.now)
			net.after(r)
		}
	}
	w.ids = [2]routing.LinkID{}
}

// works tells whether a wire carries packets.
func (w *wire) works() bool {
	return w.ids[0] != 0 && !w.silent && w.ends[0].node != nil && w.ends[1].node != nil
}

// consume lets a consumer of an address come to a router, or go from it.
func (net *network) consume(r *router, key protocol.Key, comes bool) {
	if comes {
		r.local[key] = true
	} else {
		delete(r.local, key)
	}
	if r.node == nil {
		return
	}
	if comes {
		r.node.Announce(protocol.Address{Key: key, Treatment: protocol.Multicast})
	} else {
		r.node.Withdraw(key)
	}
	net.after(r)
}

// after takes what a router has to say, and sees that it is called when something is due.
func (net *network) after(r *router) {
	for {
		send, ok := r.node.NextSend()
		if !ok {
			break
		}
		net.transmit(r, send)
	}
	for {
		change, ok := r.node.NextChange()
		if !ok {
			break
		}
		r.table.Apply(change)
		if change.Kind == routing.Rerouted {
			r.stale = true
			continue
		}
		r.changes = append(r.changes, change)
	}
	deadline := r.node.Deadline()
	if deadline.Before(net.now) {
		deadline = net.now
	}
	if !deadline.Equal(r.wakeAt) {
		r.wakeAt = deadline
		net.events.push(deadline, event{to: r, node: r.node})
	}
}

// transmit puts a packet on a wire. Now and then it goes as octets.
func (net *network) transmit(from *router, send routing.Send) {
	w := from.ends[send.Link]
	net.sent++
	if w == nil || !w.works() || net.random.Float64() < net.loss {
		return
	}
	end := 0
	if w.ids[0] == send.Link {
		end = 1
	}
	if net.sent%64 == 0 {
		parsed, err := protocol.Parse(send.Packet.Append(nil))
		if err != nil {
			net.t.Fatalf("%s sends what cannot be read: %v", from.id, err)
		}
		send.Packet = parsed
	}
	arrival := net.now.Add(w.delay)
	if arrival.Before(w.clear[end]) {
		arrival = w.clear[end]
	}
	w.clear[end] = arrival
	to := w.ends[end]
	net.events.push(arrival, event{to: to, node: to.node, wire: w, link: w.ids[end], packet: send.Packet})
}

// run lets time pass.
func (net *network) run(d time.Duration) {
	end := net.now.Add(d)
	for {
		e, at, ok := net.events.pop(end)
		if !ok {
			net.now = end
			return
		}
		if at.After(net.now) {
			net.now = at
		}
		net.happen(e, at)
	}
}

func (net *network) happen(e event, at time.Time) {
	r := e.to
	switch {
	case r.node == nil || r.node != e.node:
		return // it has died since
	case e.wire == nil:
		if !at.Equal(r.wakeAt) {
			return // something else was due earlier
		}
		r.wakeAt = time.Time{}
		r.node.Advance(net.now)
	case r.ends[e.link] != e.wire || !e.wire.works():
		return // the connection has broken since
	default:
		r.node.Receive(e.link, e.packet, net.now)
	}
	net.after(r)
}

// tables gives a router's table with its newest routes.
func (r *router) tables() *forwarding.Table {
	if r.stale {
		r.table.Reroute(r.node.Routes(), r.node.Routes().Origins())
		r.stale = false
	}
	return r.table
}

// reported counts the changes of a kind that a router reported.
func (r *router) reported(kind routing.ChangeKind) (count int) {
	for _, c := range r.changes {
		if c.Kind == kind {
			count++
		}
	}
	return count
}

// way describes a router's route, such as "B 3".
func (r *router) way(to string) string {
	route, ok := r.node.Routes().To(to)
	if !ok {
		return "none"
	}
	return fmt.Sprint(route.NextHop, " ", route.Cost)
}

func (net *network) router(id string) *router {
	return net.routers[slices.IndexFunc(net.routers, func(r *router) bool { return r.id == id })]
}

// event is a packet that arrives at a router, or without a wire a moment at which something is due there.
type event struct {
	to     *router
	node   *routing.Node // the life in which it is to arrive
	wire   *wire
	link   routing.LinkID
	packet protocol.Packet
}
