package network

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// cellar stands for the broker of a home: it has one subscription.
type cellar struct {
	router.Resolver
	has router.Source
}

func (c *cellar) Forget(context.Context, *tenancy.Tenant, router.Source) error {
	c.has = router.Source{}
	return nil
}

func (c *cellar) Subscriptions(context.Context, *tenancy.Tenant, router.Source) ([]router.Source, error) {
	return []router.Source{c.has}, nil
}

// TestHomeAsksNobodyOnBehalfOfAnother: what another router wants is looked for here, among what is stored for the network, and
// not at a third one, which might ask us in turn.
func TestHomeAsksNobodyOnBehalfOfAnother(t *testing.T) {
	filter := func(text string) addressing.Filter {
		f, err := addressing.ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	space, err := addressing.NewSpace([]addressing.Definition{
		{Name: filter("ours"), Kind: addressing.Topic, Home: addressing.Here},
		{Name: filter("private"), Kind: addressing.Topic},
		{Name: filter("theirs"), Kind: addressing.Topic, Home: addressing.Elsewhere, Keeper: "other"},
	})
	if err != nil {
		t.Fatal(err)
	}
	tenant := &tenancy.Tenant{Name: "t", Addresses: space}
	for text, stored := range map[string]bool{"#": true, "ours": true, "private": false, "theirs": false} {
		source := router.Source{Filter: filter(text), Subscription: "audit", Lent: true}
		here := &cellar{has: source}
		homes := NewHomes(here, router.Limits{})
		homes.Join(new(Mesh)) // which leads nowhere
		if found, err := homes.Subscriptions(t.Context(), tenant, source); err != nil || (len(found) == 1) != stored {
			t.Errorf("%s: listed %v, %v", text, found, err)
		}
		if err := homes.Forget(t.Context(), tenant, source); (err == nil) != stored {
			t.Errorf("%s: forgotten with %v", text, err)
		}
		if len(homes.borrowers) > 0 {
			t.Errorf("%s: another router was asked", text)
		}
	}
}

// guarded is a cellar of a subscription with a consumer.
type guarded struct{ cellar }

func (*guarded) Forget(context.Context, *tenancy.Tenant, router.Source) error {
	return router.Errorf(router.Conflict, "it has a consumer")
}

// TestWhatCannotBeForgottenHereIsToldWhateverAnotherHomeSays: a subscription that spans two homes and has been kept by this one
// has been kept, and why is not hidden by the answer of the other.
func TestWhatCannotBeForgottenHereIsToldWhateverAnotherHomeSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		filter, err := addressing.ParseFilter("theirs")
		if err != nil {
			t.Fatal(err)
		}
		space, err := addressing.NewSpace([]addressing.Definition{
			{Name: filter, Kind: addressing.Topic, Home: addressing.Elsewhere, Keeper: "other"},
		})
		if err != nil {
			t.Fatal(err)
		}
		homes := NewHomes(new(guarded), router.Limits{})
		homes.Join(&Mesh{fringe: new(fringe)}) // without an uplink
		err = homes.Forget(t.Context(), &tenancy.Tenant{Name: "t", Addresses: space},
			router.Source{Filter: filter, Subscription: "audit"})
		if router.ReasonOf(err) != router.Conflict {
			t.Errorf("forgotten with %v", err)
		}
	})
}
