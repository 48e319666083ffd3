package engine

import (
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// A Link is one of the links of a session, as we see it: on a sender's link we send [2.6].
type Link struct {
	Context any // the owner's own

	session      *Session
	name         string
	role         frame.Role // ours
	handle       uint32     // ours
	remoteHandle uint32
	local        *frame.Attach // what we said, nil before
	remote       *frame.Attach // what the peer said, nil before
	detached     bool          // our detach is written
	over         bool          // the Handler has heard Detached, or never will
	refused      bool          // the Handler will not hear Detached
	requested    bool          // the peer wanted it
	leaving      *frame.Detach // to say when nothing is unsent any more
	parted       *Detachment   // the peer's detach, which the owner answers; nil for none

	deliveryCount uint32        // deliveries that the sender has begun [2.6.7]
	credit        uint32        // deliveries that the sender may still begin, as far as both sides know
	available     uint32        // deliveries that the sender has waiting
	properties    amqp.RawValue // of the peer's last flow with any
	drain         bool          // the sender is to use up its credit or give it back
	dirty         bool          // it is in session.dirtyLinks
	unsettled     int
	cost          int // bytes that the peer's attach takes

	// Of a sender.
	pieces  ring[piece]
	waiting int      // deliveries in pieces of which nothing is written
	bytes   int      // of payload in pieces
	place   place    // where the link waits while it has pieces
	sending delivery // the delivery that is being written
	partial bool     // Send began a streamed delivery that Continue has not ended
	size    uint64   // of that delivery so far
	drained bool     // the owner has no more for the credit
	short   bool     // MaxUnsettled hid some of the peer's credit from the owner

	// Of a receiver.
	unannounced uint32  // credit that the owner gave and the peer does not know
	excess      uint32  // deliveries that the peer may have begun on credit that it has no more
	streaming   bool    // the owner takes messages in pieces
	arriving    arrival // the delivery that is being received
}

// linkKey tells links of a connection apart: two containers have at most one link of a name in each direction [2.6.1].
type linkKey struct {
	name string
	role frame.Role
}

// Session is the session of the link.
func (l *Link) Session() *Session { return l.session }

// Name is the name of the link.
func (l *Link) Name() string { return l.name }

// Role is our end of the link.
func (l *Link) Role() frame.Role { return l.role }

// Local is what we said in our attach, nil before Accept.
func (l *Link) Local() *frame.Attach { return l.local }

// Unsettled is how many deliveries are, of those that have been written or have come in.
func (l *Link) Unsettled() int { return l.unsettled }

// Remote is what the peer said in its attach, nil before Attached.
func (l *Link) Remote() *frame.Attach { return l.remote }

// attached tells whether both sides have attached and we have not detached.
func (l *Link) attached() bool {
	return l.local != nil && l.remote != nil && !l.detached && !l.over && l.parted == nil && l.session.alive()
}

// remoteLink gives the link of a handle of the peer. Without one the session ends, and if there cannot be one the
// connection [2.7.2].
func (s *Session) remoteLink(handle uint32) *Link {
	switch {
	case handle > s.conn.limits.HandleMax:
		s.conn.close(Ending{By: ByUs, Error: aboveHandleMax()})
	case int(handle) >= len(s.remoteLinks) || s.remoteLinks[handle] == nil:
		s.fail(frame.UnattachedHandle, "handle has no link")
	default:
		return s.remoteLinks[handle]
	}
	return nil
}

func aboveHandleMax() *frame.Error {
	return &frame.Error{Condition: frame.FramingError, Description: "handle is above handle-max"}
}

// newLink takes the lowest free handle; it is nil when the peer's handle-max or our MaxLinks is reached.
func (s *Session) newLink(name string, role frame.Role) *Link {
	handle := 0
	for handle < len(s.links) && s.links[handle] != nil {
		handle++
	}
	c := s.conn
	if s.remote != nil && uint64(handle) > uint64(s.remote.HandleMax) || c.attachments >= c.limits.MaxLinks {
		return nil
	}
	c.attachments++
	l := &Link{session: s, name: name, role: role, handle: uint32(handle)}
	if handle == len(s.links) {
		s.links = append(s.links, l)
	} else {
		s.links[handle] = l
	}
	if c.links == nil {
		c.links = make(map[linkKey]*Link)
	}
	c.links[linkKey{name, role}] = l
	return l
}

// touch has the next Flush tell the peer of the link's credit.
func (l *Link) touch() {
	if !l.dirty {
		l.dirty = true
		l.session.dirtyLinks = append(l.session.dirtyLinks, l)
		l.session.touch()
	}
}

// Links is how many links the peer wanted and has, that are of a role on our side: without those that were refused.
func (c *Conn) Links(role frame.Role) (n int) {
	for _, l := range c.links {
		if l.role == role && l.requested && !l.refused && !l.over && !l.detached {
			n++
		}
	}
	return n
}
