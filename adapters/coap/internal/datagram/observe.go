package datagram

import (
	"time"

	"github.com/plgd-dev/go-coap/v3/message"

	"github.com/manifoldmq/manifold/adapters/coap/internal/block"
	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// observation is the interest of the client in a resource, known by its token (RFC 7641).
type observation struct {
	token       token
	reply       block.Reply
	awaited     *post     // its notification that was not acknowledged yet
	confirmed   time.Time // when the last confirmable notification was sent
	unconfirmed int       // how many others since
	recent      [8]uint16 // ids of the last others, which the client may answer with a Reset
	sent        uint8     // how many of these there were, up to 8
	at          uint8     // where the next goes
}

// maxSequence is what sequence numbers stay below (RFC 7641 section 3.4).
const maxSequence = 1 << 24

// confirmedWithin is how long notifications may be not confirmable (RFC 7641 section 4.5).
const confirmedWithin = 24 * time.Hour

// The values of Observe in a request (RFC 7641 section 2).
const (
	register   = 0
	deregister = 1
)

// observing looks at the Observe option of a request. A registration with the token of an observation takes its place (RFC
// 7641 section 4.1): for the same resource it is the same observation, renewed.
func (s *Session) observing(now time.Time, e *exchange, options message.Options) {
	value, err := options.Observe()
	if err != nil || !isSafe(e.code) {
		return
	}
	e.registers = value == register
	old := s.observations[e.token]
	if old != nil && (value == deregister || e.registers && !old.reply.SameResource(e.reply)) {
		s.forget(now, e.token)
	}
}

// Observe implements session.Session.
func (s *Session) Observe(now time.Time, id session.Exchange, r session.Response) {
	e := s.take(id)
	switch {
	case e == nil:
		return
	case !e.registers || !isSuccess(r.Code):
		s.respond(now, e, r, plain)
		return
	}
	o := s.observations[e.token]
	if o == nil && len(s.observations) >= s.shared.Limits.MaxObservations {
		s.drop(now, e.token)
		s.respond(now, e, r, plain)
		return
	}
	if o == nil {
		if s.observations == nil {
			s.observations = make(map[token]*observation)
		}
		o = &observation{token: e.token, confirmed: now}
		s.observations[e.token] = o
	}
	o.reply = e.reply.Later()
	s.wake(s.pingDue())
	s.respond(now, e, r, s.nextSequence())
}

// Notify implements session.Session.
func (s *Session) Notify(now time.Time, name message.Token, r session.Response, confirmable bool) {
	t := tokenOf(name)
	o := s.observations[t]
	if o == nil || o.awaited != nil {
		return
	}
	h := header{kind: message.NonConfirmable, token: t, id: s.newID()}
	sequence := s.nextSequence()
	if !isSuccess(r.Code) {
		// RFC 7641 section 4.2: it ends the observation and has no Observe option.
		s.Forget(name)
		sequence = plain
	}
	cut := s.transfers.Cut(now, o.reply, r)
	s.wake(s.transfers.Deadline())
	h.code = cut.Code
	if confirmable || !s.proven || o.isDue(now, &s.shared.Limits) {
		h.kind = message.Confirmable
		o.confirmed, o.unconfirmed = now, 0
		o.awaited = &post{id: h.id, token: t, datagram: s.compose(nil, h, cut, sequence)}
		s.post(now, o.awaited)
		return
	}
	s.transmit(s.compose(s.carrier.Buffer(), h, cut, sequence))
	if sequence != plain {
		o.note(h.id)
		s.written = append(s.written, o)
		s.wake(now)
	}
}

// Forget implements session.Session.
func (s *Session) Forget(name message.Token) {
	t := tokenOf(name)
	if o := s.observations[t]; o != nil {
		delete(s.observations, t)
		if o.awaited != nil {
			s.withdraw(o.awaited)
		}
	}
}

// pingDue is when an observer is pinged who stays silent: where there is nothing to notify him of, nothing else tells that he
// has gone (RFC 7641 section 4.5). Zero is never, as when he is to answer something anyway.
func (s *Session) pingDue() time.Time {
	if len(s.observations) == 0 || len(s.posts) > 0 {
		return time.Time{}
	}
	return s.heard.Add(s.shared.Limits.PingAfter)
}

// pingSilent pings an observer who has been silent for too long.
func (s *Session) pingSilent(now time.Time) {
	if due := s.pingDue(); !due.IsZero() && !now.Before(due) {
		s.ping(now, 0)
	}
}

// drop ends an observation that cannot be, and lets Flush tell the handler, who has just asked for it.
func (s *Session) drop(now time.Time, t token) {
	s.Forget(t.bytes())
	s.dropped = append(s.dropped, t)
	s.wake(now)
}

// forget ends an observation and tells the handler.
func (s *Session) forget(now time.Time, t token) {
	if s.observations[t] != nil {
		s.Forget(t.bytes())
		s.handler.Forgotten(now, t.bytes())
	}
}

// nextSequence gives the Observe value of the next notification, of whichever observation.
func (s *Session) nextSequence() observe {
	s.sequence = (s.sequence + 1) % maxSequence
	return observe(s.sequence)
}

// isDue tells whether the next notification has to be confirmable.
func (o *observation) isDue(now time.Time, l *Limits) bool {
	return now.Sub(o.confirmed) >= confirmedWithin || l.ConfirmEvery > 0 && o.unconfirmed+1 >= l.ConfirmEvery
}

// note remembers the id of a notification that is not confirmable.
func (o *observation) note(id uint16) {
	o.unconfirmed++
	o.recent[o.at] = id
	o.at = (o.at + 1) % uint8(len(o.recent))
	o.sent = min(o.sent+1, uint8(len(o.recent)))
}

// sentUnder tells whether one of the last notifications had an id.
func (o *observation) sentUnder(id uint16) bool {
	for _, recent := range o.recent[:o.sent] {
		if recent == id {
			return true
		}
	}
	return false
}
