package router_test

import (
	"testing"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/tenancy"
)

// clerk is a node of the gateway's own, that notes who has sent something.
type clerk struct {
	router.Node // nobody receives
	seen        chan *tenancy.Principal
}

func (c *clerk) Join(s *router.Sender) error {
	s.Grant()
	return nil
}

func (c *clerk) Leave(*router.Sender) {}

func (c *clerk) Offer(d router.Delivery) {
	c.seen <- d.Principal()
	d.Settle(router.Accept())
}

func (c *clerk) Attach(*router.Receiver) error {
	return router.Errorf(router.Unsupported, "only sent to")
}

func TestServiceIsThereInEveryTenant(t *testing.T) {
	direct := router.NewDirect(router.Limits{})
	r := router.New(router.Limits{}, map[addressing.Kind]router.Resolver{addressing.Anycast: direct})
	c := &clerk{seen: make(chan *tenancy.Principal, 1)}
	r.Serve(c, "$service", "also/$service")
	for tenant, definitions := range map[string][]addressing.Definition{
		"empty": nil, "full": {routertest.Define(t, "$service", addressing.Anycast), routertest.Define(t, "#", addressing.Anycast)},
	} {
		user := routertest.User(t, tenant, definitions...)
		links := routertest.Links{T: t, Router: r, User: user}
		for _, a := range []string{"$service", "also/$service"} {
			sender := links.Sender(a)
			sender.Send("x")
			sender.Accepted(1)
			if from := <-c.seen; from != user {
				t.Errorf("%s: %s was sent to by %v", tenant, a, from)
			}
		}
		source := router.Source{Filter: routertest.Filter(t, "$service")}
		if _, err := r.Receiver(t.Context(), user, source, new(routertest.Consumer)); router.ReasonOf(err) != router.Unsupported {
			t.Errorf("%s: to receive gives %v", tenant, err)
		}
	}
}

// TestServiceTakesNoRight: whoever is let in may ask, and nobody may listen.
func TestServiceTakesNoRight(t *testing.T) {
	space, err := addressing.NewSpace(nil)
	if err != nil {
		t.Fatal(err)
	}
	strict := &tenancy.Tenant{Name: "strict", Addresses: space, Anonymous: true, Roles: []tenancy.Role{{Name: "none"}}}
	directory, err := tenancy.NewDirectory(strict)
	if err != nil {
		t.Fatal(err)
	}
	user, err := directory.Anonymous(tenancy.Visitor{Tenant: "strict"}, "")
	if err != nil {
		t.Fatal(err)
	}
	r := router.New(router.Limits{}, nil)
	r.Serve(&clerk{}, "$service")
	links := routertest.Links{T: t, Router: r, User: user}
	links.Sender("$service")
	source := router.Source{Filter: routertest.Filter(t, "$service")}
	if _, err := r.Receiver(t.Context(), user, source, new(routertest.Consumer)); router.ReasonOf(err) != router.Denied {
		t.Errorf("to receive gives %v", err)
	}
	if _, err := r.Sender(t.Context(), user, router.Target{Address: "other"}, new(routertest.Producer)); router.ReasonOf(err) != router.Denied {
		t.Errorf("to send elsewhere gives %v", err)
	}
}
