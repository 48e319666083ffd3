package network

import "time"

// schedule decides where a connector tries next, and when. It knows no clock: what has happened comes in.
//
// The hosts are tried in their order, one right after the other; each further round through all of them begins after twice
// the wait, up to a bound. A connection that lasted longer than the shortest wait has the schedule begin anew.
type schedule struct {
	hosts        int
	initial, max time.Duration

	host int           // that is being tried
	wait time.Duration // before the round that is under way; zero for the first one
}

// next is told how long the connection to the host was open, zero for never, and gives the host to try then and how long to
// wait before that. random, from 0 up to 1, spreads those who lost the same broker at the same time.
func (s *schedule) next(open time.Duration, random float64) (host int, wait time.Duration) {
	switch {
	case open > s.initial:
		s.host, s.wait = 0, s.initial
	case s.host+1 < s.hosts:
		s.host++
		return s.host, 0
	default:
		s.host, s.wait = 0, min(max(2*s.wait, s.initial), s.max)
	}
	return s.host, s.wait/2 + time.Duration(random*float64(s.wait)/2)
}
