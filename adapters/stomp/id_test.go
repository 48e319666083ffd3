package stomp

import (
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router"
)

// TestBrokenIDIsRefused: an overlong UUID once ended the process.
func TestBrokenIDIsRefused(t *testing.T) {
	for _, text := range []string{"uuid:12", "uuid:" + strings.Repeat("ab", 20)} {
		if id, err := parseID("correlation-id", text); router.ReasonOf(err) != router.Malformed {
			t.Errorf("%q became %#v (%v)", text, id, err)
		}
	}
}
