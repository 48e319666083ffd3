package gateway

import (
	"context"
	"slices"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"

	"github.com/manifoldmq/manifold/gateway/config"
)

const ownRouteType = "org.apache.qpid.dispatch.router.connection.linkRoute"

// tenantsWithRoles declares two tenants with somebody who may do everything there, and somebody who may read.
const tenantsWithRoles = `
tenants:
  - name: default
    roles: [{name: owner, admin: true}, {name: keeper, manage: ["#"]}]
    users:
      - {name: ann, credential: "` + passwordA + `", roles: [owner]}
      - {name: ben, credential: "` + passwordA + `", roles: [keeper]}
  - name: blue
    roles: [{name: owner, admin: true}]
    users: [{name: cem, credential: "` + passwordA + `", roles: [owner]}]
`

// TestLinkRouteOfAConnectionIsItsAlone: nobody else is told of it, or can end it, and it goes with the connection.
func TestLinkRouteOfAConnectionIsItsAlone(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	declared, err := config.Parse("roles.yaml", []byte(tenantsWithRoles))
	if err != nil {
		t.Fatal(err)
	}
	c := quickstart(t)
	c.Anonymous, c.Addresses, c.Tenants = false, nil, declared.Tenants
	door := start(t, c)["amqp"]
	as := func(user string) *manager {
		return newManager(ctx, t, door, &goamqp.ConnOptions{SASLType: goamqp.SASLTypePlain(user, "a")})
	}
	ann, other, ben, cem := as("ann"), as("ann"), as("ben"), as("cem@blue")
	create := map[string]any{"type": ownRouteType, "name": "mine"}
	body := map[string]any{"pattern": "a.*.b", "direction": "in"}
	made := ann.expect(201, "CREATE", create, body).(map[string]any)
	if made["containerId"] == "" || made["pattern"] != "a.*.b" || made["direction"] != "in" || made["name"] != "mine" {
		t.Errorf("made %v", made)
	}
	ann.expect(400, "CREATE", create, body)
	ann.expect(403, "CREATE", map[string]any{"type": ownRouteType}, map[string]any{"pattern": "blue/#", "direction": "in"})
	ben.expect(403, "CREATE", create, body)
	cem.expect(201, "CREATE", create, body)
	for who, m := range map[string]*manager{"who has made it": ann, "another connection of his": other} {
		want := []any{"mine"}
		status := int32(200)
		if m == other {
			want, status = nil, 404
		}
		if names := m.column("router.connection.linkRoute", "name"); !slices.Equal(names, want) {
			t.Errorf("%s is told of %v", who, names)
		}
		m.expect(status, "READ", map[string]any{"type": ownRouteType, "identity": made["identity"]}, nil)
	}
	other.expect(404, "DELETE", map[string]any{"type": ownRouteType, "identity": made["identity"]}, nil)
	const key = "Ea.*.b"
	for _, m := range []*manager{ben, other} {
		if keys := m.column("router.address", "key"); !slices.Contains(keys, any(key)) {
			t.Errorf("the addresses are %v", keys)
		}
	}
	ann.conn.Close()
	for slices.Contains(other.column("router.address", "key"), any(key)) && ctx.Err() == nil {
	}
	cem.expect(204, "DELETE", map[string]any{"type": ownRouteType, "name": "mine"}, nil)
	if keys := cem.column("router.address", "key"); slices.Contains(keys, any("Eblue/"+key[1:])) {
		t.Errorf("the addresses are %v", keys)
	}
}
