package gateway

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-stomp/stomp/v3"

	"github.com/manifoldmq/manifold/gateway/config"
)

// subscription asks a router for what there is of a durable subscription, or to make it or end it.
func (p *station) subscription(method, name, query string, code int) page {
	p.t.Helper()
	a, err := newHTTPClient(p.t, p.doors["http"]).ask(p.t.Context(), method, pathOf("default", name, "subscription")+query, nil, nil)
	if err != nil || a.code != code {
		p.t.Errorf("%s %s%s at %s: status %d and %q, %v; want %d", method, name, query, p.config.Network.Router.ID, a.code, a.body, err, code)
	}
	return a
}

// TestSubscriptionsAreKnownEverywhere: any router tells what a subscription is that has one home, or two.
func TestSubscriptionsAreKnownEverywhere(t *testing.T) {
	far, middle, home := places(t)
	for _, name := range []string{"events/#::audit", "#::audit"} {
		far.subscription(http.MethodGet, name, "", http.StatusNotFound)
		far.subscription(http.MethodPut, name, "?shared=true&selector=odd", http.StatusCreated)
		for _, at := range []*station{far, middle, home} {
			a := at.subscription(http.MethodGet, name, "", http.StatusOK)
			if !strings.Contains(string(a.body), `"shared":true,"selector":"odd"`) {
				t.Errorf("it is said to be %s", a.body)
			}
			at.subscription(http.MethodPut, name, "", http.StatusNoContent)
		}
		middle.subscription(http.MethodPut, name, "?shared=false", http.StatusConflict)
		middle.subscription(http.MethodDelete, name, "", http.StatusNoContent)
		for _, at := range []*station{far, middle, home} {
			at.subscription(http.MethodGet, name, "", http.StatusNotFound)
			at.subscription(http.MethodDelete, name, "", http.StatusNotFound)
		}
	}
}

// TestWishThatFitsIntoNoFrameIsRefused: the way to the home stays open for others.
func TestWishThatFitsIntoNoFrameIsRefused(t *testing.T) {
	far, middle, _ := places(t)
	middle.stop()
	middle.config.AMQP.Listeners = []config.AMQPListener{
		{Name: "routers", Role: config.InterRouterRole, Port: portOf(t, middle.doors["router"]), MaxFrameSize: 8 << 10},
	}
	middle.begin()
	far.found()
	for range 3 {
		far.subscription(http.MethodPut, "events/#::"+strings.Repeat("x", 9_000), "", http.StatusNotImplemented)
	}
	far.subscription(http.MethodPut, "events/#::x", "", http.StatusCreated)
}

// TestSubscriptionOfTheSameNameTakesThePlaceOfTheFormer: its client wants another topic, and finds it by its name to end it.
func TestSubscriptionOfTheSameNameTakesThePlaceOfTheFormer(t *testing.T) {
	far, _, home := places(t)
	login := stomp.ConnOpt.Header("client-id", "auditor")
	for _, topic := range []string{"events/a", "events/b"} {
		c := dialSTOMP(t, far.doors["stomp"], login)
		subscribeNow(t, c, "/topic/"+topic, stomp.AckAuto, "activemq.subscriptionName", "audit")
		if err := c.Disconnect(); err != nil {
			t.Fatal(err)
		}
	}
	home.subscription(http.MethodGet, "events/a::auditor:audit", "", http.StatusNotFound)
	home.subscription(http.MethodGet, "events/b::auditor:audit", "", http.StatusOK)
}
