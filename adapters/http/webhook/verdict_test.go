package webhook

import (
	nethttp "net/http"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router"
)

func TestAnswersAreJudged(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		status     int
		retryAfter string
		want       action
		pause      time.Duration
	}{
		{status: 200, want: accept},
		{status: 202, want: accept},
		{status: 204, want: accept},
		{status: 301, want: retry},
		{status: 307, want: retry},
		{status: 400, want: reject},
		{status: 401, want: reject},
		{status: 404, want: reject},
		{status: 408, want: retry},
		{status: 410, want: stop},
		{status: 413, want: reject},
		{status: 425, want: retry},
		{status: 429, want: retry},
		{status: 429, retryAfter: "7", want: retry, pause: 7 * time.Second},
		{status: 429, retryAfter: "999999", want: retry, pause: maxPause},
		{status: 429, retryAfter: "soon", want: retry},
		{status: 500, retryAfter: "7", want: retry},
		{status: 503, retryAfter: "Sun, 22 Nov 2026 10:00:05 GMT", want: retry, pause: 5 * time.Second},
		{status: 503, retryAfter: "Sun, 22 Nov 2026 09:00:00 GMT", want: retry},
		{status: 599, want: retry},
	} {
		v := judge(c.status, nethttp.Header{"Retry-After": {c.retryAfter}}, now)
		if v.action != c.want || v.pause != c.pause {
			t.Errorf("%d with Retry-After %q: %+v, want %v and a pause of %v", c.status, c.retryAfter, v, c.want, c.pause)
		}
	}
}

func TestDelaysGrowAndAreSpread(t *testing.T) {
	r := Retry{Initial: time.Second, Multiplier: 2, Max: 10 * time.Second}
	for tries, full := range map[uint32]time.Duration{1: time.Second, 2: 2 * time.Second, 4: 8 * time.Second, 5: 10 * time.Second, 4e9: 10 * time.Second} {
		if least, most := r.delay(tries, 0), r.delay(tries, 1); least != full/2 || most != full {
			t.Errorf("after %d tries: from %v to %v, want from %v to %v", tries, least, most, full/2, full)
		}
	}
}

func TestTriesAreCountedUnlessTheQueueDoes(t *testing.T) {
	failed := verdict{action: retry, text: "the webhook answered 500"}
	if o := (Retry{Attempts: 3}).outcome(failed, 2, "noted"); o.State != router.Modified || o.Annotations != "noted" || o.Text == "" {
		t.Errorf("at try 2 of 3: %+v", o)
	}
	if o := (Retry{Attempts: 3}).outcome(failed, 3, ""); o.State != router.Rejected || o.Text != "the webhook answered 500 at try 3 of 3" {
		t.Errorf("at try 3 of 3: %+v", o)
	}
	if o := (Retry{}).outcome(failed, 1000, ""); o.State != router.Modified {
		t.Errorf("without a limit: %+v", o)
	}
	if o := (Retry{Attempts: 1}).outcome(verdict{action: stop}, 9, ""); o.State != router.Released {
		t.Errorf("when nothing more is wanted: %+v", o)
	}
}
