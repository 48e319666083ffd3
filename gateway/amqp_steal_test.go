package gateway

import (
	"errors"
	"testing"

	goamqp "github.com/Azure/go-amqp"
)

// TestLinkThatComesBackTakesOver: a client with a durable subscription that attaches its link again on a new connection,
// before the old one is known to be gone, gets it, and the old one hears that it was stolen.
func TestLinkThatComesBackTakesOver(t *testing.T) {
	doors := start(t, quickstart(t))
	attach := func() *goamqp.Receiver {
		t.Helper()
		conn, err := goamqp.Dial(t.Context(), "amqp://"+doors["amqp"], &goamqp.ConnOptions{ContainerID: "billing"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		session, err := conn.NewSession(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := session.NewReceiver(t.Context(), "telemetry/#", &goamqp.ReceiverOptions{
			Name: "invoices", SourceDurability: goamqp.DurabilityUnsettledState, SourceExpiryPolicy: goamqp.ExpiryPolicyNever,
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	former := attach()
	current := attach()
	if code := post(t, "http://"+doors["http"]+"/v1/default/telemetry/a/messages", "hello"); code != 201 {
		t.Fatalf("sending gave status %d", code)
	}
	m, err := current.Receive(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := current.AcceptMessage(t.Context(), m); err != nil {
		t.Error(err)
	}
	_, err = former.Receive(t.Context(), nil)
	lost, ok := errors.AsType[*goamqp.LinkError](err)
	if !ok || lost.RemoteErr == nil || lost.RemoteErr.Condition != goamqp.ErrCondStolen {
		t.Errorf("the former link ended with %v, want amqp:link:stolen", err)
	}
}
