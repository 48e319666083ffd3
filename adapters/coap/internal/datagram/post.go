package datagram

import (
	"slices"
	"time"
)

// post is a confirmable message of ours: a separate response, a notification, or a ping.
type post struct {
	datagram []byte
	id       uint16
	token    token
	sent     int // how often
	timeout  time.Duration
	due      time.Time
}

// post sends a confirmable message, now or when those before it are acknowledged (section 4.7).
func (s *Session) post(now time.Time, p *post) {
	s.posts = append(s.posts, p)
	s.pump(now)
}

// pump sends what waits for its turn.
func (s *Session) pump(now time.Time) {
	for s.underway < len(s.posts) && s.underway < s.shared.Limits.NStart {
		p := s.posts[s.underway]
		s.underway++
		if p.timeout == 0 {
			p.timeout = s.shared.firstTimeout()
		}
		s.sendPost(now, p)
	}
}

// firstTimeout is between ACK_TIMEOUT and ACK_TIMEOUT * ACK_RANDOM_FACTOR (section 4.2).
func (sh *Shared) firstTimeout() time.Duration {
	spread := float64(sh.Limits.AckTimeout) * (sh.Limits.AckRandomFactor - 1)
	fraction := float64(sh.Random()>>11) / (1 << 53)
	return sh.Limits.AckTimeout + time.Duration(spread*fraction)
}

func (s *Session) sendPost(now time.Time, p *post) {
	p.sent++
	p.due = now.Add(p.timeout)
	s.wake(p.due)
	s.transmit(p.datagram)
}

// retransmit sends again what was not acknowledged in time, each time after twice the time, and gives up in the end
// (section 4.2).
func (s *Session) retransmit(now time.Time) {
	for _, p := range s.posts[:s.underway] {
		switch {
		case now.Before(p.due):
		case p.sent > s.shared.Limits.MaxRetransmit:
			s.giveUp(now)
			return
		default:
			p.timeout *= 2
			s.sendPost(now, p)
		}
	}
}

// giveUp is for a peer that does not acknowledge: what waits for it will not reach it either, and its observations end (RFC
// 7641 section 4.5).
func (s *Session) giveUp(now time.Time) {
	s.posts, s.underway = nil, 0
	s.letGo()
	for t := range s.observations {
		s.forget(now, t)
	}
}

// acknowledged takes the acknowledgement of a message of ours. One of nothing is ignored.
func (s *Session) acknowledged(now time.Time, id uint16) {
	p := s.takePost(id)
	if p == nil {
		s.guess()
		return
	}
	s.prove(now)
	if o := s.observations[p.token]; o != nil && o.awaited == p {
		o.awaited = nil
		s.handler.Notified(now, p.token.bytes())
	}
	s.pump(now)
}

// reset takes a Reset: the peer does not know what to do with a message of ours. That of a notification ends its
// observation (RFC 7641 section 3.6). One of nothing is ignored.
func (s *Session) reset(now time.Time, id uint16) {
	if p := s.takePost(id); p != nil {
		s.prove(now)
		if o := s.observations[p.token]; o != nil && o.awaited == p {
			s.forget(now, p.token)
		}
		s.pump(now)
		return
	}
	for t, o := range s.observations {
		if o.sentUnder(id) {
			s.forget(now, t)
			return
		}
	}
	s.guess()
}

func (s *Session) guess() {
	if !s.proven && s.guesses < maxGuesses {
		s.guesses++
	}
}

// takePost removes a message that is under way.
func (s *Session) takePost(id uint16) *post {
	for i, p := range s.posts[:s.underway] {
		if p.id == id {
			s.posts = slices.Delete(s.posts, i, i+1)
			s.underway--
			if len(s.posts) == 0 {
				s.posts = nil
			}
			return p
		}
	}
	return nil
}

// withdraw removes the notification of an observation that has ended, unless it is under way already.
func (s *Session) withdraw(p *post) {
	if i := slices.Index(s.posts, p); i >= s.underway {
		s.posts = slices.Delete(s.posts, i, i+1)
	}
}
