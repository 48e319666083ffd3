package mqtt

import (
	"strings"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/adapters/mqtt/rewrite"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// Topics are addresses, but for those that a rule of Config.Rewrite renames: on the way in the first rule that matches, and on
// the way out the one by which the client subscribed.

// who is the client in the words of the rules.
func (c *client) who() rewrite.Who {
	return rewrite.Who{User: c.user.User, Client: c.key.id, Tenant: c.key.tenant}
}

// addressOf gives the address of a topic name.
func (c *client) addressOf(topic string) (addressing.Address, error) {
	if err := c.server.config.Limits.checkLevels(topic); err != nil {
		return "", err
	}
	name, _ := c.server.config.Rewrite.Inward(topic, c.who())
	a, err := addressing.ParseAddress(name)
	if err != nil {
		return "", router.Errorf(router.Malformed, "topic name: %v", err)
	}
	return a, nil
}

// renameReplies names the topic for answers as others know it.
func (c *client) renameReplies(p *session.Properties) {
	if rules := c.server.config.Rewrite; len(rules) > 0 && p.ResponseTopic != nil {
		name, _ := rules.Inward(string(p.ResponseTopic), c.who())
		p.ResponseTopic = []byte(name)
	}
}

// resolve finds the addresses that a subscription is of.
func (c *client) resolve(s *subscription) error {
	if err := c.server.config.Limits.checkLevels(s.options.Topic); err != nil {
		return err
	}
	name, rule := c.server.config.Rewrite.Inward(s.options.Topic, c.who())
	s.rename(rule)
	return s.parse(name)
}

// resolveAgain finds the addresses of a subscription that was kept: by the rule that was there when it was made.
func (c *client) resolveAgain(s *subscription) error {
	o := &s.options
	if o.Match == "" {
		return s.parse(o.Topic)
	}
	rule, err := rewrite.Parse(o.Match, o.To)
	if err != nil {
		return err
	}
	s.rename(rule)
	name, ok := rule.Inward(o.Topic, c.who())
	if !ok {
		return router.Errorf(router.Malformed, "the rule %s to %s does not match any more", o.Match, o.To)
	}
	return s.parse(name)
}

func (s *subscription) rename(rule *rewrite.Rule) {
	s.rule, s.options.Match, s.options.To = rule, "", ""
	if rule != nil {
		s.options.Match, s.options.To = rule.Match(), rule.To()
	}
}

func (s *subscription) parse(name string) (err error) {
	if s.filter, err = addressing.ParseMQTTFilter(name); err != nil {
		return router.Errorf(router.Malformed, "%v", err)
	}
	return nil
}

// sameSource tells whether two subscriptions take the same messages from the same place.
func (s *subscription) sameSource(other *subscription) bool {
	return s.filter == other.filter && s.options.Match == other.options.Match && s.options.To == other.options.To
}

// topic names a delivery as the client knows it; empty when it has no name for it.
func (in *inlet) topic(a addressing.Address) string {
	rule := in.subscription.rule
	if rule == nil {
		return string(a)
	}
	name, _ := rule.Outward(string(a), in.client.who())
	return name
}

// checkLevels judges a topic name or filter by its levels.
func (l *Limits) checkLevels(topic string) error {
	if n := strings.Count(topic, "/") + 1; n > l.MaxTopicLevels {
		return router.Errorf(router.Malformed, "%d levels, more than %d (maxTopicLevels)", n, l.MaxTopicLevels)
	}
	return nil
}
