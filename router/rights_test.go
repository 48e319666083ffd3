package router_test

import (
	"testing"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// TestRightsAreAskedForWhenALinkIsMade: a user may do what his role says and no more, but use every temporary address whose
// name he has been told.
func TestRightsAreAskedForWhenALinkIsMade(t *testing.T) {
	h := newHouse(t, define(t, "a/#", addressing.Broadcast))
	pattern, err := tenancy.ParsePattern("a/{user}")
	if err != nil {
		t.Fatal(err)
	}
	directory, err := tenancy.NewDirectory(&tenancy.Tenant{
		Name: h.user.Tenant.Name, Addresses: h.user.Tenant.Addresses, DefaultRoles: []string{"own"},
		Roles: []tenancy.Role{{Name: "own", Grants: map[tenancy.Right][]tenancy.Pattern{tenancy.Send: {pattern}}}},
		Users: []tenancy.User{{Name: "ann"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ann, _ := directory.Recall(h.user.Tenant.Name, "ann", "", nil)
	temporary, release := h.router.Temporary(h.user)
	defer release()
	for _, c := range []struct {
		address         addressing.Address
		sends, receives bool
	}{
		{"a/ann", true, false},
		{"a/bob", false, false},
		{temporary, true, true},
		{"temp/guess", false, false},
	} {
		_, err := h.router.Sender(t.Context(), ann, router.Target{Address: c.address}, new(outcomes))
		if (err == nil) != c.sends || err != nil && router.ReasonOf(err) != router.Denied {
			t.Errorf("sender to %s: %v", c.address, err)
		}
		_, err = h.router.Receiver(t.Context(), ann, router.Source{Filter: c.address.Filter()}, new(inbox))
		if (err == nil) != c.receives || err != nil && router.ReasonOf(err) != router.Denied {
			t.Errorf("receiver from %s: %v", c.address, err)
		}
		_, err = h.router.Receiver(t.Context(), ann, router.Source{Filter: c.address.Filter(), Browse: true}, new(inbox))
		if (err == nil) != (c.address == temporary) || err != nil && router.ReasonOf(err) != router.Denied {
			t.Errorf("browser of %s: %v", c.address, err)
		}
	}
}
