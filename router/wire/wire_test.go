package wire_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/wire"
)

func TestEveryReasonHasACondition(t *testing.T) {
	for r := range router.Reason(router.ReasonCount) {
		if (wire.Condition(r) == "") != (r == router.OK) {
			t.Errorf("%v: condition %q", r, wire.Condition(r))
		}
	}
}

func TestFaultsOfOursAreNotDescribedToThePeer(t *testing.T) {
	if e := wire.Error(errors.New("/var/lib/secret: broken")); e.Description != "" || e.Condition != "amqp:internal-error" {
		t.Errorf("got %v", e)
	}
	if e := wire.Error(router.Errorf(router.NotFound, "no such address")); e.Description == "" || e.Condition != frame.NotFound {
		t.Errorf("got %v", e)
	}
}

// TestOutcomesAreTheSameAtTheEndOfAnyNumberOfHops: what a state means here, said as a state, means the same there.
func TestOutcomesAreTheSameAtTheEndOfAnyNumberOfHops(t *testing.T) {
	annotations := amqp.BeginFields(nil)
	annotations.String("x-opt-why", "busy")
	for _, c := range []struct {
		state frame.State
		want  router.Outcome
	}{
		{frame.State{Kind: frame.Accepted}, router.Accept()},
		{frame.State{Kind: frame.Released}, router.Release()},
		{frame.State{Kind: frame.Modified}, router.Outcome{State: router.Modified, Reason: router.Unroutable}},
		{frame.State{Kind: frame.Modified, DeliveryFailed: true}, router.Fail()},
		{
			frame.State{Kind: frame.Modified, UndeliverableHere: true, Annotations: annotations.End()},
			router.Outcome{
				State: router.Modified, Reason: router.Unroutable, Elsewhere: true, Annotations: string(annotations.End()),
			},
		},
		{frame.State{Kind: frame.Rejected}, detailed(nil, router.Malformed, "the consumer rejected the message")},
		{rejected(frame.ResourceLimitExceeded, "full"), router.Reject(router.Quota, "full")},
		{
			rejected(frame.NotFound, ""),
			detailed(&frame.Error{Condition: frame.NotFound}, router.NotFound, "amqp:not-found"),
		},
		{
			rejected("acme:tuesday", "closed"),
			detailed(&frame.Error{Condition: "acme:tuesday", Description: "closed"}, router.Malformed, "acme:tuesday: closed"),
		},
	} {
		state := c.state
		for hop := range 3 {
			got := wire.Outcome(&state)
			if got != c.want {
				t.Errorf("%v after %d hops is %+v, want %+v", c.state, hop, got, c.want)
			}
			state = wire.State(got)
		}
	}
}

// TestRejectionsKeepTheirReason when another router passes them on.
func TestRejectionsKeepTheirReason(t *testing.T) {
	alike := map[router.Reason]router.Reason{router.Failed: router.Internal, router.Unauthenticated: router.Denied}
	for r := router.OK + 1; int(r) < router.ReasonCount; r++ {
		want := r
		if as, ok := alike[r]; ok {
			want = as
		}
		state := wire.State(router.Reject(r, "why"))
		if got := wire.Outcome(&state); got != router.Reject(want, "why") {
			t.Errorf("%v comes as %+v", r, got)
		}
	}
}

// detailed is a rejection that says more over AMQP than elsewhere.
func detailed(e *frame.Error, reason router.Reason, text string) router.Outcome {
	o := router.Reject(reason, text)
	o.Detail = string(e.Append(nil))
	return o
}

// TestRejectionsArriveAsTheyWereSaid: the condition, the text and the further information of the consumer's error, or none.
func TestRejectionsArriveAsTheyWereSaid(t *testing.T) {
	info := amqp.BeginFields(nil)
	info.String("until", "wednesday")
	for _, said := range []*frame.Error{
		nil,
		{Condition: "acme:tuesday"},
		{Condition: frame.ResourceLimitExceeded, Description: "full", Info: info.End()},
	} {
		state := frame.State{Kind: frame.Rejected, Error: said}
		got := wire.State(wire.Outcome(&state))
		if got.Kind != frame.Rejected || !reflect.DeepEqual(got.Error, said) {
			t.Errorf("%+v arrives as %+v", said, got.Error)
		}
	}
}

func rejected(condition amqp.Symbol, text string) frame.State {
	return frame.State{Kind: frame.Rejected, Error: &frame.Error{Condition: condition, Description: text}}
}

func TestSettlementWithoutAStateGivesBack(t *testing.T) {
	for _, s := range []*frame.State{nil, {}} {
		if got := wire.Outcome(s); got != router.Release() {
			t.Errorf("%v is %+v", s, got)
		}
	}
}

// TestHeaderIsWrittenAnewOnlyWhenItHasToBe checks what is sent of a message whose header counts [3.2.1].
func TestHeaderIsWrittenAnewOnlyWhenItHasToBe(t *testing.T) {
	with := func(h amqp.Header) amqp.Message {
		return amqp.Trusted(amqp.AppendValueString(h.Append(nil), "body"))
	}
	plain, lasting := amqp.Trusted(amqp.AppendValueString(nil, "body")), with(amqp.Header{Priority: 4, TTL: 5000})
	tried := with(amqp.Header{Priority: 4, DeliveryCount: 2})
	now := time.UnixMilli(1_000_000)
	soon, past := now.UnixMilli()+2000, now.UnixMilli()
	for name, c := range map[string]struct {
		delivery router.Delivery
		durable  bool
		want     amqp.Message // zero for a message that has expired
	}{
		"first attempt":          {router.Delivery{Message: plain}, false, plain},
		"third attempt":          {router.Delivery{Message: plain, Attempts: 2}, false, tried},
		"says so already":        {router.Delivery{Message: tried, Attempts: 2}, false, tried},
		"to be kept":             {router.Delivery{Message: plain}, true, with(amqp.Header{Priority: 4, Durable: true})},
		"time to live runs":      {router.Delivery{Message: lasting, Expires: soon}, false, with(amqp.Header{Priority: 4, TTL: 2000})},
		"time to live is over":   {router.Delivery{Message: lasting, Expires: past}, false, amqp.Message{}},
		"expiry time is to come": {router.Delivery{Message: plain, Expires: soon}, false, plain},
		"expiry time is over":    {router.Delivery{Message: plain, Expires: past}, false, amqp.Message{}},
	} {
		m, wanted := wire.Write(&c.delivery, func() time.Time { return now }, c.durable)
		if wanted == c.want.IsZero() || !bytes.Equal(m.Bytes(), c.want.Bytes()) {
			t.Errorf("%s: %x (%v), want %x", name, m.Bytes(), wanted, c.want.Bytes())
		}
	}
}

func TestReadKnowsTimeAndTries(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	header := amqp.Header{Priority: 4, TTL: 5000, DeliveryCount: 2}
	expiring := amqp.Properties{To: "orders", AbsoluteExpiryTime: 1_000_100}
	for name, c := range map[string]struct {
		bytes    []byte
		expires  int64
		attempts uint32
	}{
		"neither":     {nil, 0, 0},
		"header":      {header.Append(nil), 1_005_000, 2},
		"expiry time": {expiring.Append(nil), 1_000_100, 0},
		"both":        {expiring.Append(header.Append(nil)), 1_005_000, 2},
	} {
		m := amqp.Trusted(amqp.AppendValueString(c.bytes, "body"))
		d, p, err := wire.Read(m, func() time.Time { return now })
		if err != nil || d.Expires != c.expires || d.Attempts != c.attempts {
			t.Errorf("%s: %+v %v", name, d, err)
		}
		if want, _ := m.Properties(); p.To != want.To {
			t.Errorf("%s: to is %q, want %q", name, p.To, want.To)
		}
	}
}
