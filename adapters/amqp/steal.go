package amqp

import (
	"sync"

	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// A link is named by its containers and its name, not by a connection: a client that comes back on another connection
// attaches the same link again, and the former attach ends [2.6.1]. That matters where only one may receive: on durable
// subscriptions. owners remembers who has those.
type owners struct {
	mu    sync.Mutex // guards everything below; a leaf
	links map[ownerKey]*outgoing
}

// ownerKey names a link of a durable subscription.
type ownerKey struct{ tenant, container, link string }

// name is how the link is known beyond its connection.
func (out *outgoing) name() ownerKey {
	return ownerKey{out.conn.user.Tenant.Name, out.conn.Remote().ContainerID, out.link.Name()}
}

// take makes out, which is attached, the owner of its name.
func (o *owners) take(key ownerKey, out *outgoing) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.links == nil {
		o.links = make(map[ownerKey]*outgoing)
	}
	o.links[key] = out
}

// release forgets out, unless another has its name.
func (o *owners) release(key ownerKey, out *outgoing) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.links[key] == out {
		delete(o.links, key)
	}
}

// rob ends the link that has a name: the node is left at once, and its connection is told to say so. It is false when
// there is none.
func (o *owners) rob(key ownerKey) bool {
	o.mu.Lock()
	out, ok := o.links[key]
	delete(o.links, key)
	o.mu.Unlock()
	if ok {
		out.receiver.Close()
		out.conn.mail.stolen.Put(out)
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
