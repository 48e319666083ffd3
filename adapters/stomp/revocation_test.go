package stomp

import (
	"strings"
	"testing"

	"github.com/go-stomp/stomp/v3/frame"

	"github.com/manifoldmq/manifold/router"
)

// TestRevokedSubscriptionEndsTheSession: there is no other way to tell.
func TestRevokedSubscriptionEndsTheSession(t *testing.T) {
	run(t, func(h *house) {
		made := h.links.Watch()
		c := h.connect()
		c.ask(frame.SUBSCRIBE, "", "id", "0", "destination", "alerts/x")
		c.ask(frame.SUBSCRIBE, "", "id", "1", "destination", "alerts/y")
		for range 2 {
			(<-made).Revoke(router.Errorf(router.Denied, "the home does not lend it any more"))
		}
		if f := c.refused(messages[router.Denied]); !strings.Contains(string(f.Body), "does not lend it") {
			t.Errorf("it says %q", f.Body)
		}
	})
}
