package gateway

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/management"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/network"
)

// LinkRoutes implements management.Model.
func (m *managedTenant) LinkRoutes() (all []management.LinkRoute) {
	for _, s := range m.network.LinkRoutes() {
		if s.Tenant == m.name {
			all = append(all, linkRouteOf(&s))
		}
	}
	return all
}

// linkRouteOf describes a link route.
func linkRouteOf(s *network.LinkRouteStatus) management.LinkRoute {
	id := strconv.FormatUint(s.ID, 10)
	r := management.LinkRoute{
		Names:             management.Names{Name: cmp.Or(s.Name, "linkRoute/"+id), Identity: id},
		Heading:           management.Heading{Direction: s.Direction.String(), Dir: s.Direction.String()},
		Destination:       management.Destination{Connection: s.Connector, ContainerID: s.Container},
		AddExternalPrefix: s.AddPrefix, DelExternalPrefix: s.DelPrefix,
		Distribution: "linkBalanced", OperStatus: "inactive",
	}
	if s.Prefix {
		r.Prefix = new(strings.TrimSuffix(s.Pattern, "/#"))
	} else {
		r.Pattern = &s.Pattern
	}
	if s.Active {
		r.OperStatus = "active"
	}
	return r
}

// AddLinkRoute implements management.Model.
func (m *managedTenant) AddLinkRoute(_ context.Context, r management.LinkRoute) (management.LinkRoute, error) {
	if err := m.reachesOut("link routes"); err != nil {
		return r, err
	}
	declared := config.LinkRoute{
		Name: r.Name, Tenant: m.name, Direction: r.Direction, Connector: r.Connection, ContainerID: r.ContainerID,
		AddExternalPrefix: r.AddExternalPrefix, DelExternalPrefix: r.DelExternalPrefix,
	}
	if r.Prefix != nil {
		declared.Prefix = *r.Prefix
	} else {
		declared.Pattern = *r.Pattern
	}
	if err := declared.CheckPattern(); err != nil {
		return r, router.Errorf(router.Malformed, "%v", err)
	}
	status, err := m.linkRoutes.add(declared.Route())
	if err != nil {
		return r, err
	}
	made := linkRouteOf(&status)
	m.note("linkRoute", made.Name, "made")
	return made, nil
}

// RemoveLinkRoute implements management.Model.
func (m *managedTenant) RemoveLinkRoute(_ context.Context, identity string) error {
	if err := m.reachesOut("link routes"); err != nil {
		return err
	}
	all := m.network.LinkRoutes()
	i := slices.IndexFunc(all, func(s network.LinkRouteStatus) bool { return m.has(s.Tenant, s.ID, identity) })
	if i < 0 {
		return router.Errorf(router.NotFound, "there is no link route %q", identity)
	}
	m.linkRoutes.remove(all[i].LinkRoute)
	m.note("linkRoute", cmp.Or(all[i].Name, identity), "deleted")
	return nil
}
