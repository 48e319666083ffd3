package gateway

import (
	"cmp"
	"context"
	"strconv"

	"github.com/manifoldmq/manifold/gateway/internal/management"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/network"
	"github.com/manifoldmq/manifold/router/transport/passage"
)

// OwnRoutes implements management.Caller.
func (m *managedTenant) OwnRoutes() (all []management.OwnRoute) {
	caller, ok := m.caller()
	if !ok {
		return nil
	}
	for _, r := range m.network.OwnRoutes(caller.Number) {
		all = append(all, ownRouteOf(caller, r))
	}
	return all
}

// caller is the other side of the connection over which a request has come, if links can lead there.
func (m *managedTenant) caller() (c network.Caller, ok bool) {
	number := m.asker.Visit()
	if v, ok := m.directory.Visit(m.name, number); ok {
		door, ok := v.Connection().(interface{ Desk() *passage.Desk })
		if !ok {
			return c, false
		}
		return network.Caller{Number: number, Tenant: m.name, Container: v.Client(), Desk: door.Desk()}, true
	}
	return m.network.EdgeCaller(number)
}

// ownRouteOf describes a link route that a caller has made.
func ownRouteOf(c network.Caller, r network.OwnRoute) management.OwnRoute {
	id := strconv.FormatUint(r.ID, 10)
	return management.OwnRoute{
		Names:   management.Names{Name: cmp.Or(r.Name, "connection.linkRoute/"+id), Identity: id},
		Pattern: r.Pattern, Direction: r.Direction.String(), ContainerID: c.Container,
	}
}

// AddOwnRoute implements management.Caller.
func (m *managedTenant) AddOwnRoute(_ context.Context, r management.OwnRoute) (management.OwnRoute, error) {
	caller, ok := m.caller()
	if !ok {
		return r, router.Errorf(router.Unsupported, "links lead to connections of AMQP only")
	}
	if v := m.asker.Policy; v != nil && v.Group().DenyDynamicLinkRoutes {
		return r, router.Errorf(router.Denied, "link routes of a connection are denied by local policy")
	}
	direction := network.Out
	if r.Direction == network.In.String() {
		direction = network.In
	}
	made, err := m.network.AddOwnRoute(caller, network.OwnRoute{Name: r.Name, Pattern: r.Pattern, Direction: direction})
	if err != nil {
		return r, err
	}
	answer := ownRouteOf(caller, made)
	m.note("connection.linkRoute", answer.Name, "made")
	return answer, nil
}

// RemoveOwnRoute implements management.Caller.
func (m *managedTenant) RemoveOwnRoute(_ context.Context, identity string) error {
	id, err := strconv.ParseUint(identity, 10, 64)
	if err != nil || !m.network.RemoveOwnRoute(m.asker.Visit(), id) {
		return router.Errorf(router.NotFound, "the connection has no link route %q", identity)
	}
	m.note("connection.linkRoute", identity, "deleted")
	return nil
}
