package mqtt

import (
	"slices"

	"github.com/manifoldmq/manifold/router"
)

// revocation is why an inlet gets nothing more; nil says that it replays nothing more.
type revocation struct {
	inlet *inlet
	link  *router.Receiver // which may never have become the inlet's
	why   *router.Error
}

var _ router.Revocable = (*inlet)(nil)

// Revoked implements router.Revocable.
func (in *inlet) Revoked(link *router.Receiver, why *router.Error) {
	in.client.mail.revoked.Put(revocation{in, link, why})
}

// takeRevocations ends the inlets that get nothing more.
func (c *conn) takeRevocations() {
	for _, r := range c.mail.revoked.Take() {
		switch in := r.inlet; {
		case in.ended, in.link != r.link:
		case r.why == nil:
			in.endReplay()
		case in.replays:
			in.link.Close()
		default:
			c.revoke(in, r.why)
		}
	}
}

// revoke ends a subscription that would be refused now, and disconnects the client, who can be told in no other way
// (section 3.14.2.1): when it comes back its session goes on without. What takes from elsewhere too stays as it is where there
// is none such any more, as if the client had subscribed now.
func (c *conn) revoke(in *inlet, why *router.Error) {
	s := in.subscription
	s.end(in)
	others := slices.ContainsFunc(s.inlets, func(in *inlet) bool { return !in.replays })
	if why.Reason == router.NotFound && others {
		return
	}
	s.close()
	filter := s.options.text()
	if c.subscriptions.get(filter) == s {
		c.abandon(s)
	}
	c.server.config.Log.Warn("a subscription cannot be gone on with", "tenant", c.client.key.tenant, "client", c.id,
		"filter", filter, "err", why)
	notice := noticeOf(why)
	notice.Text = filter + ": " + notice.Text
	c.session.Disconnect(notice)
}
