package gateway

import (
	"context"
	"net"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/network"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// openMesh makes the gateway a router of a network, if it is to be one. It comes before any client, whose consumers the
// network hears of.
func (a *assembly) openMesh() error {
	r := &a.config.Network.Router
	if r.ID == "" {
		return nil
	}
	var err error
	if a.routers, err = a.newRouterDirectory(); err != nil {
		return err
	}
	keys := network.Keys{Self: r.ID, Directory: a.directory}
	a.mesh = network.NewMesh(network.MeshConfig{
		ID: r.ID, Instance: time.Now().Unix(), Timers: r.Timers(), Reach: network.NewReach(keys), Log: a.log,
		Edge: r.IsEdge(), MayAsk: func(p *tenancy.Principal) bool { return a.mayManage(p).Change },
	})
	a.interest = network.NewInterest(keys, a.mesh.Announce, a.mesh.Withdraw)
	a.router.Watch(a.interest)
	a.router.WatchSenders(a.mesh.WatchProducers())
	return nil
}

// newRouterDirectory knows who may connect to this router as one of the same network. Where no users are declared everybody
// may, as long as only this machine reaches the doors.
func (a *assembly) newRouterDirectory() (*tenancy.Directory, error) {
	r := &a.config.Network.Router
	none, err := addressing.NewSpace(nil)
	if err != nil {
		return nil, err
	}
	t := &tenancy.Tenant{
		Name: tenancy.DefaultTenant, Addresses: none,
		Anonymous: r.Anonymous || len(r.Users) == 0 && a.isPrivate(),
	}
	for _, u := range r.Users {
		t.Users = append(t.Users, tenancy.User(u))
	}
	d, err := tenancy.NewDirectory(t)
	if err == nil {
		d.Certify(a.security.trust)
	}
	return d, err
}

// routerDoors are where other routers connect.
func (a *assembly) routerDoors() (doors []door) {
	for _, name := range []string{"router", "routers"} {
		if listener := a.listeners[name]; listener != nil {
			patience := a.config.Network.HandshakeTimeout
			doors = append(doors, door{
				name: name, listener: listener, connections: a.connectedRouters,
				serve: a.after(name, patience, a.serveRouters(a.config.Network.Router.Cost), "amqp"),
			})
		}
	}
	return doors
}

// serveRouters serves a listener to which other routers connect.
func (a *assembly) serveRouters(cost int) func(context.Context, net.Listener) error {
	return func(ctx context.Context, listener net.Listener) error {
		return transport.Accept(ctx, listener, func(ctx context.Context, nc net.Conn) { a.network.ServeRouter(ctx, nc, cost) })
	}
}

// serveEdges serves a listener to which edge routers connect.
func (a *assembly) serveEdges(ctx context.Context, listener net.Listener) error {
	return transport.Accept(ctx, listener, func(ctx context.Context, nc net.Conn) { a.network.ServeEdge(ctx, nc) })
}

// connectedRouters is how many routers have connected to this one.
func (a *assembly) connectedRouters() (n int) {
	for _, s := range a.network.Neighbors() {
		if s.Connector == "" {
			n++
		}
	}
	return n
}
