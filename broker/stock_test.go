package broker_test

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/broker"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/tenancy"
)

// TestWhatATenantStoresIsCounted: in queues, durable subscriptions and retained messages; beyond its plan it is refused, and
// after a restart it is counted anew.
func TestWhatATenantStoresIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewMem()
		begin := func(plan tenancy.Plan) (*house, *tenancy.Allowance) {
			d, err := tenancy.NewDirectory(&tenancy.Tenant{Name: "default", Plan: plan})
			if err != nil {
				t.Fatal(err)
			}
			b, err := broker.Open(broker.Options{Dir: "data", FS: fs, Log: slog.New(slog.DiscardHandler), Allowance: d.Allowance})
			if err != nil {
				t.Fatal(err)
			}
			return links(t, b), d.Allowance("default")
		}
		uses := func(when string, a *tenancy.Allowance, queues, subscriptions, messages, retained int64) {
			t.Helper()
			synctest.Wait()
			f := a.Figures()
			got := [4]int64{f[tenancy.MaxQueues].Used, f[tenancy.MaxSubscriptions].Used, f[tenancy.MaxStoredMessages].Used,
				f[tenancy.MaxRetained].Used}
			if want := [4]int64{queues, subscriptions, messages, retained}; got != want {
				t.Errorf("%s: queues, subscriptions, messages and retained are %v, want %v", when, got, want)
			}
			if bytes := f[tenancy.MaxStoredBytes].Used; (bytes > 0) != (messages > 0) {
				t.Errorf("%s: %d messages have %d bytes", when, messages, bytes)
			}
		}
		h, a := begin(tenancy.Plan{})
		p := h.Sender("jobs")
		p.Send("1")
		p.Send("2")
		p.Accepted(2)
		subscription := router.Source{Filter: routertest.Filter(t, "telemetry/#"), Subscription: "all"}
		h.From(subscription, 0).Link.Close()
		h.retain(t, "state", "telemetry/a", 0)
		uses("at first", a, 1, 1, 3, 1)
		h.Receiver("jobs", 1).Next().Settle(router.Accept())
		uses("when one is taken", a, 1, 1, 2, 1)
		h.close(t)

		plan := tenancy.Plan{}
		plan.Most[tenancy.MaxQueues], plan.Most[tenancy.MaxSubscriptions] = 1, 1
		plan.Most[tenancy.MaxStoredMessages], plan.Most[tenancy.MaxRetained] = 3, 1
		h, a = begin(plan)
		uses("after a restart", a, 1, 1, 2, 1)
		if _, err := h.Router.Sender(t.Context(), h.User, router.Target{Address: "small"}, h.Sender("jobs")); router.ReasonOf(err) != router.Quota ||
			!strings.Contains(err.Error(), "limits.maxQueues: 1") {
			t.Errorf("a second queue: %v", err)
		}
		another := subscription
		another.Subscription = "another"
		if _, err := h.Router.Receiver(t.Context(), h.User, another, nil); router.ReasonOf(err) != router.Quota {
			t.Errorf("a second subscription: %v", err)
		}
		if got := h.retain(t, "more", "telemetry/b", 0); got != router.Quota {
			t.Errorf("a second retained message: %v", got)
		}
		p = h.Sender("jobs")
		p.Send("3")
		p.Accepted(1)
		p.Send("4")
		if o := p.Next().Outcome; o.Reason != router.Quota || !strings.Contains(o.Text, "limits.maxStoredMessages: 3") {
			t.Errorf("a fourth message: %+v", o)
		}
		topic := h.Sender("telemetry/a")
		topic.Send("5")
		if o := topic.Next().Outcome; o.Reason != router.Quota {
			t.Errorf("a message for the subscription: %+v", o)
		}
		if err := h.Router.Forget(t.Context(), h.User, subscription); err != nil {
			t.Error(err)
		}
		uses("without the subscription", a, 1, 0, 2, 1)
		for _, l := range []tenancy.Limit{tenancy.MaxQueues, tenancy.MaxSubscriptions, tenancy.MaxRetained, tenancy.MaxStoredMessages} {
			if f := a.Figures()[l]; f.Breaches == 0 {
				t.Errorf("no breach of %v is counted", l)
			}
		}
		h.close(t)
	})
}
