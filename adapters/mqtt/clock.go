package mqtt

import (
	"context"
	"time"
)

// Run publishes wills whose delay is over, ends sessions that have expired and has the topics below $SYS told, until ctx
// ends.
func (s *Server) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		next := earlier(s.settleDue(now), s.reportDue(now))
		timer.Stop()
		if !next.IsZero() {
			timer.Reset(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-s.sooner:
		}
	}
}

// settleDue does what is due and tells when more will be; zero for never.
func (s *Server) settleDue(now time.Time) (next time.Time) {
	for {
		key, owner, next := s.due(now)
		if owner == nil {
			return next
		}
		if !owner.willAt.IsZero() && !now.Before(earlier(owner.willAt, owner.endsAt)) {
			owner.willAt = time.Time{}
			owner.publishWill()
			owner.keepParted(now)
		}
		if !owner.endsAt.IsZero() && !now.Before(owner.endsAt) {
			owner.end()
			s.setSession(key, nil)
		}
		s.leave(key, clockHand{})
	}
}

// due takes the seat of a session for which something is to be done now.
func (s *Server) due(now time.Time) (clientKey, *client, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.agenda.Advance(now)
	if e == nil {
		return clientKey{}, nil, s.agenda.Deadline()
	}
	place := s.seats[e.key]
	place.holder = clockHand{}
	return e.key, place.client, time.Time{}
}

// clockHand has the seat of a session for which something is due; it soon leaves.
type clockHand struct{}

func (clockHand) evict() {}
func (clockHand) sit()   {}
func (clockHand) cut()   {}
