package engine

import (
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// A Session is one of the sessions of a connection [2.5]. Its links and their deliveries share its windows.
type Session struct {
	Context any // the owner's own

	conn          *Conn
	channel       uint16 // ours
	remoteChannel uint16
	said          bool         // our begin is written
	remote        *frame.Begin // the peer's
	cost          int          // bytes that it takes
	ended         bool         // our end is written
	over          bool         // the Handler has heard Ended
	leaving       bool         // to end when nothing is unsent any more
	held          bool         // by Hold
	dirty         bool         // it is in conn.dirty
	flowDue       bool         // the peer should know our windows

	initialID            uint32 // where our transfer-ids and delivery-ids begin
	nextIncomingID       uint32 // transfer-id of the next transfer frame of the peer [2.5.6]
	incomingWindow       uint32 // transfer frames that the peer may send
	announcedWindow      uint32 // what that was when the peer last heard of it
	frameSize            int    // of the payload of the peer's transfer frames lately
	nextOutgoingID       uint32 // transfer-id of our next transfer frame
	remoteIncomingWindow uint32 // transfer frames that we may send
	nextDeliveryID       uint32 // of our next delivery

	links       []*Link // by our handle
	remoteLinks []*Link // by the peer's handle
	dirtyLinks  []*Link // whose credit the peer should know
	blocked     []*Link // with pieces to write, and no window for them
	unsent      int     // links with pieces

	incoming ledger // unsettled deliveries of the peer
	outgoing ledger // unsettled deliveries of ours
	pending  verdict
}

// outgoingWindow is what we announce: what we send is bounded by credit and by the peer's window.
const outgoingWindow = 1<<31 - 1

// Begin begins a session. It is nil when the connection is not open or the peer's channel-max is reached. Links may be
// attached at once, without waiting for Begun.
func (c *Conn) Begin(capabilities ...amqp.Symbol) *Session {
	if c.phase != running {
		return nil
	}
	s := c.newSession()
	if s != nil {
		s.say(capabilities)
	}
	return s
}

// Conn is the connection of the session.
func (s *Session) Conn() *Conn { return s.conn }

// Remote is the peer's begin, nil before Begun.
func (s *Session) Remote() *frame.Begin { return s.remote }

// newSession takes the lowest free channel.
func (c *Conn) newSession() *Session {
	channel := 0
	for channel < len(c.sessions) && c.sessions[channel] != nil {
		channel++
	}
	if channel > int(c.remote.ChannelMax) {
		return nil
	}
	s := &Session{conn: c, channel: uint16(channel), frameSize: int(c.limits.MaxFrameSize)}
	s.widen()
	s.initialID, s.nextOutgoingID, s.nextDeliveryID = c.initialID, c.initialID, c.initialID
	if channel == len(c.sessions) {
		c.sessions = append(c.sessions, s)
	} else {
		c.sessions[channel] = s
	}
	return s
}

// say writes our begin.
func (s *Session) say(capabilities []amqp.Symbol) {
	s.said = true
	s.conn.write(s.channel, &frame.Begin{
		RemoteChannel:       s.remoteChannel,
		HasRemoteChannel:    s.remote != nil,
		NextOutgoingID:      s.nextOutgoingID,
		IncomingWindow:      s.incomingWindow,
		OutgoingWindow:      outgoingWindow,
		HandleMax:           s.conn.limits.HandleMax,
		OfferedCapabilities: capabilities,
	})
}

// remoteBegin reads the peer's begin: an answer to ours, or a session that it wants, which it gets [2.5.1].
func (c *Conn) remoteBegin(channel uint16, d *amqp.Decoder) *frame.Error {
	b, cost := &frame.Begin{}, d.Len()
	if e := c.read(d, b); e != nil {
		return e
	}
	switch {
	case !c.keeps(cost):
		return &frame.Error{Condition: frame.ResourceLimitExceeded, Description: "too much is said of sessions"}
	case c.phase != running:
		return &frame.Error{Condition: frame.IllegalState, Description: "begin before open"}
	case int(channel) < len(c.remoteSessions) && c.remoteSessions[channel] != nil:
		return &frame.Error{Condition: frame.IllegalState, Description: "begin on a channel that has a session"}
	}
	s, e := c.sessionFor(b)
	if e != nil {
		return e
	}
	s.remote, s.remoteChannel, s.cost = b, channel, cost
	c.kept += cost
	s.nextIncomingID = b.NextOutgoingID
	s.remoteIncomingWindow = b.IncomingWindow
	for len(c.remoteSessions) <= int(channel) {
		c.remoteSessions = append(c.remoteSessions, nil)
	}
	c.remoteSessions[channel] = s
	if !s.said {
		s.say(nil)
	}
	if s.ended {
		return nil // by the owner, before this answer came
	}
	c.handler.Begun(s)
	return nil
}

// sessionFor gives the session that the peer's begin is about.
func (c *Conn) sessionFor(b *frame.Begin) (*Session, *frame.Error) {
	if !b.HasRemoteChannel {
		if s := c.newSession(); s != nil {
			return s, nil
		}
		return nil, &frame.Error{Condition: frame.NotAllowed, Description: "no channel is left below your channel-max"}
	}
	ours := int(b.RemoteChannel)
	if ours >= len(c.sessions) || c.sessions[ours] == nil || c.sessions[ours].remote != nil {
		return nil, &frame.Error{Condition: frame.IllegalState, Description: "begin answers none of ours"}
	}
	return c.sessions[ours], nil
}

// alive tells whether the session may still be spoken in.
func (s *Session) alive() bool { return !s.ended && !s.over && s.conn.phase == running }

// write adds a control frame of the session, behind the settlements that came before it.
func (s *Session) write(p performative) bool {
	s.flushVerdict()
	return s.conn.write(s.channel, p)
}

// End ends the session: at once with an error; without one, after all that Send took is written. Its links end before
// End returns; Ended follows when the peer has answered.
func (s *Session) End(e *frame.Error) {
	switch {
	case !s.alive():
	case e == nil && s.unsent > 0:
		s.leaving = true
	default:
		s.end(ByUs, e)
	}
}

// fail ends the session because the peer broke a rule of it. What it still sends is discarded until its end [2.5.4].
func (s *Session) fail(condition amqp.Symbol, text string) {
	if s.alive() {
		s.end(ByUs, &frame.Error{Condition: condition, Description: text})
	}
}

// end ends the links and writes our end.
func (s *Session) end(by By, e *frame.Error) {
	s.flushVerdict()
	s.ended = true
	s.finishLinks(Detachment{By: by, Error: e})
	goodbye := &frame.End{Error: e}
	s.conn.writeFault(s.channel, &goodbye.Error, goodbye)
}

// remoteEnd reads the peer's end, which is answered with ours [2.5.2].
func (c *Conn) remoteEnd(channel uint16, d *amqp.Decoder) *frame.Error {
	x := frame.End{}
	if e := c.read(d, &x); e != nil {
		return e
	}
	if c.phase != running || int(channel) >= len(c.remoteSessions) || c.remoteSessions[channel] == nil {
		return &frame.Error{Condition: frame.IllegalState, Description: "end on a channel without a session"}
	}
	s := c.remoteSessions[channel]
	c.remoteSessions[channel] = nil
	c.kept -= s.cost
	if !s.ended {
		s.flushVerdict()
		s.ended = true
		s.finishLinks(Detachment{By: ByPeer, Error: x.Error})
		if c.phase != running {
			return nil // the Handler closed the connection
		}
		c.write(s.channel, &frame.End{})
	}
	c.sessions[s.channel] = nil
	s.over = true
	c.handler.Ended(s, x.Error)
	return nil
}

// finish ends the session without a word to the peer.
func (s *Session) finish(d Detachment) {
	s.over = true
	s.finishLinks(d)
	s.conn.handler.Ended(s, d.Error)
}

// finishLinks ends all links without a word to the peer.
func (s *Session) finishLinks(d Detachment) {
	links := s.links
	s.links, s.remoteLinks, s.dirtyLinks, s.blocked = nil, nil, nil, nil
	for _, l := range links {
		if l != nil {
			l.release()
			l.finish(d)
		}
	}
	s.incoming, s.outgoing = ledger{}, ledger{}
}
