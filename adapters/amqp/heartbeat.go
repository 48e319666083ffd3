package amqp

import (
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/wire"
)

// Who sends to this address of a Qpid Dispatch Router says that he is there. From then on his connection ends when he is silent
// for so long.
const (
	heartbeatAddress  = "_$qd.edge_heartbeat"
	heartbeatPatience = 8 * time.Second
	heartbeatCredit   = 2
)

// heartbeat is a link on which a client says that it is there.
type heartbeat struct {
	conn *conn
	link *engine.Link
}

var (
	_ receiving = (*heartbeat)(nil)
	_ linkEnd   = (*heartbeat)(nil)
)

// isHeartbeat tells whether somebody wants a link to where one says that he is there.
func (c *conn) isHeartbeat(l *engine.Link) bool {
	if !c.server.config.Manner.hearsHeartbeats() {
		return false
	}
	remote := l.Remote()
	return remote.Target != nil && remote.Target.Address == heartbeatAddress ||
		remote.Source != nil && remote.Source.Address == heartbeatAddress
}

// attachHeartbeat answers a client that wants to say that it is there. There is nothing to receive, of which it hears as from
// that router: without an error.
func (c *conn) attachHeartbeat(l *engine.Link) {
	if l.Role() == frame.Sender {
		l.Refuse(nil)
		return
	}
	l.Context = &heartbeat{conn: c, link: l}
	l.Accept(frame.Attach{Target: l.Remote().Target})
	l.Grant(heartbeatCredit)
	c.silentAt = time.Now().Add(heartbeatPatience)
}

// received implements receiving.
func (h *heartbeat) received(t *engine.Transfer) {
	if !t.Last {
		return
	}
	if !t.Settled {
		h.link.Settle(t.ID, frame.State{Kind: frame.Accepted})
	}
	h.link.Grant(1)
	h.conn.silentAt = time.Now().Add(heartbeatPatience)
}

// detached implements linkEnd.
func (h *heartbeat) detached(engine.Detachment) { h.conn.silentAt = time.Time{} }

// fallSilent ends the connection of a client that was to say that it is there, and does not.
func (c *conn) fallSilent() {
	c.silentAt = time.Time{}
	c.Close(&frame.Error{Condition: wire.Condition(router.Stopping), Description: "no heartbeat has come"})
}
