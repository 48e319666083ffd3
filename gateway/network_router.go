package gateway

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/pki"
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
	if a.routers, err = a.newRouterDirectory(false); err != nil {
		return err
	}
	if a.anyRouters, err = a.newRouterDirectory(true); err != nil {
		return err
	}
	keys := network.Keys{Self: r.ID, Directory: a.directory}
	a.mesh = network.NewMesh(network.MeshConfig{
		ID: r.ID, Instance: time.Now().Unix(), Timers: r.Timers(), Reach: network.NewReach(keys), Log: a.log,
		MaxRouters: r.MaxRouters, MaxAddresses: r.MaxAddresses,
		Edge: r.IsEdge(), MayAsk: func(p *tenancy.Principal) bool { return a.mayManage(p).Change },
	})
	a.homes.Join(a.mesh)
	a.interest = network.NewInterest(keys, a.mesh.Announce, a.mesh.Withdraw)
	a.router.Watch(a.interest)
	a.router.WatchSenders(a.mesh.WatchProducers())
	return nil
}

// newRouterDirectory knows who may connect to this router as one of the same network: those who are declared, or anybody.
func (a *assembly) newRouterDirectory(anybody bool) (*tenancy.Directory, error) {
	r := &a.config.Network.Router
	none, err := addressing.NewSpace(nil)
	if err != nil {
		return nil, err
	}
	t := &tenancy.Tenant{Name: tenancy.DefaultTenant, Addresses: none, Anonymous: anybody}
	for _, u := range r.Users {
		t.Users = append(t.Users, tenancy.User(u))
	}
	if r.Certified {
		t.Authorities = []tenancy.Authority{{Name: routerAuthority, Any: true}}
	}
	d, err := tenancy.NewDirectory(t)
	switch {
	case err != nil:
	case r.Certified:
		d.Certify(routerJudge{a.security.routers, a.security.trust})
	default:
		d.Certify(a.security.trust)
	}
	return d, err
}

// routerAuthority names the authority by whose certificates any router comes in.
const routerAuthority = "tls.clientCA"

// routerJudge knows for which router a certificate speaks, where any does that its trust takes. What a tenant's authority has
// signed that is below one of routers is of the tenant's clients.
type routerJudge struct{ routers, clients *pki.Trust }

var errClients = errors.New("it is of a client of a tenant")

// Judge implements tenancy.CertificateJudge.
func (j routerJudge) Judge(certificates []*x509.Certificate) (tenancy.Holder, error) {
	h, err := j.routers.Judge(certificates)
	h.Tenant, h.Authority = tenancy.DefaultTenant, routerAuthority
	if err == nil && j.clients.IsOfTenant(certificates, j.routers) {
		err = errClients
	}
	return h, err
}

// routersAt gives who may connect as a router at a listener. Where only this machine reaches that, anybody may, as long as no
// users are declared. But who is to show himself by one of these mechanisms has to, whatever holds elsewhere.
func (a *assembly) routersAt(at net.Addr, mechanisms []string) *tenancy.Directory {
	r := &a.config.Network.Router
	host, _, _ := net.SplitHostPort(at.String()) // it has a port
	anybody := r.Anonymous || len(r.Users) == 0 && config.IsLoopback(host)
	if anybody && (len(mechanisms) == 0 || slices.Contains(mechanisms, tenancy.MechanismAnonymous)) {
		return a.anyRouters
	}
	return a.routers
}

// routerDoors are where other routers connect.
func (a *assembly) routerDoors() (doors []door) {
	n := &a.config.Network
	e := network.RouterEntrance{Role: network.InterRouter, Cost: n.Router.Cost, Limits: n.Limits()}
	for _, name := range []string{"router", "routers"} {
		if listener := a.listeners[name]; listener != nil {
			doors = append(doors, door{
				name: name, listener: listener, connections: a.connectedRouters,
				serve: a.after(name, e.Limits.HandshakeTimeout, a.serveRouters(e), "amqp"),
			})
		}
	}
	return doors
}

// routerDoor is amqpDoor for a listener to which other routers connect.
func (a *assembly) routerDoor(l *config.AMQPListener, s *security, at config.Listener) door {
	e := network.RouterEntrance{
		Role: network.InterRouter, Cost: max(l.Cost, 1), Mechanisms: l.Mechanisms, Limits: l.RouterLimits(&a.config.Network),
		Greeting: l.Greeting(),
	}
	if l.Role == config.EdgeRole {
		e.Role = network.Edge
	}
	return door{
		name: at.Name, connections: a.connectedRouters,
		serve: a.behind(s, at, e.Limits.HandshakeTimeout, a.serveRouters(e), "amqp"),
	}
}

// serveRouters serves a listener to which other routers connect by an entrance.
func (a *assembly) serveRouters(e network.RouterEntrance) func(context.Context, net.Listener) error {
	return func(ctx context.Context, listener net.Listener) error {
		e.Directory = a.routersAt(listener.Addr(), e.Mechanisms)
		return transport.Accept(ctx, listener, func(ctx context.Context, nc net.Conn) { a.network.ServeRouter(ctx, nc, &e) })
	}
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
