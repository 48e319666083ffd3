package network

import (
	"strconv"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/network/internal/edge"
)

// request asks the interior router for a proxy, or to end one.
func (k *neighbor) request(q edge.Request) {
	q.Edge = k.mesh.ID()
	k.ask(edge.ManagementAddress, errand{
		id: strconv.FormatUint(uint64(q.ID), 10),
		question: func(replyTo string) []byte {
			q.ReplyTo = replyTo
			return q.Append(nil)
		},
		answered: func(m amqp.Message, ok bool) {
			s := edge.Response{ID: q.ID}
			if ok {
				s = k.responseIn(m, s)
			}
			k.tellEdge(func(r *edge.Router, now time.Time) { r.Responded(s, now) })
		},
	})
}

// responseIn reads a response; otherwise is what one counts as that is not understood.
func (k *neighbor) responseIn(m amqp.Message, otherwise edge.Response) edge.Response {
	s, err := edge.ParseResponse(m)
	if err != nil {
		k.log.Warn("an interior router responds in a way that is not understood", "err", err)
		return otherwise
	}
	return s
}
