package session

import (
	"fmt"
	"time"

	"github.com/go-stomp/stomp/v3/frame"
)

// heartBeats are the timers of a session in both directions (STOMP 1.2, "Heart-beating").
type heartBeats struct {
	send    time.Duration // the longest that the client may hear nothing; 0 is for ever
	receive time.Duration // the longest that it is silent by agreement; 0 is for ever

	heard time.Time // when the client said something
	deaf  bool      // the session stopped reading: the client's silence is our doing
	check time.Time // when to see whether something was written
	spoke bool      // something was, since the last check
}

// negotiate reads what the client offers and wants. Each direction takes the longer interval of what one side can and the
// other one wants; least is what this side can and wants.
func (b *heartBeats) negotiate(h *frame.Header, least time.Duration) *Refusal {
	text, ok := h.Contains(frame.HeartBeat)
	if !ok {
		return nil
	}
	sends, wants, err := frame.ParseHeartBeat(text)
	if err != nil {
		return refuse(Malformed, "heart-beat is not two numbers of milliseconds")
	}
	if wants > 0 {
		b.send = max(wants, least)
	}
	if sends > 0 {
		b.receive = max(sends, least)
	}
	return nil
}

// heartBeatOf is what this side can and wants, as CONNECTED has it.
func heartBeatOf(least time.Duration) string {
	ms := least.Milliseconds()
	return fmt.Sprintf("%d,%d", ms, ms)
}

func (b *heartBeats) start(now time.Time) {
	b.heard = now
	if b.send > 0 {
		b.check = now.Add(b.send / 2)
	}
}

// silence is when the client will have been silent for too long: twice as long as agreed, as networks delay.
func (b *heartBeats) silence() time.Time {
	if b.receive == 0 || b.deaf {
		return time.Time{}
	}
	return b.heard.Add(2 * b.receive)
}

// due tells whether a heart-beat has to be written now. It is looked at twice in an interval, so that two writes are never
// further apart than one.
func (b *heartBeats) due(now time.Time) bool {
	if b.check.IsZero() || now.Before(b.check) {
		return false
	}
	b.check = now.Add(b.send / 2)
	silent := !b.spoke
	b.spoke = false
	return silent
}

// Deadline is when Advance wants to be called next; zero is never. One in the past asks for Advance at once: frames wait
// that can go on.
func (s *Session) Deadline() time.Time {
	switch {
	case s.state == leaving || s.state == ended && s.farewell.lingers:
		return s.farewell.by
	case s.state == ended || s.state == deciding:
		return time.Time{}
	case s.state == fresh:
		return s.since.Add(s.limits.ConnectTimeout)
	case s.beats.deaf && !s.stalled():
		return s.beats.heard
	}
	return earliest(s.beats.check, s.beats.silence())
}

// earliest gives the earlier of two times, where zero is never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Advance tells the time. It goes on with frames that waited, writes heart-beats, and ends a session whose client was
// silent for too long or whose farewell takes too long.
func (s *Session) Advance(now time.Time) {
	deadline := s.Deadline()
	if deadline.IsZero() || now.Before(deadline) {
		return
	}
	switch silence := s.beats.silence(); {
	case s.state == ended:
		s.farewell.lingers = false
	case s.state == leaving:
		s.end()
	case s.state == fresh:
		s.leave(now, "", refuse(Timeout, "no CONNECT came within %v (stomp.connectTimeout)", s.limits.ConnectTimeout))
	case s.beats.deaf && !s.stalled():
		s.Feed(now, nil)
	case !silence.IsZero() && !now.Before(silence):
		s.leave(now, "", refuse(Timeout, "nothing came for twice the interval of heart-beats, which is %v", s.beats.receive))
	case s.beats.due(now):
		s.out = append(s.out, '\n')
	}
}
