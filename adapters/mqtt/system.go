package mqtt

import (
	"strings"
	"time"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// The topics below $SYS are no addresses: the door itself tells them, to those of its clients that ask, so nobody can publish
// to them and they cost nothing while nobody listens. A client hears of its own tenant.

const systemTopics = "$SYS"

// isSystem tells whether a subscription is for the figures, which are told if Limits.SystemInterval says so.
func (s *Server) isSystem(o *options) bool {
	first, _, _ := strings.Cut(o.Topic, "/")
	return s.config.Limits.SystemInterval > 0 && first == systemTopics
}

// watch makes a subscription for the figures. They come with QoS 0.
func (c *conn) watch(s *subscription) error {
	switch {
	case s.options.Group != "":
		return router.Errorf(router.NotFound, "topics below %s cannot be shared", systemTopics)
	case !c.user.May(tenancy.Receive, s.filter):
		return router.Errorf(router.Denied, "not allowed to receive from %s", s.filter)
	}
	s.system, s.options.QoS = true, 0
	c.add(s)
	c.server.addWatcher(c)
	return nil
}

// addWatcher has a connection told the figures from now on.
func (s *Server) addWatcher(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.watchers) == 0 {
		s.reportAt = time.Now().Add(s.config.Limits.SystemInterval)
		s.hasten()
	}
	s.watchers[c] = struct{}{}
}

func (s *Server) removeWatcher(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.watchers, c)
}

// hasten makes Run look at once at what is to be done.
func (s *Server) hasten() {
	select {
	case s.sooner <- struct{}{}:
	default:
	}
}

// reportDue makes the watchers look at the figures if it is time for that, and tells when it is next; zero for never.
func (s *Server) reportDue(now time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.watchers) == 0 {
		return time.Time{}
	}
	if !now.Before(s.reportAt) {
		s.reportAt = now.Add(s.config.Limits.SystemInterval)
		for c := range s.watchers {
			c.raise(&c.reports)
		}
	}
	return s.reportAt
}

// report tells the client the figures that its subscriptions select; retained, when it has just asked. What there is no
// room for is left out, as the next ones will come.
func (c *conn) report(retained bool) {
	for _, f := range c.server.figuresOf(c.key().tenant, time.Now()).all() {
		p := session.Publication{Topic: string(f.topic), Payload: []byte(f.payload), Retain: retained}
		wanted := false
		for _, s := range c.subscriptions {
			if s.system && s.filter.Matches(f.topic) {
				wanted = true
				p.Retain = p.Retain || s.options.AsPublished
				p.SubscriptionIDs = append(p.SubscriptionIDs, s.options.IDs...)
			}
		}
		if wanted && c.session.Deliver(p) != nil {
			return
		}
	}
}

// rewatch has the connection told the figures as long as a subscription of its client is for them.
func (c *conn) rewatch() {
	for _, s := range c.subscriptions {
		if s.system {
			c.server.addWatcher(c)
			return
		}
	}
	c.server.removeWatcher(c)
}
