package gateway

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestAMQPSubscriptionOutlivesEveryEnd: "topic::name" keeps what is published while its link is closed, while its
// connection is cut, and while the gateway is stopped.
func TestAMQPSubscriptionOutlivesEveryEnd(t *testing.T) {
	const source = "telemetry/#::audit"
	c := quickstart(t)
	t.Run("before", func(t *testing.T) {
		doors := start(t, c)
		u := enterAMQP(t, doors)
		if err := u.receiver(source, 1).Close(u.ctx); err != nil {
			t.Fatal(err)
		}
		u.fill("telemetry/closed", 1)
		u.take(u.receiver(source, 1), "0")
		if err := u.wire.Close(); err != nil {
			t.Fatal(err)
		}
		enterAMQP(t, doors).fill("telemetry/cut", 2)
	})
	t.Run("after", func(t *testing.T) {
		doors := start(t, c)
		u := enterAMQP(t, doors)
		link := u.receiver(source, 1)
		for _, want := range []string{"0", "1"} {
			u.take(link, want)
		}
		if err := link.Close(u.ctx); err != nil {
			t.Fatal(err)
		}
		url := "http://" + doors["http"] + strings.TrimSuffix(pathOf("default", source, ""), "/") + "/subscription"
		if code := request(t, http.MethodDelete, url); code != http.StatusNoContent {
			t.Errorf("ending it gave status %d", code)
		}
	})
}

// TestAMQPSubscriberMissesNothingForWantOfCredit: what is published faster than a subscriber with one credit takes it
// waits at the door.
func TestAMQPSubscriberMissesNothingForWantOfCredit(t *testing.T) {
	const n = 500
	dial := startAMQP(t)
	for _, address := range []string{"telemetry/a", "alerts"} {
		t.Run(address, func(t *testing.T) {
			u := dial()
			link := u.receiver(address, 1)
			dial().fill(address, n)
			for i := range n {
				u.take(link, strconv.Itoa(i))
			}
		})
	}
}

// TestAMQPDurableTerminusEndsWhenClosed: a subscription that is named by its container and link is kept when they are
// lost, and ended when the link is closed.
func TestAMQPDurableTerminusEndsWhenClosed(t *testing.T) {
	doors := startOn(t, vfs.NewMem(), quickstart(t), slog.New(slog.DiscardHandler))
	attach := func() (amqpUser, *goamqp.Receiver) {
		client, err := connectAMQP(t.Context(), doors["amqp"], &goamqp.ConnOptions{ContainerID: "auditor"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { client.conn.Close() })
		for {
			link, err := client.attachReceiver("telemetry/#", &goamqp.ReceiverOptions{
				Name: "all", SourceDurability: goamqp.DurabilityUnsettledState, SourceExpiryPolicy: goamqp.ExpiryPolicyNever,
			})
			if e, ok := errors.AsType[*goamqp.Error](err); ok && e.Condition == goamqp.ErrCondResourceLocked {
				continue // the door has not noticed yet that the connection before is gone
			}
			if err != nil {
				t.Fatal(err)
			}
			return amqpUser{client, t}, link
		}
	}
	publish := func(text string) {
		u := enterAMQP(t, doors)
		if err := u.send("telemetry/a", goamqp.NewMessage([]byte(text))); err != nil {
			t.Fatal(err)
		}
	}
	u, _ := attach()
	if err := u.conn.Close(); err != nil {
		t.Fatal(err)
	}
	publish("kept")
	u, link := attach()
	u.take(link, "kept")
	if err := link.Close(u.ctx); err != nil {
		t.Fatal(err)
	}
	publish("lost")
	u, link = attach()
	publish("new")
	u.take(link, "new")
}
