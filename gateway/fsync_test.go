package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"testing"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/broker/brokertest"
)

// sendWhileHeld lets somebody send to the queue jobs while the disk syncs nothing: they must not have been told yes
// when the sync is reached and the door has answered others since, and must be told once the disk is let go.
func sendWhileHeld(t *testing.T, send func(ctx context.Context, doors map[string]string) error) {
	gate := brokertest.NewGate(vfs.NewMem())
	doors := startOn(t, gate, quickstart(t), slog.New(slog.DiscardHandler))
	reached := gate.Hold()
	release := sync.OnceFunc(gate.Release)
	defer release()
	told := make(chan error, 1)
	go func() { told <- send(t.Context(), doors) }()
	select {
	case <-reached:
	case err := <-told:
		t.Fatalf("the sender was told before the message reached the disk: %v", err)
	}
	for _, filter := range []string{"alerts", "telemetry/a", "commands/a"} {
		observer := dialMQTT(t, mqtt5, doors["mqtt"], "", func(arrival) {})
		if err := observer.subscribe(filter); err != nil {
			t.Fatal(err)
		}
	}
	jobs := newHTTPClient(t, doors["http"])
	head := pathOf("default", "jobs", "messages/head?timeout=0")
	if p, err := jobs.ask(t.Context(), http.MethodPost, head, nil, nil); err != nil || p.code != http.StatusNoContent {
		t.Errorf("a message that is not on disk was received: status %d, %v", p.code, err)
	}
	if len(told) > 0 {
		t.Fatalf("the sender was told before the message was on disk: %v", <-told)
	}
	release()
	if err := <-told; err != nil {
		t.Fatalf("the sender was told %v", err)
	}
	p, err := jobs.ask(t.Context(), http.MethodPost, pathOf("default", "jobs", "messages/head?timeout=10"), nil, nil)
	if err != nil || string(p.body) != "hello" {
		t.Errorf("received status %d, %q, %v", p.code, p.body, err)
	}
}

func TestNobodyIsToldYesBeforeTheSync(t *testing.T) {
	for _, protocol := range []string{mqtt3, mqtt5} {
		t.Run(protocol, func(t *testing.T) {
			sendWhileHeld(t, func(ctx context.Context, doors map[string]string) error {
				client, err := connectMQTT(ctx, protocol, doors["mqtt"], "", func(arrival) {})
				if err != nil {
					return err
				}
				defer client.close()
				return client.publish("jobs", letter{payload: []byte("hello")}, false)
			})
		})
	}
	t.Run(httpSend, func(t *testing.T) {
		sendWhileHeld(t, func(ctx context.Context, doors map[string]string) error {
			return <-httpSender{ctx: ctx, http: newHTTPClient(t, doors["http"]), write: writeHeaders}.send("jobs", fields{dataBody: "hello"})
		})
	})
	t.Run(amqp1, func(t *testing.T) {
		sendWhileHeld(t, func(ctx context.Context, doors map[string]string) error {
			client, err := connectAMQP(ctx, doors["amqp"], nil)
			if err != nil {
				return err
			}
			defer client.conn.Close()
			return client.send("jobs", goamqp.NewMessage([]byte("hello")))
		})
	})
}

// TestSecondIsSettledAfterTheSync: a receiver that settles second hears that its acceptance is taken in only when the
// message is gone for good.
func TestSecondIsSettledAfterTheSync(t *testing.T) {
	gate := brokertest.NewGate(vfs.NewMem())
	doors := startOn(t, gate, quickstart(t), slog.New(slog.DiscardHandler))
	u := enterAMQP(t, doors)
	u.fill("jobs", 1)
	link, err := u.attachReceiver("jobs", &goamqp.ReceiverOptions{
		SettlementMode: goamqp.ReceiverSettleModeSecond.Ptr(),
	})
	if err != nil {
		t.Fatal(err)
	}
	m := u.receive(link)
	reached := gate.Hold()
	release := sync.OnceFunc(gate.Release)
	defer release()
	told := make(chan error, 1)
	go func() { told <- link.AcceptMessage(u.ctx, m) }()
	select {
	case <-reached:
	case err := <-told:
		t.Fatalf("the receiver was told before the removal reached the disk: %v", err)
	}
	if err := u.roundTrip(); err != nil {
		t.Fatal(err)
	}
	if len(told) > 0 {
		t.Error("the receiver was told before the removal was on disk")
	}
	release()
	if err := <-told; err != nil {
		t.Errorf("the receiver was told %v", err)
	}
}
