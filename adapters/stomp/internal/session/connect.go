package session

import (
	"time"

	"github.com/go-stomp/stomp/v3/frame"
)

// Connect is what a client says of itself when it begins (STOMP 1.2, "Connecting").
type Connect struct {
	Host          string // the virtual host that it wants to talk to
	Login         string
	Passcode      string
	Authorization string // as in HTTP, such as "Bearer token": an addition that clients in browsers make
	ClientID      string // its name in durable subscriptions: an addition of ActiveMQ's and Artemis's clients
}

// connect reads CONNECT or, its other name, STOMP.
func (s *Session) connect(f *frame.Frame) *Refusal {
	h := f.Header
	accepted, listed := h.Contains(frame.AcceptVersion)
	version, ok := negotiate(accepted, listed)
	if !ok {
		return refuse(UnsupportedVersion, "this server speaks STOMP %s", versions)
	}
	s.version = version
	if version >= V11 {
		if refusal := s.beats.negotiate(h, s.limits.MinHeartBeat); refusal != nil {
			return refusal
		}
	}
	s.state = deciding
	s.handler.Connect(&Connect{
		Host:          h.Get(frame.Host),
		Login:         h.Get(frame.Login),
		Passcode:      h.Get(frame.Passcode),
		Authorization: first(h, "authorization", "Authorization"),
		ClientID:      h.Get("client-id"),
	})
	return nil
}

// UnsupportedVersion is the message when the client speaks no version that is spoken here.
const UnsupportedVersion = "unsupported version"

// first gives the value of the first of these headers that there is.
func first(h *frame.Header, names ...string) string {
	for _, name := range names {
		if value, ok := h.Contains(name); ok {
			return value
		}
	}
	return ""
}

// Accept lets the client in: it is told CONNECTED. name is the session's, which is part of the ids of its deliveries and
// should not occur twice. Frames that wait are parsed in the next Feed or Advance, and Deadline asks for one at once.
func (s *Session) Accept(now time.Time, name, server string) {
	if s.state != deciding {
		return
	}
	s.state, s.name = connected, name
	s.beats.start(now)
	// CONNECTED has no escapes, whatever the version (STOMP 1.2, "Value Encoding").
	s.out = append(s.out, "CONNECTED\n"...)
	s.out = V10.appendHeader(s.out, frame.Version, s.version.String())
	if s.version >= V11 {
		s.out = V10.appendHeader(s.out, frame.HeartBeat, heartBeatOf(s.limits.MinHeartBeat))
	}
	s.out = V10.appendHeader(s.out, frame.Session, name)
	s.out = V10.appendHeader(s.out, frame.Server, server)
	s.out = append(s.out, "\n\x00"...)
}

// Refuse turns the client away.
func (s *Session) Refuse(now time.Time, why *Refusal) {
	if s.state == deciding {
		s.leave(now, "", why)
	}
}
