package network

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// Homes resolves queues and topics of a network. Those that are stored here are the broker's. Of one that another router
// stores there is a node here for what is sent, on its way to the home, and one for what comes from there to its consumers.
// That is the broker's too where it is a topic, so that each subscriber has a queue in memory if he asks for one. What only
// the home itself can give, it lends: see ADR 0026.
type Homes struct {
	router.Resolver // of what is stored here
	direct          *router.Direct
	mesh            *Mesh // by which other homes are reached; nil for none

	mu        sync.Mutex           // guards everything below; taken before that of a borrower
	borrowers map[string]*borrower // by home
}

var _ router.Prologue = (*Homes)(nil)

// NewHomes gives a resolver before that of the broker. Of the limits it needs MaxWaiting.
func NewHomes(stored router.Resolver, l router.Limits) *Homes {
	return &Homes{Resolver: stored, direct: router.NewDirect(l), borrowers: make(map[string]*borrower)}
}

// Join has the homes be reached by a mesh. It comes before any link.
func (h *Homes) Join(m *Mesh) { h.mesh = m }

// borrower gives the node of what a home lends.
func (h *Homes) borrower(home string) *borrower {
	h.mu.Lock()
	defer h.mu.Unlock()
	b := h.borrowers[home]
	if b == nil {
		b = &borrower{mesh: h.mesh, home: home, loans: make(map[*router.Receiver]*loan)}
		h.borrowers[home] = b
	}
	return b
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
	case isLent(&source, def):
		return h.lent(def, source)
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

// lent gives the node of what the home of a definition lends.
func (h *Homes) lent(def *addressing.Definition, source router.Source) (router.Node, error) {
	switch {
	case h.mesh == nil || def.Keeper == "":
		return nil, router.Errorf(router.Unsupported, "%s is stored by another router, which there is no way to", source.Filter)
	case source.Except != nil && !isNamed(source.Except):
		return nil, router.Errorf(router.Unsupported, "%s is stored by another router: to leave out there what its subscriber "+
			"sends needs a name of his, such as a client id", source.Filter)
	case source.Browse && def.Kind != addressing.Queue:
		return nil, router.Errorf(router.Unsupported, "%s: only a queue can be browsed", source.Filter)
	default:
		return h.borrower(def.Keeper), nil
	}
}

// isNamed tells whether what is left out is told by a name.
func isNamed(except any) bool {
	name, ok := except.(string)
	return ok && name != ""
}

// Prologue implements router.Prologue: what a topic retains is at its home.
func (h *Homes) Prologue(def *addressing.Definition, source router.Source) router.Node {
	if h.mesh == nil || def.Home != addressing.Elsewhere || def.Keeper == "" || def.Kind != addressing.Topic || isLent(&source, def) {
		return nil
	}
	return prologue{h.borrower(def.Keeper)}
}

// Forget implements router.Resolver: a subscription is forgotten here, and at the homes of what it selects.
func (h *Homes) Forget(ctx context.Context, t *tenancy.Tenant, source router.Source) error {
	if source.Lent && !storesFor(t, source.Filter) {
		return router.Errorf(router.NotFound, "no such subscription")
	}
	err := h.Resolver.Forget(ctx, t, source)
	source.Volatile = false
	for _, b := range h.lenders(t, source) {
		gone := b.forget(ctx, t.Name, source)
		if router.ReasonOf(err) == router.NotFound || err == nil && router.ReasonOf(gone) != router.NotFound {
			err = gone
		}
	}
	return err
}

// Subscriptions implements router.Resolver: they are those that are here, and those at the homes of topics. All homes are asked
// at once.
func (h *Homes) Subscriptions(ctx context.Context, t *tenancy.Tenant, wanted router.Source) ([]router.Source, error) {
	found, err := h.Resolver.Subscriptions(ctx, t, wanted)
	if wanted.Lent {
		return slices.DeleteFunc(found, func(s router.Source) bool { return !storesFor(t, s.Filter) }), err
	}
	type answer struct {
		found []router.Source
		err   error
	}
	lenders := h.lenders(t, wanted)
	answers := make(chan answer, len(lenders))
	for _, b := range lenders {
		go func() {
			found, err := b.list(ctx, t.Name, wanted)
			answers <- answer{found, err}
		}()
	}
	for range lenders {
		a := <-answers
		err = cmp.Or(err, a.err)
		for _, s := range a.found {
			if !slices.ContainsFunc(found, func(known router.Source) bool { return known.Filter == s.Filter }) {
				found = append(found, s) // else it spans both homes
			}
		}
	}
	return found, err
}

// storesFor tells whether something that a filter selects is stored here for the network.
func storesFor(t *tenancy.Tenant, f addressing.Filter) bool {
	for def := range t.Addresses.Overlapping(f) {
		if def.Home == addressing.Here {
			return true
		}
	}
	return false
}

// lenders gives a node for each other router that lends the subscription of a source; without a filter, of any topic.
func (h *Homes) lenders(t *tenancy.Tenant, source router.Source) (all []*borrower) {
	if h.mesh == nil || source.Lent {
		return nil
	}
	defs := t.Addresses.All()
	if !source.Filter.IsZero() {
		defs = t.Addresses.Overlapping(source.Filter)
	}
	for def := range defs {
		if !isLent(&source, def) || def.Kind != addressing.Topic || def.Keeper == "" {
			continue
		}
		if b := h.borrower(def.Keeper); !slices.Contains(all, b) {
			all = append(all, b)
		}
	}
	return all
}
