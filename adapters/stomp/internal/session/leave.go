package session

import (
	"strconv"
	"time"

	"github.com/go-stomp/stomp/v3/frame"
)

// farewell is how a session ends: what is under way is still answered, then the last frame is written.
type farewell struct {
	last    []byte    // RECEIPT or ERROR; may be none
	why     *Refusal  // what ERROR says
	by      time.Time // when to wait no longer
	lingers bool      // what the client still sends is read, or it might not get the last frame
}

// leave begins the end with an ERROR, which closes the connection (STOMP 1.2, "ERROR"). receipt names the request whose
// fault it is, if it is one's.
func (s *Session) leave(now time.Time, receipt string, why *Refusal) {
	if s.state >= leaving {
		return
	}
	s.goodbye(now, farewell{last: s.errorFrame(receipt, why), why: why})
}

// violate leaves because of a frame that cannot be read. The client may be in the middle of sending it: to close the
// connection with that unread would take the ERROR away.
func (s *Session) violate(now time.Time, why *Refusal) {
	s.leave(now, "", why)
	s.farewell.lingers = s.scan.pos > 0 && s.farewell.why == why
}

// Disconnect ends the session from the owner's side, with an ERROR.
func (s *Session) Disconnect(now time.Time, why *Refusal) { s.leave(now, "", why) }

// disconnect reads DISCONNECT. Its RECEIPT tells the client that all was received, and comes last (STOMP 1.2,
// "DISCONNECT").
func (s *Session) disconnect(now time.Time, f *frame.Frame) *Refusal {
	var last []byte
	if receipt, asked := f.Header.Contains(frame.Receipt); asked {
		last = s.version.appendHeader([]byte("RECEIPT\n"), frame.ReceiptId, receipt)
		last = append(last, "\n\x00"...)
	}
	s.goodbye(now, farewell{last: last})
	return nil
}

// goodbye lets nothing more in.
func (s *Session) goodbye(now time.Time, f farewell) {
	f.by = now.Add(s.limits.CloseTimeout)
	s.state, s.farewell, s.in = leaving, f, nil
	s.goWhenDone()
}

// goWhenDone ends a session that is leaving and has nothing under way any more.
func (s *Session) goWhenDone() {
	if s.state == leaving && len(s.requests) == 0 {
		s.end()
	}
}

// end is the last transition.
func (s *Session) end() {
	if s.state == ended {
		return
	}
	s.state = ended
	s.out = append(s.out, s.farewell.last...)
	s.in, s.codec, s.requests = nil, nil, nil
	s.settleAll()
	s.handler.Disconnected(s.farewell.why)
}

// errorFrame gives an ERROR frame.
func (s *Session) errorFrame(receipt string, why *Refusal) []byte {
	b := s.version.appendHeader([]byte("ERROR\n"), frame.Message, why.Message)
	if receipt != "" {
		b = s.version.appendHeader(b, frame.ReceiptId, receipt)
	}
	if why.Message == UnsupportedVersion {
		b = s.version.appendHeader(b, frame.Version, versions)
	}
	b = s.version.appendHeader(b, frame.ContentType, "text/plain")
	b = s.version.appendHeader(b, frame.ContentLength, strconv.Itoa(len(why.Detail)))
	b = append(append(b, '\n'), why.Detail...)
	return append(b, 0)
}
