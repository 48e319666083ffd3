package network

import (
	"slices"
	"time"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/transport/passage"
)

// Whoever has an open connection with us is a container, over whose connection links are attached: automatic ones, and
// those of clients that lead on to it. We have connected to it, or it has to us, at a listener for containers.

// join makes the other side a container, and attaches the links that are to be there.
func (k *conn) join() {
	c, n, id := k.connector, k.connector.network, k.Remote().ContainerID
	n.mu.Lock()
	c.container = id
	c.define(n.linksFor(c))
	n.mu.Unlock()
	for _, l := range c.joined(k) {
		k.attach(l)
	}
	k.container = &container{name: c.Name, tenant: c.tenant, id: id, desk: k.desk}
	n.linkRoutes.join(k.container)
}

// leaveNetwork undoes join.
func (k *conn) leaveNetwork() {
	if k.container == nil {
		return
	}
	c, n := k.connector, k.connector.network
	n.linkRoutes.leave(k.container)
	c.mu.Lock()
	c.conn = nil
	c.mu.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	c.container = ""
	c.define(n.linksFor(c))
}

// Guest is what the network does over the connection of a container that has connected to us: it attaches links of its own.
// The connection's owner hands it the engine's events of those, as an engine.Handler, and calls its methods; they are all the
// owner's.
type Guest struct {
	peer
}

// Host begins to use a connection that has come in at the listener for containers that has this name, of a user of a tenant:
// it is a container for that tenant only. Its desk is where links of clients are led on to it. wake has the owner call Work;
// it must not block.
func (n *Network) Host(listener, tenant string, c *engine.Conn, desk *passage.Desk, wake func()) *Guest {
	declared := Connector{Name: listener, Limits: n.config.ContainerLimits}
	k := &conn{Conn: c, desk: desk, connector: newConnector(n, declared)}
	k.connector.tenant = tenant
	k.init(wake)
	n.mu.Lock()
	n.guests = append(n.guests, k.connector)
	n.mu.Unlock()
	k.join()
	return &Guest{peer{k}}
}

// Work does what has come by mail. It comes before the connection's Flush.
func (g *Guest) Work() { g.work() }

// Advance lets time pass. It comes before the connection's.
func (g *Guest) Advance(now time.Time) { g.advance(now) }

// Deadline is when Advance is wanted; zero for never.
func (g *Guest) Deadline() time.Time { return g.deadline() }

// Leave ends it all when the connection is over, which the engine has told.
func (g *Guest) Leave() {
	g.leaveNetwork()
	g.abandon()
	n, c := g.connector.network, g.connector
	n.mu.Lock()
	defer n.mu.Unlock()
	n.guests = slices.DeleteFunc(n.guests, func(other *connector) bool { return other == c })
}

// Containers tells which connections, by their numbers, are of containers that have connected to us.
func (n *Network) Containers() map[uint64]bool {
	n.mu.Lock()
	guests := slices.Clone(n.guests)
	n.mu.Unlock()
	all := make(map[uint64]bool, len(guests))
	for _, c := range guests {
		c.mu.Lock()
		if c.conn != nil {
			all[c.conn.desk.Number] = true
		}
		c.mu.Unlock()
	}
	return all
}
