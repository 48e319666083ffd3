package gateway

import (
	"context"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"

	"github.com/manifoldmq/manifold/gateway/config"
)

// policyOfTwo is a policy by which ann may do everything, and who is anonymous receives from news.
const policyOfTwo = `
amqp:
  manner: dispatch
  policy:
    enabled: true
    defaultVhost: $default
    vhosts:
      - hostname: $default
        groups:
          - {name: owners, users: [ann], remoteHosts: ["*"], sources: ["*"], targets: ["*"], allowDynamicSource: true, denyDynamicLinkRoutes: true}
          - {name: guests, users: [anonymous], remoteHosts: [127.0.0.1], sources: [news*], allowDynamicSource: true}
tenants:
  - name: default
    anonymous: true
    roles: [{name: nobody}]
    defaultRoles: [nobody]
    users: [{name: ann, credential: "` + passwordA + `"}]
    addresses: [{name: "tokens:#", kind: anycast}]
`

// TestPolicyTakesThePlaceOfRoles: in the router, and for management.
func TestPolicyTakesThePlaceOfRoles(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	declared, err := config.Parse("policy.yaml", []byte(policyOfTwo))
	if err != nil {
		t.Fatal(err)
	}
	c := quickstart(t)
	c.Anonymous, c.Addresses, c.Tenants = false, nil, declared.Tenants
	c.AMQP.Manner, c.AMQP.Policy = declared.AMQP.Manner, declared.AMQP.Policy
	door := start(t, c)["amqp"]
	ann := newManager(ctx, t, door, &goamqp.ConnOptions{SASLType: goamqp.SASLTypePlain("ann", "a")})
	ann.expect(201, "CREATE", map[string]any{"type": "vhost", "name": "shop"}, map[string]any{"hostname": "shop"})
	ann.expect(403, "CREATE", map[string]any{"type": ownRouteType, "name": "mine"}, map[string]any{"pattern": "a.#", "direction": "in"})
	if names := ann.column("vhostStats", "hostname"); len(names) != 2 {
		t.Errorf("there are counts of %v", names)
	}
	guest := newManager(ctx, t, door, &goamqp.ConnOptions{SASLType: goamqp.SASLTypeAnonymous()})
	guest.expect(403, "READ", map[string]any{"type": "router", "name": "x"}, nil)
	conn, err := goamqp.Dial(ctx, "amqp://"+door, &goamqp.ConnOptions{SASLType: goamqp.SASLTypeAnonymous()})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	session, err := conn.NewSession(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.NewReceiver(ctx, "newsletter", nil); err != nil {
		t.Errorf("a guest may not receive from what the policy says: %v", err)
	}
	if _, err := session.NewReceiver(ctx, "jobs", nil); err == nil {
		t.Error("a guest receives from elsewhere")
	}
	if _, err := session.NewSender(ctx, "newsletter", nil); err == nil {
		t.Error("a guest sends")
	}
	nowhere, err := goamqp.Dial(ctx, "amqp://"+door, &goamqp.ConnOptions{SASLType: goamqp.SASLTypeAnonymous(), HostName: "shop"})
	if err == nil {
		_, err = nowhere.NewSession(ctx, nil)
		nowhere.Close()
	}
	if err == nil {
		t.Error("who asks for a virtual host without groups comes in")
	}
}
