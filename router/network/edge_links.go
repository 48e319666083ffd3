package network

import (
	"crypto/rand"
	"slices"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/network/internal/edge"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/tenancy"
)

// activate attaches what an uplink has besides the links for addresses: one to send to all of them on, one to receive on what
// is for this router by its name, and one for news.
func (k *neighbor) activate() {
	s := k.Begin()
	if s == nil {
		k.refuseAll("it allows too few sessions (channel-max)")
		return
	}
	k.spurs.session = s
	own := &frame.Source{Address: k.mesh.ID(), HasAddress: true, Capabilities: []amqp.Symbol{edge.DownlinkCapability}}
	k.attachTrunk(s, frame.Sender, &frame.Source{}, &frame.Target{}, k.lanes[0])
	k.attachTrunk(s, frame.Receiver, own, &frame.Target{Capabilities: own.Capabilities}, k.newInlet())
	if s = k.Begin(); s == nil {
		k.refuseAll("it allows too few sessions (channel-max)")
		return
	}
	tracking := &frame.Source{Address: edge.TrackingAddress, HasAddress: true}
	k.attachTrunk(s, frame.Receiver, tracking, &frame.Target{}, &newsIn{neighbor: k})
}

// attachTrunk attaches a link over an edge connection. It is false if the other side allows no more.
func (k *neighbor) attachTrunk(s *engine.Session, role frame.Role, from *frame.Source, to *frame.Target, end trunk) bool {
	l := s.Attach(frame.Attach{
		Name: "manifold." + rand.Text(), Role: role, SenderSettleMode: frame.SendMixed, Source: from, Target: to,
	})
	if l == nil {
		return false
	}
	l.Context = end
	end.bind(l)
	return true
}

// attachSpur attaches a link for an address, where clients receive at the phase egress.
func (k *neighbor) attachSpur(s spur, d edge.Direction, key protocol.Key, egress uint8) {
	var capabilities []amqp.Symbol
	if c := edge.Capability(d, key.Phase(), egress); c != "" {
		capabilities = []amqp.Symbol{c}
	}
	role, from, to := frame.Sender, &frame.Source{}, &frame.Target{}
	if d == edge.Send {
		to = &frame.Target{Address: key.Name(), HasAddress: true, Capabilities: capabilities}
	} else {
		role, from = frame.Receiver, &frame.Source{Address: key.Name(), HasAddress: true, Capabilities: capabilities}
	}
	if k.spurs.session == nil || !k.attachTrunk(k.spurs.session, role, from, to, s) {
		if k.spurs.session = k.Begin(); k.spurs.session == nil || !k.attachTrunk(k.spurs.session, role, from, to, s) {
			s.detached()
		}
	}
}

// tellEdge has the edge router's goroutine know of something that happened on a link.
func (k *neighbor) tellEdge(what func(*edge.Router, time.Time)) {
	k.mesh.inputs.Put(func(now time.Time) {
		if k.mesh.fringe != nil {
			what(k.mesh.fringe.router, now)
		}
	})
}

// tellHub has the goroutine of a router know of something that an edge router has done.
func (k *neighbor) tellHub(what func(*hub)) {
	k.mesh.inputs.Put(func(time.Time) {
		if k.mesh.hub != nil {
			what(k.mesh.hub)
		}
	})
}

// requestedByEdge answers an attach over an edge connection.
func (k *neighbor) requestedByEdge(l *engine.Link) {
	var err error
	switch remote := l.Remote(); {
	case l.Role() == frame.Sender && remote.Source == nil, l.Role() == frame.Receiver && remote.Target == nil:
		l.Refuse(&frame.Error{Condition: frame.InvalidField, Description: "a source and a target are required"})
	case l.Role() == frame.Sender:
		err = k.servesEdge(l, remote.Source)
	default:
		err = k.hearsEdge(l, remote.Target)
	}
	if err != nil {
		l.Refuse(&frame.Error{Condition: frame.NotFound, Description: err.Error()})
	}
}

// errNoEdgeID is for an edge router that does not say how it is called.
var errNoEdgeID = router.Errorf(router.Malformed, "the source of a downlink is the id of an edge router")

// errOnlyAsked is for who wants to hear what others ask.
var errOnlyAsked = router.Errorf(router.Unsupported, "%s is only sent to", edge.LookupAddress)

// accept accepts a link over an edge connection.
func accept(l *engine.Link, end trunk) {
	l.Context = end
	end.bind(l)
	l.Accept(frame.Attach{})
	end.attached()
}

// servesEdge answers a link on which the other side wants to receive.
func (k *neighbor) servesEdge(l *engine.Link, source *frame.Source) error {
	downlink := slices.Contains(source.Capabilities, edge.DownlinkCapability)
	switch {
	case downlink && !protocol.ValidID(source.Address):
		return errNoEdgeID
	case downlink && k.lanes[0].link == nil && !k.mesh.isEdge():
		k.spurs.name = source.Address
		accept(l, k.lanes[0])
		k.tellHub(func(h *hub) { h.downlink(k, source.Address, true) })
	case source.Dynamic:
		return k.serveReplies(l, source)
	case source.Address == edge.LookupAddress:
		return errOnlyAsked
	case source.Address == edge.TrackingAddress:
		k.spurs.news = &newsOut{neighbor: k}
		accept(l, k.spurs.news)
	case source.Address == "":
		accept(l, &laneless{})
	default:
		key, egress := k.keyNamed(source.Address)
		key = protocol.MobileKey(edge.Phase(edge.Receive, egress, source.Capabilities), key.Name())
		s := &spurOut{lane: lane{neighbor: k}, key: key}
		if err := s.serve(); err != nil {
			return err
		}
		accept(l, s)
	}
	return nil
}

// hearsEdge answers a link on which the other side wants to send.
func (k *neighbor) hearsEdge(l *engine.Link, target *frame.Target) error {
	switch {
	case target.Dynamic:
		return errNoDynamicTarget
	case target.Address == "":
		accept(l, k.newInlet())
	case target.Address == edge.LookupAddress:
		accept(l, &questions{neighbor: k})
	case target.Address == edge.HeartbeatAddress:
		accept(l, &heartbeats{})
	case target.Address[0] == '$' || target.Address[0] == '_':
		place, err := addressing.ParseAddress(target.Address)
		if err != nil {
			return err
		}
		in := k.newInlet()
		in.place = place
		accept(l, in)
	default:
		key, _ := k.keyNamed(target.Address)
		key = protocol.MobileKey(edge.Phase(edge.Send, 0, target.Capabilities), key.Name())
		s := k.newSpurIn(key, 0)
		if err := s.serve(); err != nil {
			return err
		}
		accept(l, s)
	}
	return nil
}

// keyNamed gives the key of an address that another router calls so, and the phase at which clients receive there.
func (k *neighbor) keyNamed(address string) (protocol.Key, uint8) {
	key := protocol.MobileKey(0, protocol.Locate(address, k.mesh.ID()).Name)
	return key, k.mesh.egress(key)
}

// serveReplies makes an address for answers to the other side.
func (k *neighbor) serveReplies(l *engine.Link, source *frame.Source) error {
	t, ok := k.network.config.Directory.Lookup(tenancy.DefaultTenant)
	if !ok {
		return errNoDynamicTarget
	}
	a, release := k.network.config.Router.Temporary(insider(t))
	s := &spurOut{lane: lane{neighbor: k}, release: release}
	if err := s.serveAt(t, a); err != nil {
		release()
		return err
	}
	answer := *source
	answer.Address, answer.HasAddress = "amqp:/"+string(a), true
	l.Context = s
	s.bind(l)
	l.Accept(frame.Attach{Source: &answer})
	return nil
}
