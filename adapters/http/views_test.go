package http

import (
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// TestMessageIsShownAnewOnlyWhereItLooksDifferent: to streams of one form it is shown once, whatever their number.
func TestMessageIsShownAnewOnlyWhereItLooksDifferent(t *testing.T) {
	message := func() router.Message {
		m, err := amqp.ParseMessage(amqp.AppendData(nil, []byte("payload")))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	one := router.Delivery{Message: message(), To: "a"}
	views, now := newViews(), time.Now()
	for name, c := range map[string]struct {
		change func(d *router.Delivery)
		form   form
		same   bool
	}{
		"the same":       {func(*router.Delivery) {}, formJSON, true},
		"another form":   {func(*router.Delivery) {}, formRaw, false},
		"an equal one":   {func(d *router.Delivery) { d.Message = message() }, formJSON, false},
		"elsewhere":      {func(d *router.Delivery) { d.To = "b" }, formJSON, false},
		"retained":       {func(d *router.Delivery) { d.Retained = true }, formJSON, false},
		"tried before":   {func(d *router.Delivery) { d.Attempts = 1 }, formJSON, false},
		"with an expiry": {func(d *router.Delivery) { d.Expires = now.UnixMilli() + 1 }, formJSON, false},
	} {
		first := views.of(&one, formJSON, now)
		d := one
		c.change(&d)
		if got := views.of(&d, c.form, now); (got == first) != c.same {
			t.Errorf("%s: the same view: %t", name, got == first)
		}
	}
}
