package network

import (
	"cmp"
	"slices"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// maxStreamLanes is how many data links a connection may have for messages that stream.
const maxStreamLanes = 64

// A message that streams takes as long as it takes to come. Where the other side offers that (qd.streaming-links) it goes
// over a data link of its own, in a session of its own, so that it holds up nobody else's. What the same sender sends after
// it goes there too, behind it: so what one sender sends to an address stays in order, here and at the routers that follow.
// Such links are kept for the next one. Where there can be no more of them several senders share one, and wait for each other
// there rather than hold up everybody.

// convoy is what goes on a lane of streams one after the other, until all of it is known to have arrived: streams, and what their
// senders send after them. Each stream is told with which it goes, so that the next message of its sender finds it.
type convoy struct {
	silent bool // something has gone of whose end nobody hears
}

// streamLane gives the lane of what streams on which a message goes: with the convoy of the stream before it of its sender, or
// for a new one where nothing is under way. It is nil for a message that has none to follow, and when there is no such lane.
func (k *neighbor) streamLane(p parcel) *lane {
	l, stream := k.laneBehind(p.after), p.delivery.Stream
	if stream == nil {
		return l
	}
	if l == nil {
		l = k.spareLane()
	}
	if l != nil {
		stream.Join(l.convoy)
	}
	return l
}

// laneBehind gives the lane of the convoy that a stream goes with; nil if all of that has arrived.
func (k *neighbor) laneBehind(s *router.Stream) *lane {
	if s == nil {
		return nil
	}
	with := s.Convoy()
	if i := slices.IndexFunc(k.streamLanes, func(l *lane) bool { return l.convoy == with }); i >= 0 {
		return k.streamLanes[i]
	}
	return nil
}

// spareLane gives a lane for another sender: one of which it is known that all has arrived that went on it, or a new one. When
// there can be none more it is the one with the least before it. It is nil when there is none at all.
func (k *neighbor) spareLane() *lane {
	if i := slices.IndexFunc(k.streamLanes, (*lane).idle); i >= 0 {
		l := k.streamLanes[i]
		l.convoy = new(convoy)
		return l
	}
	if l := k.openStreamLane(); l != nil || len(k.streamLanes) == 0 {
		return l
	}
	return slices.MinFunc(k.streamLanes, func(a, b *lane) int {
		return cmp.Or(cmp.Compare(a.waiting(), b.waiting()), cmp.Compare(a.open, b.open))
	})
}

// hasStreamLinks tells whether the other side knows links for messages that stream.
func (k *neighbor) hasStreamLinks() bool {
	return slices.Contains(k.Remote().OfferedCapabilities, streamingCapability)
}

// openStreamLane attaches the link of one lane more; nil if there can be none.
func (k *neighbor) openStreamLane() *lane {
	if len(k.streamLanes) == maxStreamLanes || !k.hasStreamLinks() {
		return nil
	}
	s := k.Begin()
	if s == nil {
		return nil
	}
	l := &lane{neighbor: k, extra: true, convoy: new(convoy)}
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

// idle tells whether all that went on an extra lane has arrived where it went to.
func (l *lane) idle() bool { return l.waiting() == 0 && l.open == 0 && !l.convoy.silent }

// waiting is how many messages are before a new one: those that wait, and one that is under way.
func (l *lane) waiting() int {
	n := len(l.queue)
	if l.download.Busy() {
		n++
	}
	return n
}

// gone forgets a lane that the other side has ended, which it may when nothing is under way.
func (l *lane) gone(link *engine.Link) {
	l.streamLanes = slices.DeleteFunc(l.streamLanes, func(other *lane) bool { return other == l })
	link.Session().End(nil)
}
