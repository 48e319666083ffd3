package network

import (
	"testing"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/tenancy"
)

// testKeys are those of the router a, with the tenants default and acme.
func testKeys(t *testing.T) Keys {
	t.Helper()
	d, err := tenancy.NewDirectory(routertest.User(t, "default").Tenant, routertest.User(t, "acme").Tenant)
	if err != nil {
		t.Fatal(err)
	}
	return Keys{Self: "a", Directory: d}
}

func TestKeysAreNamesOfTenantsAddresses(t *testing.T) {
	keys := testKeys(t)
	for _, c := range []struct {
		tenant string
		filter addressing.Filter
		phase  uint8
		want   protocol.Key
	}{
		{"default", routertest.Filter(t, "orders/7"), 0, "M0orders/7"},
		{"default", routertest.Filter(t, "orders/7"), 1, "M1orders/7"},
		{"acme", routertest.Filter(t, "orders/7"), 0, "M0acme/orders/7"},
		{"acme", routertest.Filter(t, "acme/x"), 0, "M0acme/acme/x"},
		{"default", routertest.Filter(t, "acme"), 0, "M0acme"},
		{"default", routertest.Filter(t, "orders/*/#"), 0, "M0orders/+/#"},
		{"default", addressing.Address("orders/*").Filter(), 0, "M0orders/*"},
		{"acme", routertest.Filter(t, "#"), 0, "M0acme/#"},
		{"default", routertest.Filter(t, "#"), 0, "M0#"},
	} {
		key, ok := keys.Key(c.tenant, c.filter, c.phase)
		if !ok || key != c.want {
			t.Errorf("%s of %s has the key %q (%v), want %q", c.filter, c.tenant, key, ok, c.want)
			continue
		}
		if tenant, f, phase, ok := keys.Split(key); !ok || tenant != c.tenant || f != c.filter || phase != c.phase {
			t.Errorf("%q is read as %s of %s in phase %d (%v)", key, f, tenant, phase, ok)
		}
	}
}

func TestNoKeyReachesIntoAnotherTenant(t *testing.T) {
	keys := testKeys(t)
	for _, name := range []string{"acme/orders", "acme/#", "default/x", "$SYS/x", "_local/x", "_topo/0/b/x", "/a", "amqp:/a"} {
		if key, ok := keys.Key("default", routertest.Filter(t, name), 0); ok {
			t.Errorf("%s of the default tenant has the key %q", name, key)
		}
	}
	for _, key := range []protocol.Key{"M0default/x", "M0acme/", "M0", "M0#/x", "Rb", "M0\x00"} {
		if tenant, f, _, ok := keys.Split(key); ok {
			t.Errorf("%q is read as %s of %s", key, f, tenant)
		}
	}
}
