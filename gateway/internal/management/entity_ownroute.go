package management

import (
	"context"
	"iter"
)

// Caller is the connection over which a request has come, and what only that is told of.
type Caller interface {
	// OwnRoutes are the link routes that lead to the caller, and end with the connection. A Conflict is a name that there is
	// already.
	OwnRoutes() []OwnRoute
	AddOwnRoute(ctx context.Context, r OwnRoute) (OwnRoute, error)
	RemoveOwnRoute(ctx context.Context, identity string) error
}

// OwnRoute has links of clients that are attached to some addresses lead to the connection over which it was made.
type OwnRoute struct {
	Names
	Pattern     string `about:"* is one level, # the rest." set:"create"`
	Direction   string `about:"in: messages go there; out: they come from there." set:"create"`
	ContainerID string `attr:"containerId" about:"What the other side of the connection calls itself."`
}

var ownRouteType = changeable(newType(entityType{
	name: "router.connection.linkRoute", base: configurationEntity,
	about: "Has links of clients lead to the connection over which it was made. No other connection is told of it.",
}, func(m Model, offset int) iter.Seq[OwnRoute] { return slice(m.OwnRoutes(), offset) }, nil), changes[OwnRoute]{
	create: func(ctx context.Context, m Model, r OwnRoute, _ saying) (OwnRoute, error) {
		if r.Pattern == "" {
			return r, faultf(statusBadRequest, "a link route has a pattern")
		}
		if r.Direction != "in" && r.Direction != "out" {
			return r, faultf(statusBadRequest, "direction %.40q is not one of in, out", r.Direction)
		}
		return m.AddOwnRoute(ctx, r)
	},
	remove: func(ctx context.Context, m Model, r OwnRoute) error { return m.RemoveOwnRoute(ctx, r.Identity) },
})
