package network

import (
	"context"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/network/internal/edge"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/tenancy"
	"time"
)

// errNoDynamicTarget is for what is not made for a router.
var errNoDynamicTarget = router.Errorf(router.Unsupported, "there are no such dynamic nodes here")

// spurOut is a link on which messages of one address go over an edge connection: up, by an uplinkWay, or down to the
// consumers of an edge router.
type spurOut struct {
	lane
	number  edge.LinkID  // of one that goes up; 0 for one that goes down
	key     protocol.Key // of one that goes down; empty for that of answers
	way     *way         // by which one that goes down gets its messages
	release func()       // of the address that was made for it; nil for none
	leaving bool         // it ends when nothing is under way
}

var _ spur = (*spurOut)(nil)

func (s *spurOut) bind(l *engine.Link) {
	s.lane.bind(l)
	s.spurs.add(s)
}

func (s *spurOut) unfinished() int { return s.open + len(s.queue) }

// serve begins to take the messages of an address for an edge router.
func (s *spurOut) serve() error {
	k := s.neighbor
	w := &downlinkWay{}
	err := w.open(k.mesh, k, &s.lane, s.key, w, protocol.Unknown)
	if router.ReasonOf(err) == router.NotFound { // a queue or a topic of this router's
		err = w.open(k.mesh, k, &s.lane, s.key, plainWay{&w.way}, protocol.Unknown)
	}
	if err != nil {
		return err
	}
	s.way = &w.way
	s.way.use()
	a := protocol.Address{Key: s.key, Treatment: treatmentOf(w.receiver)}
	k.tellHub(func(h *hub) { h.attached(k, a, edge.Receive) })
	return nil
}

// serveAt begins to take what is sent to an address that was made for answers.
func (s *spurOut) serveAt(t *tenancy.Tenant, a addressing.Address) (err error) {
	s.way = &way{neighbor: s.neighbor, lane: &s.lane, literal: true}
	source := router.Source{Filter: a.Filter()}
	s.way.receiver, err = s.network.config.Router.Receiver(context.Background(), s.insider(t), source, plainWay{s.way})
	if err == nil {
		s.way.use()
	}
	return err
}

// treatmentOf gives how the network is to treat an address with such a consumer.
func treatmentOf(r *router.Receiver) protocol.Treatment {
	if r.Kind() == addressing.Broadcast || r.Kind() == addressing.Topic {
		return protocol.Multicast
	}
	return protocol.Balanced
}

// attached notes that the interior router has answered.
func (s *spurOut) attached() {
	if s.number != 0 {
		s.tellEdge(func(r *edge.Router, now time.Time) { r.Attached(s.number, now) })
	}
}

// leave has the link end when nothing is under way. The way that leads here has been told to end before.
func (s *spurOut) leave() {
	s.leaving = true
	s.neighbor.sendParcels()
	s.finished()
}

func (s *spurOut) finished() {
	if s.leaving && s.open == 0 && len(s.queue) == 0 && !s.over && s.link != nil {
		s.link.Close(nil)
	}
}

// progressed hears what became of a message.
func (s *spurOut) progressed(u engine.Update) {
	s.lane.progressed(u)
	s.finished()
}

// detached gives back what had not gone out.
func (s *spurOut) detached() {
	if s.over {
		return
	}
	delete(s.spurs.all, s)
	s.giveBack()
	k := s.neighbor
	if s.number != 0 {
		s.tellEdge(func(r *edge.Router, now time.Time) { r.Refused(s.number, now) })
		return
	}
	if s.way != nil {
		s.way.part()
	}
	if s.release != nil {
		s.release()
		return
	}
	k.tellHub(func(h *hub) { h.detached(k, s.key, edge.Receive) })
}

// spurIn is a link on which messages of one address come over an edge connection.
type spurIn struct {
	*inlet
	key    protocol.Key
	number edge.LinkID // of one that comes down; 0 for one that comes up
	stored bool        // the address is a queue or a topic of this router's
	over   bool
}

var _ spur = (*spurIn)(nil)

func (s *spurIn) bind(l *engine.Link) {
	s.inlet.bind(l)
	s.spurs.add(s)
}

func (s *spurIn) unfinished() int { return s.open }

// newSpurIn gives the end of a link that is about to be attached.
func (k *neighbor) newSpurIn(key protocol.Key, number edge.LinkID) *spurIn {
	s := &spurIn{inlet: &inlet{neighbor: k, fixed: key}, key: key, number: number}
	s.senders.init()
	return s
}

// serve begins to take in messages of an edge router's producers.
func (s *spurIn) serve() error {
	place := protocol.Place{Class: protocol.Mobile, Name: s.key.Name()}
	sender, err := s.senders.find(s.inlet, s.key, place)
	if err != nil {
		return err
	}
	s.stored = sender.Kind() == addressing.Queue || sender.Kind() == addressing.Topic
	s.senders.done(sender)
	return nil
}

// attached begins to receive.
func (s *spurIn) attached() {
	s.inlet.attached()
	k := s.neighbor
	switch {
	case s.number != 0:
		s.tellEdge(func(r *edge.Router, now time.Time) { r.Attached(s.number, now) })
	case s.stored:
		k.tell(edge.News{Key: s.key, Reachable: true})
	default:
		k.tellHub(func(h *hub) { h.attached(k, protocol.Address{Key: s.key}, edge.Send) })
	}
}

// leave has the link end; what has come in and is not settled comes to nothing here, and is sent elsewhere.
func (s *spurIn) leave() {
	if !s.over && s.link != nil {
		s.link.Close(nil)
	}
}

// detached leaves the address.
func (s *spurIn) detached() {
	if s.over {
		return
	}
	s.over = true
	delete(s.spurs.all, s)
	s.letGo()
	k := s.neighbor
	switch {
	case s.number != 0:
		s.tellEdge(func(r *edge.Router, now time.Time) { r.Refused(s.number, now) })
	case !s.stored:
		k.tellHub(func(h *hub) { h.detached(k, s.key, edge.Send) })
	}
}
