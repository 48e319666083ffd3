package mqtt

import (
	"context"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// groupKey names a shared subscription [4.8.2].
type groupKey struct {
	tenant, group string
	filter        addressing.Filter
}

// group is a shared subscription as long as it has members. It is one subscription of the broker for all of them: stored, if
// the session that made it outlives its connection, else in memory.
type group struct {
	members int
	stored  bool
}

// join makes a client a member of a shared subscription, and tells whether that is stored.
func (s *Server) join(c *client, sub *subscription, stored bool) bool {
	if sub.options.Group == "" {
		return stored
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := sub.groupKey(c)
	g := s.groups[key]
	if g == nil {
		g = &group{stored: stored}
		s.groups[key] = g
	}
	g.members++
	return g.stored
}

// part ends a membership, and tells whether it was the last one.
func (s *Server) part(c *client, sub *subscription) (last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := sub.groupKey(c)
	g := s.groups[key]
	if g.members--; g.members == 0 {
		delete(s.groups, key)
	}
	return g.members == 0
}

func (s *subscription) groupKey(c *client) groupKey {
	return groupKey{c.key.tenant, s.options.Group, s.filter}
}

// forget ends what is kept for a subscription whose inlets are closed, unless it is shared with others.
func (s *Server) forget(c *client, sub *subscription) error {
	shared := sub.options.Group != ""
	if shared && !s.part(c, sub) || !sub.stored {
		return nil
	}
	err := s.config.Router.Forget(context.Background(), c.user, router.Source{
		Filter: sub.filter, Kind: addressing.Topic, Subscription: c.nameOf(sub), Shared: shared,
	})
	if router.ReasonOf(err) == router.NotFound { // it takes from no topics
		return nil
	}
	return err
}
