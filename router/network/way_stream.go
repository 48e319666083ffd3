package network

import (
	"slices"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// maxStreamLanes is how many data links a connection may have for messages that stream.
const maxStreamLanes = 64

// A message that streams takes as long as it takes to come. Where the other side offers that (qd.streaming-links) it goes
// over a data link of its own, in a session of its own, so that it holds up no other message. Such links are kept for the
// next one.

// streamLane gives a lane on which nothing is under way; nil if there can be none more.
func (k *neighbor) streamLane() *lane {
	if i := slices.IndexFunc(k.streamLanes, (*lane).free); i >= 0 {
		return k.streamLanes[i]
	}
	if !slices.Contains(k.Remote().OfferedCapabilities, streamingCapability) || len(k.streamLanes) == maxStreamLanes {
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
	k.streamLanes = append(k.streamLanes, l)
	return l
}

// free tells whether nothing is under way on a lane, and nothing waits for it.
func (l *lane) free() bool { return len(l.queue) == 0 && !l.download.Busy() }

// gone forgets a lane that the other side has ended, which it may when nothing is under way.
func (l *lane) gone(link *engine.Link) {
	l.streamLanes = slices.DeleteFunc(l.streamLanes, func(other *lane) bool { return other == l })
	link.Session().End(nil)
}
