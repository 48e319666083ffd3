package coap

import (
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

var gone = router.Errorf(router.Denied, "the home does not lend it any more")

// TestRevokedObservationEndsWithItsReason, and the client may observe anew.
func TestRevokedObservationEndsWithItsReason(t *testing.T) {
	run(t, Config{}, func(h *house) {
		made := h.links.Watch()
		p := h.dial()
		p.expect(codes.Content, codes.GET, "a/state", "", observing)
		p.expect(codes.Content, codes.GET, "a/alerts", "", observing, token("other"))
		(<-made).Revoke(gone)
		if n := p.notice(); n.Code != codes.Forbidden || n.token != "t" || string(n.Body) == "" {
			t.Errorf("notification %s %q of %s", dotted(n.Code), n.Body, n.token)
		}
		p.expect(codes.Changed, codes.PUT, "a/state", "on")
		p.expect(codes.Changed, codes.POST, "a/alerts", "still there")
		if n := p.notice(); n.token != "other" || string(n.Body) != "still there" {
			t.Errorf("notification %q of %s", n.Body, n.token)
		}
		if got := p.expect(codes.Content, codes.GET, "a/state", "", observing); string(got.Body) != "on" {
			t.Errorf("it begins anew with %q", got.Body)
		}
	})
}

func TestRefusedObservationIsNotRevokedToo(t *testing.T) {
	run(t, Config{}, func(h *house) {
		h.links.Router.Serve(routertest.Fickle{Why: gone}, "fickle")
		p := h.dial()
		p.expect(codes.Forbidden, codes.GET, "a/fickle", "", observing)
		p.client.Collect(time.Now())
		p.expect(codes.Content, codes.GET, "a/state", "", observing)
		if len(p.notices) > 0 {
			t.Errorf("%d notifications", len(p.notices))
		}
	})
}
