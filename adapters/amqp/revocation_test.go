package amqp

import (
	"errors"
	"testing"
	"testing/synctest"

	goamqp "github.com/Azure/go-amqp"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// TestRevokedLinkIsClosedWithTheReason, and others of its connection go on.
func TestRevokedLinkIsClosedWithTheReason(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		made := h.links.Watch()
		c := h.client(frame.Open{})
		revoked := c.receiver("revoked", &frame.Source{Address: "alerts/#", HasAddress: true})
		stays := c.receiver("stays", &frame.Source{Address: "commands/x", HasAddress: true})
		stays.Grant(1)
		r := <-made
		r.Revoke(router.Errorf(router.Denied, "the home does not lend it any more"))
		if got := revoked.refusal(); got != frame.UnauthorizedAccess || !revoked.detached.Closed || revoked.detached.By != engine.ByPeer {
			t.Errorf("it is detached with %+v", revoked.detached)
		}
		c.flush()
		synctest.Wait()
		if _, open := h.links.Router.Link("default", r.Number()); open {
			t.Error("its receiver stays")
		}
		c.sender("commands/x").send(engine.Delivery{Payload: text("still there"), Settled: true})
		stays.expect("still there")
	})
}

// TestClientHearsOfARevokedLink while it waits for a message.
func TestClientHearsOfARevokedLink(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		made := h.links.Watch()
		l := h.clientReceiver(h.session(), "alerts/#", nil)
		(<-made).Revoke(router.Errorf(router.NotFound, "the home has no such address any more"))
		_, err := l.Receive(h.ctx, nil)
		var ended *goamqp.LinkError
		if !errors.As(err, &ended) || ended.RemoteErr == nil || ended.RemoteErr.Condition != goamqp.ErrCondNotFound {
			t.Errorf("it hears %v", err)
		}
	})
}
