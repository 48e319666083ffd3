package network

import (
	"context"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// Homes resolves queues and topics of a network. Those that are stored here are the broker's. Of one that another router
// stores there is a node here for what is sent, on its way to the home, and one for what comes from there to its consumers.
// That is the broker's too where it is a topic, so that each subscriber has a queue in memory if he asks for one.
type Homes struct {
	router.Resolver // of what is stored here
	direct          *router.Direct
}

var _ router.Resolver = (*Homes)(nil)

// NewHomes gives a resolver before that of the broker. Of the limits it needs MaxWaiting.
func NewHomes(stored router.Resolver, l router.Limits) *Homes {
	return &Homes{Resolver: stored, direct: router.NewDirect(l)}
}

// Resolve implements router.Resolver.
func (h *Homes) Resolve(
	ctx context.Context, t *tenancy.Tenant, def *addressing.Definition, source router.Source,
) (router.Node, error) {
	if def.Home != addressing.Elsewhere {
		return h.Resolver.Resolve(ctx, t, def, source)
	}
	phase := def.ConsumerPhase()
	if source.Phase != nil {
		phase = *source.Phase
	}
	switch {
	case source.Browse, source.Selector != nil && def.Kind == addressing.Queue,
		source.Subscription != "" && !source.Volatile:
		return nil, router.Errorf(router.Unsupported, "%s is stored by another router: only there it can be browsed, "+
			"read by a selector, or subscribed to durably", source.Filter)
	case def.Kind == addressing.Topic && phase == def.ConsumerPhase():
		return h.Resolver.Resolve(ctx, t, def, source)
	}
	source.Phase = &phase
	passing := &addressing.Definition{Name: def.Name, Kind: addressing.Anycast, Distribution: addressing.Balanced}
	if phase != def.ConsumerPhase() {
		passing.Distribution = addressing.Closest
	}
	return h.direct.Resolve(ctx, t, passing, source)
}
