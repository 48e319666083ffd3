package mqtt

import (
	"slices"
	"sort"
	"time"

	"github.com/manifoldmq/manifold/router"
)

// SessionInfo is what there is to say about the session of a client.
type SessionInfo struct {
	Client        string
	User          string // empty for the anonymous one
	Connected     bool
	Subscriptions int
	Ends          time.Time // when it ends if its client does not come back; zero for never, or while it is connected
}

// Page describes the first sessions of a tenant behind the id of a client, in the order of ids, at most so many.
func (s *Server) Page(tenant, after string, most int) []SessionInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first []SessionInfo
	for key, place := range s.seats {
		if key.tenant != tenant || key.id <= after || place.client == nil || len(first) == most && key.id > first[most-1].Client {
			continue
		}
		i := sort.Search(len(first), func(i int) bool { return first[i].Client > key.id })
		first = slices.Insert(first, i, place.describe(key.id))
		first = first[:min(len(first), most)]
	}
	return first
}

// describe tells of the session at a seat. What belongs to who has the seat it leaves alone.
func (p *seat) describe(id string) SessionInfo {
	info := SessionInfo{
		Client: id, User: p.client.user.User, Connected: p.holder != nil, Subscriptions: int(p.client.subscribed.Load()),
	}
	if !info.Connected {
		info.Ends = p.client.endsAt
	}
	return info
}

// Expire ends the session of a client that is not connected, as if its time were over: a will that waits is published. The
// error is a *router.Error: NotFound, or Conflict while the client is here.
func (s *Server) Expire(tenant, id string) error {
	key := clientKey{tenant, id}
	owner, err := s.takeSeat(key)
	if err != nil {
		return err
	}
	owner.endForGood()
	s.setSession(key, nil)
	s.leave(key, clockHand{})
	return nil
}

// takeSeat takes the seat of a session that nobody has.
func (s *Server) takeSeat(key clientKey) (*client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	place := s.seats[key]
	switch {
	case place == nil || place.client == nil:
		return nil, router.Errorf(router.NotFound, "there is no such session")
	case place.holder != nil:
		return nil, router.Errorf(router.Conflict, "the client is connected: close its connection first")
	}
	s.agenda.remove(&place.agenda)
	place.holder = clockHand{}
	return place.client, nil
}
