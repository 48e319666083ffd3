package stomp

import (
	"time"

	"github.com/manifoldmq/manifold/router"
)

// revocation is why a subscription gets nothing more.
type revocation struct {
	subscription *subscription
	link         *router.Receiver // which may never have become the subscription's
	why          *router.Error
}

var _ router.Revocable = (*subscription)(nil)

// Revoked implements router.Revocable.
func (s *subscription) Revoked(link *router.Receiver, why *router.Error) {
	if why != nil {
		s.conn.mail.revocations.Put(revocation{s, link, why})
	}
}

// sayRevoked ends the session of a client whose subscription gets nothing more: it can be told in no other way.
func (c *conn) sayRevoked() {
	for _, r := range c.mail.revocations.Take() {
		if s := r.subscription; !s.ended && s.link == r.link {
			c.session.Disconnect(time.Now(), refusalOf(r.why))
		}
	}
}
