package amqp

import "github.com/manifoldmq/manifold/router"

// revocation is why a link gets nothing more.
type revocation struct {
	link *outgoing
	why  *router.Error
}

var _ router.Revocable = (*outgoing)(nil)

// Revoked implements router.Revocable.
func (out *outgoing) Revoked(_ *router.Receiver, why *router.Error) {
	if why != nil {
		out.conn.mail.revocations.Put(revocation{out, why})
	}
}

// sayRevoked closes the links that get nothing more.
func (c *conn) sayRevoked() {
	for _, r := range c.mail.revocations.Take() {
		if !r.link.ended {
			r.link.link.Close(c.server.config.Manner.refusal(r.why))
		}
	}
}
