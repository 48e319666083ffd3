package network

import (
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/transport/passage"
)

// LinkRoute declares that the links that clients attach to some addresses lead on to a broker, or to another container:
// see package passage. Of several that match an address the most specific counts; several that are alike but for their
// containers share the links.
type LinkRoute struct {
	Name      string // by which people know it; may be empty
	Tenant    string
	Pattern   string    // of addresses: tokens between '.' or '/', of which "*" is any, and "#" any number of any
	Prefix    bool      // it was declared as the prefix that the pattern has before its "#" at the end
	Direction Direction // In: links on which clients send; Out: on which they receive
	Connector string    // over which connection, by the name of a connector or of a listener for containers; may be empty
	Container string    // or by what the other side calls itself; with neither, the way to another router is known by it
	AddPrefix string    // what is put before the address for the container
	DelPrefix string    // what is taken off its front before that
}

// LinkRouteStatus tells how a link route is.
type LinkRouteStatus struct {
	LinkRoute
	ID          uint64 // unique among those of the process; it rises
	Connections int    // over which it leads now, without those of other routers
	Active      bool   // there is one
}

// DefineRoutes has these link routes be there in the place of those before. Links that are there stay.
func (n *Network) DefineRoutes(routes []LinkRoute) {
	r := &n.linkRoutes
	r.mu.Lock()
	defer r.mu.Unlock()
	declared := make([]*linkRoute, 0, len(routes))
	for _, l := range routes {
		i := slices.IndexFunc(r.declared, func(old *linkRoute) bool { return old.LinkRoute == l })
		if i >= 0 {
			declared = append(declared, r.declared[i])
			continue
		}
		f, err := addressing.ParseTokens(l.Pattern)
		if err != nil {
			n.config.Log.Error("link route left out", "pattern", l.Pattern, "err", err) // it has been validated before
			continue
		}
		declared = append(declared, &linkRoute{LinkRoute: l, number: n.config.Directory.Number(), filter: f})
	}
	r.declared = declared
	r.update()
}

// LinkRoutes tells how the link routes are, in the order in which they were declared.
func (n *Network) LinkRoutes() []LinkRouteStatus {
	r := &n.linkRoutes
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]LinkRouteStatus, len(r.declared))
	for i, l := range r.declared {
		connections := len(r.containersOf(l))
		all[i] = LinkRouteStatus{LinkRoute: l.LinkRoute, ID: l.number, Connections: connections, Active: connections > 0}
	}
	return all
}

// LinkAddress is a set of addresses that has link routes, here or at other routers.
type LinkAddress struct {
	Tenant     string
	Key        string // as routers call it
	Containers int    // to which links lead from here
	Routers    int    // that have others
}

// LinkAddresses tells to what addresses links lead on, the most specific first.
func (n *Network) LinkAddresses() []LinkAddress {
	r := &n.linkRoutes
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]LinkAddress, len(r.roads))
	for i, at := range r.roads {
		all[i] = LinkAddress{Tenant: at.tenant, Key: string(at.key), Containers: len(at.here), Routers: len(at.routers)}
	}
	return all
}

// RoutedLinks lists the ends of links of a tenant that lead on, in the order in which they were made: those whose numbers are
// above after, at most so many. Those by which one router asks another for what is stored there are of no tenant.
func (n *Network) RoutedLinks(tenant string, after uint64, most int) []passage.Link {
	return n.linkRoutes.routed.Page(tenant, after, most)
}

// RoutedTotals counts the messages that have gone over those links, also over those that are no more.
func (n *Network) RoutedTotals(tenant string) passage.Totals {
	return n.linkRoutes.routed.Totals(tenant)
}

// RoutedLink finds one by its number.
func (n *Network) RoutedLink(tenant string, id uint64) (passage.Link, bool) {
	return n.linkRoutes.routed.Get(tenant, id)
}

// RouteLink tells where a link that a client of a tenant wants leads, or why it cannot be had. routed is false when it is
// for the gateway itself. The name and the owner of the way are the caller's to set.
func (n *Network) RouteLink(tenant string, a *frame.Attach) (way passage.Way, refusal *frame.Error, routed bool) {
	address, ok := passage.Address(a)
	if !ok {
		return way, nil, false
	}
	r := &n.linkRoutes
	r.mu.Lock()
	defer r.mu.Unlock()
	road := r.find(tenant, address, directionOf(a))
	switch {
	case road == nil && isDynamic(a):
		return way, passage.Unreachable(), true
	case road == nil:
		return way, nil, false
	case n.config.NoResumable && passage.Survives(a):
		return way, &frame.Error{Condition: passage.LinkExpiration, Description: "Requested link expiration not allowed"}, true
	}
	way, onward, ok := r.next(road, nil)
	switch {
	case !ok, onward && !r.knownElsewhere(tenant, address, a):
		return way, passage.Unreachable(), true
	case onward:
		way.Add = road.tenantPrefix()
	}
	return way, nil, true
}

// directionOf gives the direction of a link from the attach of who wants it.
func directionOf(a *frame.Attach) Direction {
	if a.Role == frame.Sender {
		return In
	}
	return Out
}

func isDynamic(a *frame.Attach) bool {
	return a.Role == frame.Sender && a.Target != nil && a.Target.Dynamic ||
		a.Role == frame.Receiver && a.Source != nil && a.Source.Dynamic
}

// anything is the end of the pattern of a prefix.
const anything = "/#"

// settled gives a pattern as it is told to other routers: as it was written, but for what means nothing. One that is that of
// a prefix ends like those.
func settled(pattern string) string {
	pattern = strings.Trim(pattern, "./")
	prefix, ok := strings.CutSuffix(pattern, "#")
	if ok && prefix != "" && !strings.ContainsAny(prefix, "*#") {
		return strings.TrimRight(prefix, "./") + anything
	}
	return pattern
}
