package engine

import (
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// phase is where the conversation stands. It only moves forward, but for the second protocol header after SASL.
type phase uint8

const (
	atHeader phase = iota // the peer's protocol header is next
	atSASL                // SASL frames
	atOpen                // the peer's open is next
	deciding              // the peer's open was handed to the owner, who has not answered
	running               // both sides are open
	closing               // our close is written; only the peer's is of interest
	ended                 // nothing is read any more; what is left in out may still be flushed
)

// Open says who we are [2.7.1]. Fields that are zero are filled in: ContainerID from what the Conn was made with,
// MaxFrameSize, ChannelMax and IdleTimeOut from the limits. A server calls it when it has heard Opened, to let the peer
// in; a client calls it at once. Only the first call counts.
func (c *Conn) Open(o frame.Open) {
	if c.hasOpen || c.phase >= closing {
		return
	}
	if o.ContainerID == "" {
		o.ContainerID = c.open.ContainerID
	}
	o.MaxFrameSize = c.limits.MaxFrameSize
	o.ChannelMax = c.limits.ChannelMax
	o.IdleTimeOut = uint32(c.limits.IdleTimeout / 2 / time.Millisecond)
	c.open, c.hasOpen = o, true
	c.sayOpen()
}

// Limit has other limits hold than those that the Conn was made with. It comes before Open, and of the peer's open nothing is
// looked at again.
func (c *Conn) Limit(l *Limits) { c.limits = l }

// sayOpen writes our open once it is known and the layer for it is there.
func (c *Conn) sayOpen() {
	switch {
	case !c.hasOpen:
	case c.phase == deciding:
		c.phase = running
		if !c.write(0, &c.open) {
			c.open.Properties = nil
			c.write(0, &c.open)
		}
	case c.client && c.sasl.done && c.phase <= atOpen && !c.sasl.opened:
		c.sasl.opened = true
		if !c.write(0, &c.open) {
			c.finish(Ending{By: ByUs, Error: &frame.Error{Condition: frame.FrameSizeTooSmall,
				Description: "our open does not fit into 512 bytes"}})
		}
	}
}

// remoteOpen reads the peer's open [2.4.1].
func (c *Conn) remoteOpen(d *amqp.Decoder) *frame.Error {
	if c.phase != atOpen {
		return &frame.Error{Condition: frame.IllegalState, Description: "second open"}
	}
	o := &frame.Open{}
	if e := c.read(d, o); e != nil {
		return e
	}
	switch {
	case o.MaxFrameSize < frame.MinMaxSize:
		return &frame.Error{Condition: frame.InvalidField, Description: "max-frame-size is below 512"}
	case o.IdleTimeOut > 0 && time.Duration(o.IdleTimeOut)*time.Millisecond < c.limits.MinIdleTimeout:
		return &frame.Error{Condition: frame.NotAllowed, Description: "idle-time-out is too short to keep up with"}
	}
	c.remote, c.peerFrame = o, o.MaxFrameSize
	c.phase, c.since, c.checked = deciding, c.now, c.now
	if c.sasl.opened {
		c.phase = running
	} else {
		c.sayOpen()
	}
	c.handler.Opened(o)
	return nil
}

// Close says goodbye: at once with an error; without one, after all that Send took is written. Sessions and links end,
// and the Handler hears so, before our close is written. A connection that is not open yet is just ended.
func (c *Conn) Close(e *frame.Error) {
	switch {
	case c.phase >= closing:
	case c.phase < deciding:
		c.finish(Ending{By: ByUs, Error: e})
	case e == nil && c.unsent > 0:
		c.goodbye = &frame.Close{}
		c.since = time.Time{} // Advance takes the time
	default:
		c.close(Ending{By: ByUs, Error: e})
	}
}

// close writes our close and waits for the peer's.
func (c *Conn) close(why Ending) {
	if c.phase == deciding { // close comes after open
		c.Open(frame.Open{})
		c.sayOpen()
	}
	for _, s := range c.sessions {
		if s != nil {
			s.flushVerdict()
		}
	}
	c.phase, c.since = closing, time.Time{}
	c.endSessions(why)
	goodbye := &frame.Close{Error: why.Error}
	c.writeFault(0, &goodbye.Error, goodbye)
	c.handler.Closed(why)
}

// remoteClose reads the peer's close, which is answered with ours [2.4.3].
func (c *Conn) remoteClose(d *amqp.Decoder) *frame.Error {
	goodbye := frame.Close{}
	e := c.read(d, &goodbye)
	switch {
	case c.phase == closing:
		c.phase = ended
		return nil
	case e != nil:
		return e
	case c.phase < running:
		c.finish(Ending{By: ByPeer, Error: goodbye.Error})
		return nil
	}
	c.phase = ended
	why := Ending{By: ByPeer, Error: goodbye.Error}
	c.endSessions(why)
	c.write(0, &frame.Close{})
	c.handler.Closed(why)
	return nil
}

// violate answers a peer that broke a rule of the connection. After our close only the peer's is of interest, so that
// nothing else it still sends has an answer [2.4.6]. Before there is a conversation, the error is for the transport.
func (c *Conn) violate(e *frame.Error) error {
	switch {
	case c.phase == closing:
		return nil
	case c.phase == atOpen && !c.client: // an open that is none still gets its answer
		c.phase = deciding
	case c.phase == atOpen && c.sasl.opened:
	case c.phase < running:
		c.finish(Ending{By: ByUs, Error: e})
		return e
	}
	c.close(Ending{By: ByUs, Error: e})
	return nil
}

// Lost tells that the transport is gone. It does nothing when the conversation is over already.
func (c *Conn) Lost() {
	switch c.phase {
	case closing:
		c.phase = ended
	case ended:
	default:
		c.finish(Ending{By: ByNetwork})
	}
	c.in, c.out = nil, nil
}

// Drain says that the process is stopping: what Send took is written, then the connection is closed.
func (c *Conn) Drain(now time.Time) {
	c.now = now
	stopping := &frame.Error{Condition: frame.ConnectionForced, Description: "the process is stopping"}
	if c.phase == running && c.unsent > 0 {
		c.goodbye = &frame.Close{Error: stopping}
		c.since = now
		return
	}
	c.Close(stopping)
}

// finish ends the conversation without a goodbye.
func (c *Conn) finish(why Ending) {
	c.phase = ended
	c.endSessions(why)
	c.handler.Closed(why)
}

// endSessions ends all sessions and their links, without a word to the peer.
func (c *Conn) endSessions(why Ending) {
	for _, s := range c.sessions {
		if s != nil && !s.over {
			s.finish(Detachment{By: why.By, Error: why.Error})
		}
	}
	c.sessions, c.remoteSessions, c.links, c.dirty = nil, nil, nil, nil
	c.sendable, c.relieved, c.unsent, c.kept, c.goodbye = ring[*Link]{}, ring[*Link]{}, 0, 0, nil
}
