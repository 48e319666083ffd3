package amqp

import "github.com/manifoldmq/manifold/router"

// revocation is why a link gets nothing more.
type revocation struct {
	link     *outgoing
	receiver *router.Receiver // which may never have become the link's
	why      *router.Error
}

var _ router.Revocable = (*outgoing)(nil)

// Revoked implements router.Revocable.
func (out *outgoing) Revoked(r *router.Receiver, why *router.Error) {
	if why != nil {
		out.conn.mail.revocations.Put(revocation{out, r, why})
	}
}

// sayRevoked closes the links that get nothing more.
func (c *conn) sayRevoked() {
	for _, r := range c.mail.revocations.Take() {
		if !r.link.ended && r.link.receiver == r.receiver {
			r.link.link.Close(c.server.config.Manner.refusal(r.why))
		}
	}
}
