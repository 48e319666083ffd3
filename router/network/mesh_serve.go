package network

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/router/wire"
	"github.com/manifoldmq/manifold/tenancy"
)

// errNoRouter is for a connector to a router where we are none.
var errNoRouter = errors.New("this gateway is no router of a network (network.router.id)")

// RouterEntrance is a way in for other routers. All of it is required but Mechanisms and Greeting.
type RouterEntrance struct {
	Role       Role               // InterRouter or Edge
	Cost       int                // of the way over a connection, at least
	Limits     Limits             // of a connection; they must be valid
	Directory  *tenancy.Directory // who may come in
	Mechanisms []string           // of SASL that are offered, of those that the directory has; none is all
	Greeting   wire.Greeting      // what is told in open, beside who we are
}

// ServeRouter runs a connection of another router, which has come in by an entrance, until it ends, and hangs up as
// transport.Driver does. If it is one of TLS, it has shaken hands.
func (n *Network) ServeRouter(ctx context.Context, nc net.Conn, e *RouterEntrance) {
	g := newGuest(ctx, e, nc)
	var k *neighbor
	err := n.config.Driver.Serve(ctx, nc, func(wake func()) transport.Engine {
		k = acceptNeighbor(n, time.Now(), wake, nc.RemoteAddr().String(), g)
		return k
	})
	g.end()
	k.end()
	if k.openedAt.IsZero() {
		k.log.Debug("connection of a router not opened", "err", k.why(err))
	} else {
		k.log.Info("connection of a router ended", "container", k.container, "err", k.why(err))
	}
}

// joined notes a connection to another router that is open now.
func (n *Network) joined(k *neighbor) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.neighbors[k] = true
}

// parted forgets a connection that is over.
func (n *Network) parted(k *neighbor) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.neighbors, k)
}
