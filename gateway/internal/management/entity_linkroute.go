package management

import (
	"context"
	"iter"
)

// LinkRoute has links of clients that are attached to some addresses lead through the gateway to somebody else.
type LinkRoute struct {
	Names
	Prefix  *string `about:"These levels, and whatever follows them." set:"create"`
	Pattern *string `about:"* is one level, # the rest." set:"create"`
	Heading
	Destination
	AddExternalPrefix string `about:"What is put before the address for the other side." set:"create"`
	DelExternalPrefix string `about:"What is taken off the address for the other side." set:"create"`
	Distribution      string `about:"Always linkBalanced: each link goes to one of those that have the route." set:"create"`
	OperStatus        string `about:"active, or inactive when nobody is there to lead to."`
}

var linkRouteType = changeable(newType(entityType{
	name: "router.config.linkRoute", base: configurationEntity,
	about: "Has links of clients lead through the gateway to somebody else.",
}, func(m Model, offset int) iter.Seq[LinkRoute] { return slice(m.LinkRoutes(), offset) }, nil), changes[LinkRoute]{
	defaults: LinkRoute{Distribution: linkBalanced},
	create: func(ctx context.Context, m Model, r LinkRoute, _ saying) (LinkRoute, error) {
		if err := r.settle(); err != nil {
			return r, err
		}
		return m.AddLinkRoute(ctx, r)
	},
	remove: func(ctx context.Context, m Model, r LinkRoute) error { return m.RemoveLinkRoute(ctx, r.Identity) },
})

// linkBalanced is the one distribution of link routes.
const linkBalanced = "linkBalanced"

// settle makes a declaration that was asked for whole.
func (r *LinkRoute) settle() error {
	switch {
	case (r.Prefix == nil) == (r.Pattern == nil):
		return faultf(statusBadRequest, "a link route has either a prefix or a pattern")
	case r.Prefix != nil && *r.Prefix == "" || r.Pattern != nil && *r.Pattern == "":
		return faultf(statusBadRequest, "the prefix or pattern of a link route is not empty")
	case r.Distribution != linkBalanced:
		return faultf(statusBadRequest, "distribution %.40q is not %s", r.Distribution, linkBalanced)
	}
	if err := r.Heading.settle(); err != nil {
		return err
	}
	return r.Destination.check()
}
