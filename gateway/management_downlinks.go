package gateway

import (
	"slices"
	"strconv"

	"github.com/manifoldmq/manifold/gateway/internal/management"
	"github.com/manifoldmq/manifold/router/network"
)

// Links to other routers are told of to those who run the gateway.

// downlink finds the link to an edge router by the id of that.
func (m *managedTenant) downlink(edge string) (l management.Link, ok bool) {
	all := m.network.Downlinks()
	i := slices.IndexFunc(all, func(d network.Downlink) bool { return d.Edge == edge })
	if i < 0 {
		return l, false
	}
	return downlinkOf(all[i]), true
}

// downlinkOf describes the link to an edge router.
func downlinkOf(d network.Downlink) management.Link {
	l := newLink(downlinkIdentity+d.Edge, edgeLink, false, d.Connection)
	l.OwningAddr = "H" + d.Edge
	return l
}

// trunk finds a link to another router by its number.
func (m *managedTenant) trunk(number string) (l management.Link, ok bool) {
	id, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return l, false
	}
	found, ok := m.network.Trunk(id)
	if !ok {
		return l, false
	}
	return m.trunkOf(found), true
}

// trunkOf describes a link to another router.
func (m *managedTenant) trunkOf(t network.Trunk) management.Link {
	kind := routerLink
	if t.Control {
		kind = controlLink
	}
	l := newLink(trunkIdentity+strconv.FormatUint(t.ID, 10), kind, !t.Sends, t.Connection)
	l.LinkName, l.Priority, l.Capacity = t.Name, t.Priority, t.Capacity
	l.UnsettledCount, l.DeliveryCount, l.PresettledCount = t.Unsettled, t.Delivered, t.Presettled
	outcomes(&l, t.Ended)
	return l
}
