package amqp

import "github.com/manifoldmq/manifold/router/amqp/frame"

// A link is named by its containers and its name, not by a connection: a client that comes back on another connection
// attaches the same link again, and the former attach ends [2.6.1]. That matters where only one may receive: on durable
// subscriptions. Server.owners remembers who has those.

// linkName names a link of a durable subscription.
type linkName struct{ tenant, container, link string }

// name is how the link is known beyond its connection.
func (out *outgoing) name() linkName {
	return linkName{out.conn.user.Tenant.Name, out.conn.Remote().ContainerID, out.link.Name()}
}

// rob ends the link that has out's name: the node is left at once, and its connection is told to say so. It is false
// when there is none.
func (out *outgoing) rob() bool {
	former, ok := out.conn.server.owners.Rob(out.name())
	if ok {
		former.receiver.Close()
		former.conn.mail.stolen.Put(former)
	}
	return ok
}

// sayStolen tells the client of a link that it has lost it.
func (c *conn) sayStolen() {
	for _, out := range c.mail.stolen.Take() {
		if !out.ended {
			out.link.Close(&frame.Error{
				Condition: frame.Stolen, Description: "the link was attached again on another connection",
			})
		}
	}
}
