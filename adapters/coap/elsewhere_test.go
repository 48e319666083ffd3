package coap

import (
	"context"
	"testing"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/tenancy"
)

// lender has the topics of a home: what they have kept is on its way.
type lender struct{ routertest.Fickle }

func (l lender) Attach(*router.Receiver) error { return nil }
func (l lender) Join(*router.Sender) error     { return nil }
func (l lender) Offer(d router.Delivery)       { d.Settle(router.Accept()) }
func (l lender) Pending(*router.Receiver) bool { return true }

func (l lender) Resolve(context.Context, *tenancy.Tenant, *addressing.Definition, router.Source) (router.Node, error) {
	return l, nil
}

func (l lender) Forget(context.Context, *tenancy.Tenant, router.Source) error { return nil }

func (l lender) Subscriptions(context.Context, *tenancy.Tenant, router.Source) ([]router.Source, error) {
	return nil, nil
}

// TestNobodyIsToldThatATopicElsewhereHasKeptNothing: that is not known here. It can be observed and published to.
func TestNobodyIsToldThatATopicElsewhereHasKeptNothing(t *testing.T) {
	run(t, Config{}, func(h *house) {
		h.server.config.Router = router.New(router.Limits{}, map[addressing.Kind]router.Resolver{addressing.Topic: lender{}})
		p := h.dial()
		p.expect(codes.NotImplemented, codes.GET, "a/state", "")
		p.expect(codes.NotImplemented, codes.PUT, "a/state", "on", option(message.IfNoneMatch))
		p.expect(codes.Changed, codes.PUT, "a/state", "on")
		for range 2 { // the second time to be sure
			p.expect(codes.Content, codes.GET, "a/state", "", observing)
		}
		p.expect(codes.NotImplemented, codes.GET, "ps/data/state", "")
		p.expect(codes.NotImplemented, codes.GET, "ps/data/state", "", observing, token("u"))
		p.expect(codes.NotImplemented, codes.DELETE, "ps/data/state", "")
		p.expect(codes.Created, codes.PUT, "ps/data/state", "on")
	})
}
