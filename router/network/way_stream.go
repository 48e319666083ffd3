package network

import (
	"slices"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// maxStreamLanes is how many data links a connection may have for messages that stream.
const maxStreamLanes = 64

// A message that streams takes as long as it takes to come. Where the other side offers that (qd.streaming-links) it goes
// over a data link of its own, in a session of its own, so that it holds up nobody else's. What the same sender sends after
// it goes there too, behind it: so what one sender sends to an address stays in order, here and at the routers that follow.
// Such links are kept for the next one.

// streamLane gives the lane of what streams on which a message goes: where the stream before it of its sender has gone, or
// for a new one where nothing is under way. It is nil for a message that has none to follow, and when there can be no more.
func (k *neighbor) streamLane(p parcel) *lane {
	stream := p.delivery.Stream
	i := slices.IndexFunc(k.streamLanes, func(l *lane) bool { return l.leader == p.after })
	switch {
	case p.after != nil && i >= 0:
		if stream != nil {
			k.streamLanes[i].leader = stream
		}
		return k.streamLanes[i]
	case stream == nil:
		return nil
	}
	l := k.spareLane()
	if l != nil {
		l.leader, l.silent = stream, false
	}
	return l
}

// spareLane gives a lane for another sender: preferably one of which it is known that all has arrived that went on it. It is
// nil when something is under way on each, and there can be none more.
func (k *neighbor) spareLane() *lane {
	if i := slices.IndexFunc(k.streamLanes, (*lane).idle); i >= 0 {
		return k.streamLanes[i]
	}
	if l := k.openStreamLane(); l != nil {
		return l
	}
	if i := slices.IndexFunc(k.streamLanes, (*lane).free); i >= 0 {
		return k.streamLanes[i]
	}
	return nil
}

// hasStreamLinks tells whether the other side knows links for messages that stream.
func (k *neighbor) hasStreamLinks() bool {
	return slices.Contains(k.Remote().OfferedCapabilities, streamingCapability)
}

// openStreamLane attaches the link of one lane more; nil if there can be none.
func (k *neighbor) openStreamLane() *lane {
	if !k.hasStreamLinks() || len(k.streamLanes) == maxStreamLanes {
		return nil
	}
	s := k.Begin()
	if s == nil {
		return nil
	}
	l := &lane{neighbor: k, extra: true}
	a := attachment(frame.Sender, dataCapability)
	if k.role == Edge { // there, a link to all addresses has none of its own
		a.Source, a.Target = &frame.Source{}, &frame.Target{}
	}
	link := s.Attach(a)
	if link == nil {
		s.End(nil)
		return nil
	}
	link.Context = l
	l.bind(link)
	k.enter(l, link)
	k.streamLanes = append(k.streamLanes, l)
	return l
}

// idle tells whether all that went on a lane has arrived where it went to.
func (l *lane) idle() bool { return l.free() && l.open == 0 && !l.silent }

// free tells whether nothing is under way on a lane, and nothing waits for it.
func (l *lane) free() bool { return len(l.queue) == 0 && !l.download.Busy() }

// gone forgets a lane that the other side has ended, which it may when nothing is under way.
func (l *lane) gone(link *engine.Link) {
	l.streamLanes = slices.DeleteFunc(l.streamLanes, func(other *lane) bool { return other == l })
	link.Session().End(nil)
}
