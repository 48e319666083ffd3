package session

import "time"

// Deadline is when Advance wants to be called next; zero is never. It only moves later while the client talks, so a timer
// set for an earlier answer does no harm. A deadline in the past asks for Advance at once: packets wait that can go on.
func (s *Session) Deadline() time.Time {
	switch {
	case s.state == ended:
		return time.Time{}
	case !s.Ready():
		return time.Time{} // nobody reads, so the client's silence means nothing
	case s.deaf:
		return s.since
	case s.patience == 0:
		return time.Time{}
	}
	return s.since.Add(s.patience)
}

// Advance tells the time. It ends the session when CONNECT did not come in time, or when the client was silent for one and
// a half times its keep-alive [MQTT-3.1.2-22], and then returns a *Violation. It also goes on with packets that waited.
func (s *Session) Advance(now time.Time) error {
	deadline := s.Deadline()
	if deadline.IsZero() || now.Before(deadline) {
		return nil
	}
	if s.deaf { // waiting was our doing: the client's time starts anew
		s.deaf = false
		s.since = now
		return s.Feed(now, nil)
	}
	switch s.state {
	case fresh:
		return s.fail(violation(ProtocolError, "no CONNECT in time"))
	case challenging:
		return s.fail(violation(NotAuthorized, "no AUTH in time"))
	}
	return s.fail(violation(KeepAliveTimeout, "silent for one and a half times the keep-alive"))
}

// listen starts the keep-alive timer. The product is taken in time.Duration, where the largest keep-alive of 65,535
// seconds does not overflow.
func (s *Session) listen() {
	s.patience = time.Duration(s.keepAlive) * time.Second * 3 / 2
}

// pingreq answers a PINGREQ [MQTT-3.12.4-1].
func (s *Session) pingreq(body []byte) error {
	if len(body) != 0 {
		return violation(MalformedPacket, "PINGREQ with a body")
	}
	s.trim()
	s.out = append(s.out, pingrespPacket<<4, 0)
	return nil
}
