package engine

import (
	"encoding/binary"

	"github.com/manifoldmq/manifold/router/amqp/frame"
)

const (
	// flushSize is how many bytes Flush aims at.
	flushSize = 64 << 10
	// minRoom is the least that a transfer frame may take of what is left to flushSize, so that no frame is tiny.
	minRoom = 4 << 10
)

// Flush appends what is to be written and forgets it: control frames, settlements and credit, then messages, which are
// split into frames straight into dst, the links in turn. It stops soon after 64 KiB; when it appends less, there is no
// more for now. Settled deliveries are reported as Written on the way.
func (c *Conn) Flush(dst []byte) []byte {
	start := len(dst)
	for {
		c.tellRelieved()
		dst = c.takeControl(dst)
		dst = c.appendSessions(dst)
		if len(dst)-start >= flushSize || c.sendable.len()+c.relieved.len() == 0 {
			break
		}
		dst = c.appendTransfers(dst, start) // of which the Handler hears, and may have more to say
	}
	c.spoke = c.spoke || len(dst) > start
	if len(dst) > start && c.traces() {
		c.showWritten(dst[start:])
	}
	return dst
}

// tellRelieved tells the owners of links that may send again. Who is relieved meanwhile hears of it the next time round.
func (c *Conn) tellRelieved() {
	for n := c.relieved.len(); n > 0 && c.relieved.len() > 0; n-- {
		l := *c.relieved.at(0)
		c.relieved.pop()
		if l.attached() {
			c.handler.Sendable(l)
		}
	}
}

// takeControl moves the control frames to dst.
func (c *Conn) takeControl(dst []byte) []byte {
	dst = append(dst, c.out...)
	if cap(c.out) > keptBuffer {
		c.out = nil
	}
	c.out = c.out[:0]
	return dst
}

// appendSessions writes the settlements and credit that have come together.
func (c *Conn) appendSessions(dst []byte) []byte {
	for i, s := range c.dirty {
		c.dirty[i] = nil
		s.dirty = false
		if !s.alive() {
			continue
		}
		dst = s.appendVerdict(dst)
		for j, l := range s.dirtyLinks {
			s.dirtyLinks[j] = nil
			l.dirty = false
			if l.attached() {
				dst = s.appendFlow(dst, l)
			}
		}
		s.dirtyLinks = s.dirtyLinks[:0]
		if s.flowDue {
			dst = s.appendFlow(dst, nil)
		}
	}
	c.dirty = c.dirty[:0]
	return dst
}

// appendTransfers writes messages, a frame of each link in turn, as far as windows and credit go.
func (c *Conn) appendTransfers(dst []byte, start int) []byte {
	for c.sendable.len() > 0 && len(dst)-start < flushSize {
		l := *c.sendable.at(0)
		c.sendable.pop()
		switch {
		case l.place != inLine: // it has ended
		case l.session.remoteIncomingWindow == 0, !l.session.outgoing.takes(l.session.nextDeliveryID):
			l.place = atWindow
			l.session.blocked = append(l.session.blocked, l)
		case l.credit == 0 && !l.sending.active:
			l.place = starved
		default:
			room := max(flushSize-(len(dst)-start), minRoom)
			dst = l.appendTransfer(dst, min(room, int(min(c.peerFrame, flushSize))))
			l.wrote()
		}
	}
	return dst
}

// appendTransfer writes one frame of at most limit bytes from the link's first piece.
func (l *Link) appendTransfer(dst []byte, limit int) []byte {
	s, p := l.session, l.pieces.at(0)
	t := &s.conn.transferOut
	*t = frame.Transfer{Handle: l.handle, Aborted: p.aborted}
	if !l.sending.active {
		l.beginDelivery(t, p)
	}
	if p.state != nil {
		t.State = *p.state
	}
	t.More = !p.last
	start := len(dst)
	dst = t.Append(frame.Start(dst, frame.AMQP, s.channel))
	n := len(p.payload)
	if n > limit-(len(dst)-start) {
		t.More = true
		dst = t.Append(frame.Start(dst[:start], frame.AMQP, s.channel))
		n = limit - (len(dst) - start)
	}
	dst = frame.Finish(append(dst, p.payload[:n]...), start)
	p.payload = p.payload[n:]
	p.state = nil // it is said once
	l.bytes -= n
	s.nextOutgoingID++
	s.remoteIncomingWindow--
	return dst
}

// beginDelivery fills in what only the first transfer of a delivery says.
func (l *Link) beginDelivery(t *frame.Transfer, p *piece) {
	s := l.session
	id := s.nextDeliveryID
	s.nextDeliveryID++
	l.sending = delivery{active: true, settled: p.settled, id: id, token: p.token}
	l.waiting--
	l.credit--
	l.deliveryCount++
	if !p.settled {
		s.outgoing.insert(entry{id: id, link: l, token: p.token})
		l.unsettled++
	}
	t.DeliveryID, t.HasDeliveryID = id, true
	t.DeliveryTag = p.tag
	if p.tag == nil {
		t.DeliveryTag = binary.BigEndian.AppendUint32(s.conn.tag[:0], id)
	}
	t.MessageFormat, t.HasMessageFormat = p.format, true
	t.Settled, t.HasSettled = p.settled, true
	t.Resume, t.Batchable = p.resume, p.batchable
}

// wrote goes on after a frame of the link's first piece.
func (l *Link) wrote() {
	p := l.pieces.at(0)
	if len(p.payload) > 0 {
		l.join()
		return
	}
	done, last := l.sending, p.last
	l.pieces.pop()
	if last {
		l.sending = delivery{}
	}
	switch { // the Handler may send more, or end the link
	case last && done.settled && !done.aborted:
		l.progress(Update{ID: done.id, Token: done.token, Progress: Written})
	case !last && l.pieces.len() == 0:
		l.session.conn.handler.Sendable(l)
	}
	switch {
	case l.place == nowhere:
	case l.pieces.len() > 0:
		l.join()
	case l.partial:
		l.place = unfed
	case l.leaving != nil:
		l.detach(l.leaving)
	default:
		l.rest()
	}
}
