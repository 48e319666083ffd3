package network

import (
	"strconv"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/network/internal/edge"
	"github.com/manifoldmq/manifold/router/transport/passage"
)

// maxInquiries is how many inquiries of clients wait for an answer; a link beyond leads nowhere else.
const maxInquiries = 1024

// inquiry is a question whether links to an address lead on, as far as the interior router knows.
type inquiry struct {
	address string // as routers write it
	sends   bool   // the client does
	done    func(leads bool)
}

// Inquire has an edge router ask whether a link leads on that a client of a tenant wants, and of which RouteLink does not know.
// It is false when there is nobody to ask, or too much is asked already. Otherwise done is called once, from any goroutine, with
// the way as of RouteLink, if the link does lead on; it must not block.
func (n *Network) Inquire(tenant string, a *frame.Attach, done func(way passage.Way, leads bool)) bool {
	m := n.config.Mesh
	address, ok := passage.Address(a)
	if m == nil || !m.isEdge() || !ok || strings.HasPrefix(address, "$") || strings.HasPrefix(address, "_") {
		return false // a router's own are where they are
	}
	k := m.fringe.active.Load()
	if k == nil || !n.linkRoutes.knownElsewhere(tenant, address, a) {
		return false
	}
	if k.asking.Add(1) > maxInquiries {
		k.asking.Add(-1)
		return false
	}
	way := passage.Way{Desk: k.desk, Add: roadKey{tenant: tenant}.tenantPrefix(), List: &n.linkRoutes.routed}
	k.leave(inquiry{
		address: way.Add + address, sends: a.Role == frame.Sender,
		done: func(leads bool) {
			k.asking.Add(-1)
			done(way, leads)
		},
	})
	return true
}

// leave leaves an inquiry for the connection. It may be called from any goroutine, and never blocks.
func (k *neighbor) leave(q inquiry) {
	k.mail.inquiries.Put(q)
	if k.buried.Load() {
		k.mesh.inputs.Put(func(time.Time) { k.bury() })
	}
}

// inquire asks the interior router.
func (k *neighbor) inquire(q inquiry) {
	k.spurs.inquiries++
	id := strconv.FormatUint(k.spurs.inquiries, 10)
	k.ask(edge.LookupAddress, errand{
		id: id,
		question: func(replyTo string) []byte {
			return edge.Question{Address: q.address, Sends: q.sends, ReplyTo: replyTo, ID: id}.Append(nil)
		},
		answered: func(m amqp.Message, ok bool) {
			var a edge.Answer
			if ok {
				a, _ = edge.ParseAnswer(m) // of one that is not understood no link is
			}
			q.done(a.Routed)
		},
	})
}
