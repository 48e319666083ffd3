package network

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/manifoldmq/manifold/router/transport"
)

// errNoRouter is for a connector to a router where we are none.
var errNoRouter = errors.New("this gateway is no router of a network (network.router.id)")

// ServeRouter runs a connection of another router, which has connected to us, until it ends, and hangs up as
// transport.Driver does. If it is one of TLS, it has shaken hands. cost is what the way over it costs at least.
func (n *Network) ServeRouter(ctx context.Context, nc net.Conn, cost int) {
	n.serve(ctx, nc, cost, InterRouter)
}

// ServeEdge is ServeRouter for a connection of an edge router.
func (n *Network) ServeEdge(ctx context.Context, nc net.Conn) { n.serve(ctx, nc, 1, Edge) }

func (n *Network) serve(ctx context.Context, nc net.Conn, cost int, role Role) {
	g := newGuest(ctx, n.config.Routers, nc)
	var k *neighbor
	err := n.config.Driver.Serve(ctx, nc, func(wake func()) transport.Engine {
		k = acceptNeighbor(n, time.Now(), wake, nc.RemoteAddr().String(), cost, role, g)
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
