package gateway

import (
	"cmp"
	"iter"
	"math"
	"strconv"
	"strings"

	"github.com/manifoldmq/manifold/gateway/internal/management"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/network"
	"github.com/manifoldmq/manifold/router/transport/passage"
)

// How the identities of links begin: of those of clients, of those that lead on, of those to other routers, and of those to edge
// routers, whose ids follow. Each kind has numbers of its own.
const (
	linkIdentity     = "router.link/"
	routedIdentity   = "router.link/routed/"
	trunkIdentity    = "router.link/router/"
	downlinkIdentity = "router.link/edge/"
)

// Types of links, as Dispatch calls them.
const (
	endpointLink = "endpoint"
	routerLink   = "inter-router"
	controlLink  = "router-control"
	edgeLink     = "edge-downlink"
)

// paged lists what is asked for page by page. number gives that by which the next page is asked for.
func paged[T any](page func(after uint64, most int) []T, number func(T) uint64) iter.Seq[T] {
	return func(yield func(T) bool) {
		after := uint64(0)
		for {
			all := page(after, registerPage)
			for _, x := range all {
				if !yield(x) {
					return
				}
			}
			if len(all) < registerPage {
				return
			}
			after = number(all[len(all)-1])
		}
	}
}

// links lists the links of the tenant that are the gateway's own.
func (m *managedTenant) links() iter.Seq[router.Link] {
	return paged(
		func(after uint64, most int) []router.Link { return m.router.Links(m.name, after, most) },
		func(l router.Link) uint64 { return l.ID },
	)
}

// routedLinks lists the ends of the links of an owner that lead on.
func (m *managedTenant) routedLinks(owner string) iter.Seq[passage.Link] {
	return paged(
		func(after uint64, most int) []passage.Link { return m.network.RoutedLinks(owner, after, most) },
		func(l passage.Link) uint64 { return l.ID },
	)
}

// Links implements management.Model.
func (m *managedTenant) Links(offset int) iter.Seq[management.Link] {
	return func(yield func(management.Link) bool) {
		for l := range m.allLinks {
			if offset--; offset < 0 && !yield(l) {
				return
			}
		}
	}
}

// allLinks lists the links of the tenant, and those between routers where those who run the gateway ask.
func (m *managedTenant) allLinks(yield func(management.Link) bool) {
	if m.isOperators() {
		for _, d := range m.network.Downlinks() {
			if !yield(downlinkOf(d)) {
				return
			}
		}
		for t := range paged(m.network.Trunks, func(t network.Trunk) uint64 { return t.ID }) {
			if !yield(m.trunkOf(t)) {
				return
			}
		}
		for l := range m.routedLinks("") {
			if !yield(m.routedLinkOf(l)) {
				return
			}
		}
	}
	for l := range m.routedLinks(m.name) {
		if !yield(m.routedLinkOf(l)) {
			return
		}
	}
	for l := range m.links() {
		if l.Way && l.Visit == 0 { // what goes there goes over a link to another router
			continue
		}
		if !yield(m.linkOf(l)) {
			return
		}
	}
}

// Link implements management.Model.
func (m *managedTenant) Link(identity string) (l management.Link, ok bool) {
	for _, find := range []struct {
		begin  string
		all    bool // for others than those who run the gateway, too
		lookUp func(rest string) (management.Link, bool)
	}{
		{downlinkIdentity, false, m.downlink},
		{trunkIdentity, false, m.trunk},
		{routedIdentity, true, m.routedLink},
		{linkIdentity, true, m.ownLink},
	} {
		if rest, ok := strings.CutPrefix(identity, find.begin); ok {
			if !find.all && !m.isOperators() {
				return l, false
			}
			return find.lookUp(rest)
		}
	}
	return m.ownLink(identity)
}

// ownLink finds a link that is the gateway's own by its number.
func (m *managedTenant) ownLink(number string) (l management.Link, ok bool) {
	id, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return l, false
	}
	found, ok := m.router.Link(m.name, id)
	if !ok {
		return l, false
	}
	return m.linkOf(found), true
}

// linkOf describes a link that is the gateway's own.
func (m *managedTenant) linkOf(l router.Link) management.Link {
	d := newLink(linkIdentity+strconv.FormatUint(l.ID, 10), endpointLink, l.Sends, l.Visit)
	d.LinkName, d.OwningAddr, d.Capacity = cmp.Or(l.Name, l.Subscription), m.keyAt(l.Phase, l.Address), m.config.Limits.LinkCredit
	d.UnsettledCount, d.DeliveryCount, d.PresettledCount = l.Unsettled, l.Delivered, l.Presettled
	d.DroppedPresettledCount, d.CreditAvailable = l.Dropped, creditOf(l.Credit)
	d.UndeliveredCount, d.ZeroCreditSeconds, d.DeliveriesStuck = l.Waiting, l.Dry, uint64(l.Stuck)
	d.DeliveriesDelayed1Sec, d.DeliveriesDelayed10Sec = l.Delayed1Sec, l.Delayed10Sec
	outcomes(&d, l.Ended)
	d.Name = cmp.Or(d.LinkName, d.Name)
	return d
}

// keyAt is keyOf for one phase of an address.
func (m *managedTenant) keyAt(phase uint8, address string) string {
	key := m.keyOf(address)
	if rest, ok := strings.CutPrefix(key, mobileKey); ok && phase > 0 && phase <= 9 {
		return "M" + strconv.Itoa(int(phase)) + rest
	}
	return key
}

// newLink begins the description of a link. sends is about who is at the other end; connection is zero for none.
func newLink(identity, kind string, sends bool, connection uint64) management.Link {
	d := management.Link{
		Names:       management.Names{Name: identity, Identity: identity},
		AdminStatus: "enabled", OperStatus: "up", LinkType: kind, LinkDir: "out", Priority: 4,
	}
	if sends {
		d.LinkDir = "in"
	}
	if connection != 0 {
		d.ConnectionID = strconv.FormatUint(connection, 10)
	}
	return d
}

func creditOf(n int) int { return min(max(n, 0), math.MaxInt32) }

// outcomes tells how the messages of a link have ended.
func outcomes(d *management.Link, ended [4]uint64) {
	d.AcceptedCount, d.RejectedCount = ended[router.Accepted], ended[router.Rejected]
	d.ReleasedCount, d.ModifiedCount = ended[router.Released], ended[router.Modified]
}

// routedLink finds an end of a link that leads on by its number.
func (m *managedTenant) routedLink(number string) (l management.Link, ok bool) {
	id, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return l, false
	}
	found, ok := m.network.RoutedLink(m.name, id)
	if !ok && m.isOperators() {
		found, ok = m.network.RoutedLink("", id)
	}
	if !ok {
		return l, false
	}
	return m.routedLinkOf(found), true
}

// routedLinkOf describes an end of a link that leads on.
func (m *managedTenant) routedLinkOf(l passage.Link) management.Link {
	d := newLink(routedIdentity+strconv.FormatUint(l.ID, 10), endpointLink, l.Sends, l.Connection)
	d.LinkName, d.OwningAddr, d.CreditAvailable = l.Name, mobileKey+l.Address, creditOf(l.Credit)
	d.UnsettledCount, d.DeliveryCount, d.PresettledCount = l.Unsettled, l.Delivered, l.Presettled
	d.AcceptedCount, d.RejectedCount, d.ReleasedCount, d.ModifiedCount = l.Accepted, l.Rejected, l.Released, l.Modified
	if l.Peer != 0 {
		d.Peer = new(routedIdentity + strconv.FormatUint(l.Peer, 10))
	}
	d.Name = cmp.Or(d.LinkName, d.Name)
	return d
}
