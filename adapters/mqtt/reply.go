package mqtt

import (
	"net/url"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/tenancy"
)

// responseInformation is the topic, with all below it, that a client may have answers sent to (MQTT 5 section 4.10): one of
// its own, if its tenant declares an address for it.
func (c *client) responseInformation() string {
	prefix := c.server.config.Limits.ResponseTopics
	if prefix == "" {
		return ""
	}
	topic := prefix + "/" + asLevel(c.key.id)
	a, err := c.addressOf(topic)
	if err != nil || c.server.config.Router.KindOf(c.user, a) == addressing.AnyKind || !c.user.May(tenancy.Receive, a.Filter()) {
		return ""
	}
	return topic
}

// asLevel makes one level of a topic of any text.
func asLevel(text string) string { return strings.ReplaceAll(url.PathEscape(text), "+", "%2B") }
