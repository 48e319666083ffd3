package stomp

import (
	"slices"
	"time"

	"github.com/manifoldmq/manifold/router"
)

// browseInterval is how often the end of a queue is looked for while its messages come from disk.
const browseInterval = 10 * time.Millisecond

// watchBrowser has the client told when it has seen all that there was, as ActiveMQ does.
func (c *conn) watchBrowser(s *subscription) {
	c.browsers = append(c.browsers, s)
	c.lookAt = time.Now().Add(browseInterval)
}

// exhausted gives the browsers whose nodes have handed out all there is. What they have handed out is in the mail by then.
func (c *conn) exhausted() []*subscription {
	var done []*subscription
	for _, s := range c.browsers {
		if s.link.HasCredit() && !s.link.Pending() {
			done = append(done, s)
		}
	}
	return done
}

// endBrowsers tells the client of those browsers that have come to their end.
func (c *conn) endBrowsers(exhausted []*subscription) {
	if len(c.browsers) == 0 {
		return
	}
	c.browsers = slices.DeleteFunc(c.browsers, func(s *subscription) bool {
		if !s.ended && !(slices.Contains(exhausted, s) && len(s.waiting) == 0) {
			return false
		}
		if !s.ended {
			c.write(s, router.Delivery{}, []string{"destination", s.told.Destination, "browser", "end"}, nil)
		}
		return true
	})
	c.lookAt = time.Time{}
	if len(c.browsers) > 0 {
		c.lookAt = time.Now().Add(browseInterval)
	}
}
