package engine

import (
	"bytes"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

const (
	// maxBacklog is how much more than one frame may be kept while the Conn is not Ready: what one read of the transport
	// and the kernel's buffers may still bring.
	maxBacklog = 64 << 10
	// maxUnflushed is how many bytes of control frames may wait for Flush before reading stops, so that a peer that
	// asks without reading the answers cannot fill memory.
	maxUnflushed = 64 << 10
	// keptBuffer is the largest buffer that a Conn keeps between frames.
	keptBuffer = 1 << 10
)

// Feed takes bytes of the peer, borrowed until it returns, and calls the Handler for what they complete. What is
// incomplete, or has to wait because the Conn is not Ready, is copied and kept; a transport that reads at most 64 KiB
// at a time and asks Ready before each read stays within that bound. Feed(now, nil) goes on with what waits.
//
// A peer that breaks a rule gets its answer in Flush, and the Handler is told by Closed; Feed itself returns an error,
// a *frame.Error, only when there is no conversation to go on with.
func (c *Conn) Feed(now time.Time, p []byte) error {
	c.now = now
	if c.phase == ended || c.garbled {
		return nil
	}
	if len(p) > 0 {
		c.heard = now
	}
	c.deaf = false // unless it still is, which parse finds out
	c.tracing = c.traces()
	return c.parse(p)
}

// parse handles all that is whole in what was kept followed by p, straight from p where it can.
func (c *Conn) parse(p []byte) error {
	for len(c.in) > 0 {
		used, want, err := c.units(c.in)
		if c.phase == ended || c.garbled {
			c.in = nil
			return err
		}
		c.in = c.in[:copy(c.in, c.in[used:])]
		if len(c.in) == 0 {
			break
		}
		if want == 0 || len(p) == 0 {
			return c.keep(p)
		}
		n := min(want, len(p))
		c.in = append(c.in, p[:n]...)
		p = p[n:]
	}
	used, _, err := c.units(p)
	if c.phase == ended || c.garbled {
		return err
	}
	return c.keep(p[used:])
}

// keep copies p behind what is already kept.
func (c *Conn) keep(p []byte) error {
	if len(c.in)+len(p) > int(c.frameLimit())+maxBacklog {
		c.garbled, c.in = true, nil
		return c.violate(&frame.Error{Condition: frame.ResourceLimitExceeded, Description: "more bytes than can wait"})
	}
	c.in = append(c.in, p...)
	if len(c.in) == 0 && cap(c.in) > keptBuffer {
		c.in = nil
	}
	c.deaf = c.deaf || c.stalled()
	return nil
}

// units handles the whole protocol headers and frames at the start of b. It tells how many bytes it used and how many
// more it wants at least to finish the next one: 0 when that is not what keeps it from going on.
func (c *Conn) units(b []byte) (used, want int, err error) {
	for used < len(b) {
		if c.stalled() {
			c.deaf = true
			return used, 0, nil
		}
		rest := b[used:]
		if len(rest) < frame.HeaderSize {
			return used, frame.HeaderSize - len(rest), nil
		}
		size, e := c.unit(rest)
		if size > len(rest) {
			return used, size - len(rest), nil
		}
		if e != nil {
			err = c.violate(e)
		}
		if c.phase == ended || c.garbled {
			return used, 0, err
		}
		used += size
	}
	return used, 0, nil
}

// unit handles the protocol header or frame at the start of b and gives its size, which is beyond b when it is not all
// there.
func (c *Conn) unit(b []byte) (size int, e *frame.Error) {
	if c.phase == atHeader {
		c.show(b[:frame.HeaderSize])
		return frame.HeaderSize, c.protocolHeader(frame.ProtocolHeader(b))
	}
	h, e := c.header(b)
	if e != nil {
		return 0, e
	}
	if size = int(h.Size); size > len(b) {
		return size, nil
	}
	c.show(b[:size])
	return size, c.frame(h, b[h.Body:size:size])
}

// frameLimit is the largest frame the peer may send now: what we announced, once we did.
func (c *Conn) frameLimit() uint32 {
	if c.phase >= running {
		return c.limits.MaxFrameSize
	}
	return c.limits.MaxHandshakeFrame
}

// header reads a frame header and refuses what need not be read further. Without a header that makes sense, nothing
// behind it does.
func (c *Conn) header(b []byte) (frame.Header, *frame.Error) {
	h, err := frame.ReadHeader(b)
	problem := ""
	switch {
	case err != nil:
		problem = strings.TrimPrefix(err.Error(), "amqp: ")
	case h.Size > c.frameLimit():
		problem = "frame is larger than the maximum frame size"
	case (c.phase == atSASL) != (h.Type == frame.SASL):
		problem = "frame is of the other layer"
	default:
		return h, nil
	}
	c.garbled = true
	return h, &frame.Error{Condition: frame.FramingError, Description: problem}
}

// frame handles one frame.
func (c *Conn) frame(h frame.Header, body []byte) *frame.Error {
	switch {
	case h.Type == frame.SASL:
		return c.saslFrame(body)
	case c.phase == running && h.Channel > c.limits.ChannelMax: // [2.7.1]
		return &frame.Error{Condition: frame.FramingError, Description: "channel is above channel-max"}
	case len(body) == 0: // a heartbeat [2.4.5]: the peer has nothing to say
		c.trim()
		return nil
	}
	d := amqp.NewDecoder(body)
	descriptor := d.ReadDescriptor()
	if err := d.Err(); err != nil {
		return c.unreadable(err)
	}
	switch descriptor {
	case amqp.DescriptorTransfer, amqp.DescriptorFlow, amqp.DescriptorDisposition:
		return c.deliveryFrame(h.Channel, descriptor, &d, body)
	}
	return c.rareFrame(h.Channel, descriptor, body[d.Offset():])
}

// rareFrame handles the other frames. What they say is kept, so it is copied once.
func (c *Conn) rareFrame(channel uint16, descriptor uint64, fields []byte) *frame.Error {
	d := amqp.NewDecoder(bytes.Clone(fields))
	switch descriptor {
	case amqp.DescriptorOpen:
		return c.remoteOpen(&d)
	case amqp.DescriptorBegin:
		return c.remoteBegin(channel, &d)
	case amqp.DescriptorAttach:
		return c.remoteAttach(channel, &d)
	case amqp.DescriptorDetach:
		return c.remoteDetach(channel, &d)
	case amqp.DescriptorEnd:
		return c.remoteEnd(channel, &d)
	case amqp.DescriptorClose:
		return c.remoteClose(&d)
	}
	return c.unreadable(&amqp.DecodeError{Reason: "frame holds no performative"})
}

// deliveryFrame handles the frequent frames, without a copy.
func (c *Conn) deliveryFrame(channel uint16, descriptor uint64, d *amqp.Decoder, body []byte) *frame.Error {
	var err error
	switch descriptor {
	case amqp.DescriptorTransfer:
		err = c.transferIn.Read(d)
	case amqp.DescriptorFlow:
		err = c.flowFrame.Read(d)
		err = whole(d, err)
	default:
		err = c.disposition.Read(d)
		err = whole(d, err)
	}
	if err != nil {
		return c.unreadable(err)
	}
	s, e := c.sessionAt(channel)
	if s == nil {
		return e
	}
	switch descriptor {
	case amqp.DescriptorTransfer:
		s.transfer(&c.transferIn, body[d.Offset():])
	case amqp.DescriptorFlow:
		s.flow(&c.flowFrame)
	default:
		s.remoteDisposition(&c.disposition)
	}
	return nil
}

// read reads a performative that fills its frame.
func (c *Conn) read(d *amqp.Decoder, p interface{ Read(*amqp.Decoder) error }) *frame.Error {
	if err := whole(d, p.Read(d)); err != nil {
		return c.unreadable(err)
	}
	return nil
}

// whole refuses what follows a performative that has no payload.
func whole(d *amqp.Decoder, err error) error {
	if err == nil && d.Len() > 0 {
		return &amqp.DecodeError{Offset: d.Offset(), Reason: "performative does not fill its frame"}
	}
	return err
}

// unreadable is the answer to what is no valid AMQP [2.8.15].
func (c *Conn) unreadable(err error) *frame.Error {
	return &frame.Error{Condition: frame.DecodeError, Description: strings.TrimPrefix(err.Error(), "amqp: ")}
}

// sessionAt gives the session that a frame is for. It is nil, without an error, for what has to be discarded: the
// peer did not know yet that we ended the session [2.5.4].
func (c *Conn) sessionAt(channel uint16) (*Session, *frame.Error) {
	if c.phase != running {
		return nil, &frame.Error{Condition: frame.IllegalState, Description: "frame before open"}
	}
	if int(channel) >= len(c.remoteSessions) || c.remoteSessions[channel] == nil {
		return nil, &frame.Error{Condition: frame.IllegalState, Description: "frame on a channel without a session"}
	}
	s := c.remoteSessions[channel]
	if s.ended {
		return nil, nil
	}
	return s, nil
}
