package routing

import (
	"time"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/network/internal/topology"
)

// remote is what is known of another router.
type remote struct {
	id       string
	version  int64
	instance int64     // of its present life; 0 if it has not told
	former   int64     // of the life before
	since    time.Time // when the present life was first heard of
	heard    time.Time // when it last told something about itself, or was first heard of
	unwanted int       // for how many sweeps it was nobody's neighbour

	link *link  // the best link to it, if it is a neighbour
	via  LinkID // where its last message came from: a way back while there is no route

	state     record // of its link state
	peers     []topology.Edge
	mobile    record // of its addresses
	addresses map[protocol.Key]protocol.Treatment
	refused   bool // that it has too many was reported

	passed [passedKinds]passed // the newest that was passed on for it to all
}

func newRemote(id string, now time.Time) *remote {
	return &remote{
		id:        id,
		since:     now,
		heard:     now,
		state:     record{wanted: true},
		addresses: make(map[protocol.Key]protocol.Treatment),
	}
}

// record is how far something of another router is known that has numbers.
type record struct {
	sequence int64
	wanted   bool      // there is more to know
	doubted  bool      // it cannot be what it is taken for: the next that comes counts, whatever its number
	asked    time.Time // when it was last asked for in vain
}

// advertise takes note of the number that the other router has reached. A lower one than is known here means that what is
// known came late, from an earlier life.
func (r *record) advertise(sequence int64) {
	r.wanted = sequence != r.sequence
	r.doubted = sequence < r.sequence
}

// takes tells whether what has this number is news. When it is just what is known, there is no more to ask for.
func (r *record) takes(sequence int64) bool {
	if sequence == r.sequence {
		r.wanted = false
	}
	return sequence > r.sequence || sequence < r.sequence && r.doubted
}

// took takes note that it is known up to this number.
func (r *record) took(sequence int64) { *r = record{sequence: sequence} }

// due tells whether to ask for it now.
func (r *record) due(now time.Time, again time.Duration) bool {
	return r.wanted && now.Sub(r.asked) >= again
}

// passed is a message to all that was passed on.
type passed struct {
	instance, first, second int64 // its numbers
	at                      time.Time
}

// newer tells whether a message is ahead of another one of its kind.
func (p passed) newer(other passed) bool {
	if p.instance != other.instance {
		return p.instance > other.instance
	}
	return p.first > other.first || p.second > other.second
}

// passedKind is a kind of message to all.
type passedKind uint8

const (
	passedAdvertisement passedKind = iota
	passedLinkState
	passedAddresses
	passedKinds
)

// incarnation takes note of the life that a router says to be in. It is false for what a router said in an earlier life
// and which comes late.
func (n *Node) incarnation(r *remote, instance int64, now time.Time) bool {
	switch {
	case instance == 0 || instance == r.instance:
		return true
	case r.instance == 0:
		r.instance, r.since = instance, now
		return true
	case instance < r.instance && now.Sub(r.since) < n.timers.HelloMaxAge:
		return false
	}
	kind := Restarted
	if instance == r.former {
		kind = Duplicate
	}
	n.report(Change{Kind: kind, Router: r.id})
	r.former, r.instance, r.since = r.instance, instance, now
	r.state, r.peers = record{wanted: true}, nil
	r.passed = [passedKinds]passed{}
	n.flush(r)
	n.doubt()
	return true
}

// flush drops the addresses of a router.
func (n *Node) flush(r *remote) {
	r.mobile = record{}
	if len(r.addresses) > 0 {
		clear(r.addresses)
		n.report(Change{Kind: Flushed, Router: r.id})
	}
}

// ask sends the requests that are due to a router.
func (n *Node) ask(r *remote, now time.Time) {
	if r.state.due(now, n.timers.AdvertiseInFlux) {
		if n.sendTo(r, protocol.RouterAddress(r.id), &protocol.LinkStateRequest{Sender: n.sender()}) {
			r.state.asked = now
		}
	}
	if r.mobile.due(now, n.timers.AdvertiseInFlux) {
		have := r.mobile.sequence
		if r.mobile.doubted {
			have = 0
		}
		request := &protocol.AddressesRequest{Sender: n.sender(), Have: have}
		if n.sendTo(r, protocol.RouterAddresses(r.id), request) {
			r.mobile.asked = now
		}
	}
}
