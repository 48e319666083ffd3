package amqp

import (
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/transport/passage"
)

// inquiry is a link that a client wants while the network finds out whether it leads on. Until then it is not answered.
type inquiry struct {
	link *engine.Link
	over bool // the client does not want it any more
}

var _ linkEnd = (*inquiry)(nil)

// finding is what came of an inquiry.
type finding struct {
	inquiry *inquiry
	way     passage.Way
	leads   bool
}

// inquire has the network find out whether a link leads on. It is false when there is nothing to find out.
func (c *conn) inquire(l *engine.Link) bool {
	q := &inquiry{link: l}
	asked := c.server.config.Network.Inquire(c.user.Tenant.Name, c.wish(l.Remote()), func(way passage.Way, leads bool) {
		c.mail.findings.Put(finding{q, way, leads})
	})
	if asked {
		l.Context = q
	}
	return asked
}

func (q *inquiry) detached(engine.Detachment) { q.over = true }

// resume answers the client whose link it was.
func (c *conn) resume(f finding) {
	l := f.inquiry.link
	if f.inquiry.over {
		return
	}
	l.Context = nil
	if f.leads {
		c.lead(l, f.way)
		return
	}
	c.attach(l)
	if out, ok := l.Context.(*outgoing); ok {
		out.creditChanged() // the client may have given credit already
	}
}
