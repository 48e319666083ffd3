package mqtt

import "time"

// clientKey names a client: ids of two tenants have nothing to do with each other.
type clientKey struct{ tenant, id string }

// seat is the place of a client id. One connection has it at a time; the latest that came waits until the former has
// left, so that a session is in one pair of hands, however fast its client comes back [MQTT-3.1.4-3].
type seat struct {
	holder  occupant // nil between connections
	waiting occupant // nil when nobody is
	client  *client  // the session; nil when there is none
	agenda  entry
}

// occupant is who can have a seat: a connection, or the server's own clock. Its methods are called with a lock held, and
// do not block.
type occupant interface {
	evict() // another one waits
	sit()   // it is its turn
	cut()   // another one has waited long enough
}

func (c *conn) evict() { c.raise(&c.evicted) }
func (c *conn) sit()   { c.raise(&c.seated) }

// cut ends the connection without a goodbye.
func (c *conn) cut() { c.nc.Close() }

// takeoverPatience is how long a connection may take to say goodbye when another one waits for its seat: its client may
// long be gone, or not read.
const takeoverPatience = time.Second

// claim takes the seat of the client for a connection, or makes the one that has it leave.
func (s *Server) claim(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	place := s.seats[c.key()]
	if place == nil {
		place = new(seat)
		s.seats[c.key()] = place
	}
	if place.holder == nil {
		s.agenda.remove(&place.agenda)
		place.holder = c
		c.seated.Store(true) // it looks right after this
		return
	}
	if place.waiting != nil {
		place.waiting.evict()
	}
	place.waiting = c
	c.hurryAt = time.Now().Add(takeoverPatience)
	c.wake() // there is a new deadline
	place.holder.evict()
}

// hurry ends the connection that has the seat for which c has waited long enough.
func (s *Server) hurry(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if place := s.seats[c.key()]; place != nil && place.waiting == occupant(c) {
		place.holder.cut()
	}
}

// leave takes an occupant away from a seat. Who waits is next; else the session stays, if it is to.
func (s *Server) leave(key clientKey, who occupant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	place := s.seats[key]
	switch {
	case place == nil:
	case place.waiting == who:
		place.waiting = nil
	case place.holder == who:
		place.holder, place.waiting = place.waiting, nil
		s.next(key, place)
	}
}

// next sees to a seat that was left.
func (s *Server) next(key clientKey, place *seat) {
	if place.client != nil && !place.client.outlives() {
		place.client = nil
	}
	switch {
	case place.holder != nil:
		place.holder.sit()
	case place.client == nil:
		delete(s.seats, key)
	default:
		s.plan(key, place)
	}
}

// plan enters into the agenda when something is to be done for a session without a connection.
func (s *Server) plan(key clientKey, place *seat) {
	at := earlier(place.client.willAt, place.client.endsAt)
	if at.IsZero() {
		return
	}
	place.agenda.key, place.agenda.at = key, at
	if s.agenda.add(&place.agenda) {
		s.hasten()
	}
}

// earlier is the earlier of two times, of which zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// sessionAt is the session at a seat, for who has the seat; nil when there is none.
func (s *Server) sessionAt(key clientKey) *client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seats[key].client
}

// setSession makes a session the one at its seat, for who has the seat; nil ends it there.
func (s *Server) setSession(key clientKey, c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seats[key].client = c
}
