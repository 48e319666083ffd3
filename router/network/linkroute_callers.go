package network

import (
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/transport/passage"
	"github.com/manifoldmq/manifold/tenancy"
)

// Caller is somebody with an open connection to this router, who may have links of clients lead on to him: an edge router, or
// a client.
type Caller struct {
	Number    uint64 // of the connection, as of tenancy.Visit.ID
	Tenant    string // whose links may lead there; of every tenant, if he is a router
	Container string // what he calls himself
	Desk      *passage.Desk
	router    bool
}

// OwnRoute is a link route that a Caller has made: it leads to him, and ends with his connection at the latest.
type OwnRoute struct {
	ID        uint64 // as LinkRouteStatus.ID; unique among those of the process
	Name      string // no two of a caller have the same, but for none
	Pattern   string // as LinkRoute.Pattern; of a router as routers write it, with the tenant
	Direction Direction
}

// MaxOwnRoutes is how many a Caller may have.
const MaxOwnRoutes = 1000

// caller is a Caller who has link routes.
type caller struct {
	container *container
	routes    []ownRoute // in the order in which they were made
}

type ownRoute struct {
	OwnRoute
	road   roadKey
	filter addressing.Filter
}

// asker is who sends to a place of this router's own over a link that an edge router has attached for it. What it asks under a
// name that only it can mean, such as $management, it asks for itself, and not for a client.
func (in *inlet) asker(t *tenancy.Tenant) *tenancy.Principal {
	if strings.HasPrefix(string(in.place), "$") {
		return tenancy.InsiderOver(t, insiderName, in.number)
	}
	return insider(t)
}

// EdgeCaller finds an edge router that has connected to this one by the number of its connection.
func (n *Network) EdgeCaller(number uint64) (c Caller, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for k := range n.neighbors {
		if k.number == number && k.role == Edge && k.guest != nil {
			return Caller{Number: number, Container: k.container, Desk: k.desk, router: true}, true
		}
	}
	return c, false
}

// OwnRoutes tells what link routes the caller with a connection has made, in the order in which he did.
func (n *Network) OwnRoutes(connection uint64) (all []OwnRoute) {
	r := &n.linkRoutes
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.callers[connection]; c != nil {
		for _, o := range c.routes {
			all = append(all, o.OwnRoute)
		}
	}
	return all
}

// AddOwnRoute makes a link route for a caller, and gives it with its ID. The error is a *router.Error.
func (n *Network) AddOwnRoute(c Caller, o OwnRoute) (OwnRoute, error) {
	r := &n.linkRoutes
	road, filter, err := r.ownRoad(c, o)
	if err != nil {
		return o, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.callers[c.Number]
	switch {
	case known == nil && !c.Desk.OnClose(func() { r.forget(c.Number) }):
		return o, router.Errorf(router.NotFound, "the connection is over")
	case known == nil:
		known = &caller{container: &container{tenant: c.Tenant, id: c.Container, desk: c.Desk, router: c.router}}
		r.callers[c.Number] = known
	case len(known.routes) >= MaxOwnRoutes:
		return o, router.Errorf(router.Quota, "a connection has %d link routes at most", MaxOwnRoutes)
	case o.Name != "" && slices.ContainsFunc(known.routes, func(other ownRoute) bool { return other.Name == o.Name }):
		return o, router.Errorf(router.Conflict, "the connection has a link route of this name")
	}
	o.ID = r.network.config.Directory.Number()
	known.routes = append(known.routes, ownRoute{o, road, filter})
	r.update()
	return o, nil
}

// RemoveOwnRoute ends a link route that the caller with a connection has made. It is false if there is none. Links that lead
// along it stay.
func (n *Network) RemoveOwnRoute(connection, id uint64) bool {
	r := &n.linkRoutes
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.callers[connection]
	if c == nil {
		return false
	}
	i := slices.IndexFunc(c.routes, func(o ownRoute) bool { return o.ID == id })
	if i < 0 {
		return false
	}
	c.routes = slices.Delete(c.routes, i, i+1)
	r.update()
	return true
}

// forget ends the link routes of a connection that is over.
func (r *linkRoutes) forget(connection uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.callers, connection)
	r.update()
}

// ownRoad gives what a caller's link route is for, or why he cannot have it: among routers, and so everywhere, it has to be of
// his tenant.
func (r *linkRoutes) ownRoad(c Caller, o OwnRoute) (road roadKey, f addressing.Filter, err error) {
	road = roadKey{c.Tenant, settled(o.Pattern), o.Direction}
	if c.router {
		road.tenant, road.pattern = r.tenantOf(road.pattern)
	}
	f, err = addressing.ParseTokens(road.pattern)
	switch {
	case err != nil:
		return road, f, router.Errorf(router.Malformed, "%v", err)
	case road.tenant == nobody || !r.isOfItsTenant(road):
		return road, f, router.Errorf(router.Denied, "addresses of %q are not the tenant's", o.Pattern)
	}
	return road, f, nil
}
