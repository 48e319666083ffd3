package gateway

import (
	"slices"
	"strconv"
	"strings"

	"github.com/manifoldmq/manifold/gateway/internal/management"
	"github.com/manifoldmq/manifold/router/network"
)

// downlinkIdentity begins the identity of a link to an edge router, whose id follows.
const downlinkIdentity = "link/edge/"

// downlinks are the links to edge routers, of which those are told who run the gateway.
func (m *managedTenant) downlinks() []network.Downlink {
	if !m.isOperators() {
		return nil
	}
	return m.network.Downlinks()
}

// downlink finds one by its identity.
func (m *managedTenant) downlink(identity string) (l management.Link, ok bool) {
	edge, ok := strings.CutPrefix(identity, downlinkIdentity)
	if !ok {
		return l, false
	}
	all := m.downlinks()
	i := slices.IndexFunc(all, func(d network.Downlink) bool { return d.Edge == edge })
	if i < 0 {
		return l, false
	}
	return downlinkOf(all[i]), true
}

// downlinkOf describes the link to an edge router.
func downlinkOf(d network.Downlink) management.Link {
	identity := downlinkIdentity + d.Edge
	return management.Link{
		Names:       management.Names{Name: identity, Identity: identity},
		AdminStatus: "enabled", OperStatus: "up", LinkType: "edge-downlink", LinkDir: "out",
		ConnectionID: strconv.FormatUint(d.Connection, 10), OwningAddr: "H" + d.Edge, Priority: 4,
	}
}
