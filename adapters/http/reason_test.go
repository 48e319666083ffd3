package http

import (
	nethttp "net/http"
	"testing"

	"github.com/manifoldmq/manifold/router"
)

func TestEveryReasonHasAStatus(t *testing.T) {
	for reason := range router.Reason(router.ReasonCount) {
		status := statuses[reason]
		if nethttp.StatusText(status.code) == "" {
			t.Errorf("%v: status %d", reason, status.code)
		}
		if success := status.code < 300; success != (reason == router.OK) {
			t.Errorf("%v: status %d", reason, status.code)
		}
		if asksToRetry := status.code == 429 || status.code == 503; status.retry && !asksToRetry {
			t.Errorf("%v: Retry-After with status %d", reason, status.code)
		}
	}
}
