package engine

import "github.com/manifoldmq/manifold/router/amqp/frame"

// Hold stops giving the peer more window in this session until Resume: it may use up what it has, and then it waits. So
// the messages that are streamed through one session can wait for their receivers while the others go on.
func (s *Session) Hold() { s.held = true }

// Held tells whether the peer is held back.
func (s *Session) Held() bool { return s.held }

// Resume ends Hold.
func (s *Session) Resume() {
	s.held = false
	if s.alive() && s.incomingWindow <= s.announcedWindow/2 {
		s.flowDue = true
		s.touch()
	}
}

// touch has the next Flush look at the session.
func (s *Session) touch() {
	if !s.dirty {
		s.dirty = true
		s.conn.dirty = append(s.conn.dirty, s)
	}
}

// minWindow is the least that a window is widened to, if the limits allow as much, so that a sender of the largest frames
// need not wait after each of them.
const minWindow = 8

// widen gives the peer its full window: as many frames of the size that came lately as the limits allow. It takes nothing
// back that the peer has, as that may be under way.
func (s *Session) widen() {
	l := s.conn.limits
	full := min(l.IncomingWindow, max(minWindow, uint32(l.IncomingBytes/max(1, s.frameSize))))
	s.incomingWindow = max(s.incomingWindow, full)
	s.announcedWindow = s.incomingWindow
}

// countTransfer takes a transfer frame of the peer, with a payload of size bytes, from its window [2.5.6]. It is false when
// the window was used up, which ends the session.
func (s *Session) countTransfer(size int) bool {
	if s.incomingWindow == 0 {
		s.fail(frame.WindowViolation, "transfer beyond the incoming window")
		return false
	}
	s.nextIncomingID++
	s.incomingWindow--
	s.frameSize += (size - s.frameSize) / 8
	if !s.flowDue && !s.held && s.incomingWindow <= s.announcedWindow/2 {
		s.flowDue = true
		s.touch()
	}
	return true
}

// flow reads a flow of the peer: always the session's windows, and with a handle also the credit of a link [2.7.4].
func (s *Session) flow(x *frame.Flow) {
	seen := x.NextIncomingID
	if !x.HasNextIncomingID { // the peer does not know our begin yet
		seen = s.initialID
	}
	s.remoteIncomingWindow = remaining(x.IncomingWindow, s.nextOutgoingID-seen)
	s.nextIncomingID = x.NextOutgoingID
	s.unblock()
	if !x.HasHandle {
		if x.Echo {
			s.flowDue = true
			s.touch()
		}
		return
	}
	if l := s.remoteLink(x.Handle); l != nil && !l.detached {
		l.flow(x)
	}
}

// remaining is what is left of a window or credit when so much is under way. A peer that counts what we have not sent
// gets nothing, as that is a huge number too.
func remaining(window, underway uint32) uint32 {
	if underway > window {
		return 0
	}
	return window - underway
}

// unblock lets links go on that waited for the peer's window.
func (s *Session) unblock() {
	if s.remoteIncomingWindow == 0 {
		return
	}
	for i, l := range s.blocked {
		s.blocked[i] = nil
		if l.place == atWindow {
			l.join()
		}
	}
	s.blocked = s.blocked[:0]
}

// appendFlow appends a flow of the session, and of l unless it is nil. The peer's window is full again after it.
func (s *Session) appendFlow(dst []byte, l *Link) []byte {
	if !s.held {
		s.widen()
	}
	s.flowDue = false
	x := frame.Flow{
		NextIncomingID:    s.nextIncomingID,
		HasNextIncomingID: s.remote != nil,
		IncomingWindow:    s.incomingWindow,
		NextOutgoingID:    s.nextOutgoingID,
		OutgoingWindow:    outgoingWindow,
	}
	if l != nil {
		l.fillFlow(&x)
	}
	start := len(dst)
	return frame.Finish(x.Append(frame.Start(dst, frame.AMQP, s.channel)), start)
}
