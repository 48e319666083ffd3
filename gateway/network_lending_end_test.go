package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
	"github.com/coder/websocket"
	"github.com/eclipse/paho.golang/paho"
	"github.com/go-stomp/stomp/v3"

	"github.com/manifoldmq/manifold/gateway/config"
)

// TestClientHearsWhyALoanEnds: the home does not declare any more what it has lent when it is asked again, and each client is told
// so as his protocol can.
func TestClientHearsWhyALoanEnds(t *testing.T) {
	far, middle, home := places(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	u := enterAMQP(t, far.doors)
	link := u.receiver("events/a::amqp", 1)

	disconnected := make(chan *paho.Disconnect, 1)
	device := session5(t, far.doors["mqtt"], "device", func(string) {}, func(d *paho.Disconnect) { disconnected <- d })
	if _, err := device.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "events/a", QoS: 1}}}); err != nil {
		t.Fatal(err)
	}

	client := dialSTOMP(t, far.doors["stomp"], stomp.ConnOpt.Header("client-id", "auditor"))
	audit := subscribeNow(t, client, "/topic/events/a", stomp.AckClientIndividual, "activemq.subscriptionName", "audit")

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+far.doors["http"]+pathOf("default", "events/a::http", "stream"), nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := http.DefaultClient.Do(request)
	if err != nil || stream.StatusCode != http.StatusOK {
		t.Fatalf("%+v, %v", stream, err)
	}
	defer stream.Body.Close()

	socket, _, err := websocket.Dial(ctx, "ws://"+far.doors["http"]+"/v1/default/socket", &websocket.DialOptions{Subprotocols: []string{"manifold.v1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.CloseNow()
	if err := socket.Write(ctx, websocket.MessageText, []byte(`{"id":1,"op":"subscribe","address":"events/a::socket","subscription":7}`)); err != nil {
		t.Fatal(err)
	}
	if _, text, err := socket.Read(ctx); err != nil || !strings.Contains(string(text), `"status":200`) {
		t.Fatalf("%s, %v", text, err)
	}

	home.config.Addresses = withoutTopics(home.config.Addresses)
	home.again(far, middle)

	if _, err := link.Receive(ctx, nil); !isLinkError(err, "amqp:not-found") {
		t.Errorf("a client of AMQP hears %v", err)
	}
	select {
	case d := <-disconnected:
		if d.ReasonCode != 0x90 || !strings.Contains(d.Properties.ReasonString, "events/a") {
			t.Errorf("a client of MQTT hears %x, %+v", d.ReasonCode, d.Properties)
		}
	case <-ctx.Done():
		t.Error("a client of MQTT hears nothing")
	}
	if m, ok := <-audit.C; ok && m.Err == nil {
		t.Errorf("a client of STOMP hears %+v", m)
	}
	if text, err := io.ReadAll(stream.Body); err != nil {
		t.Errorf("a stream of HTTP ends with %q, %v", text, err)
	}
	if _, text, err := socket.Read(ctx); err != nil || !strings.Contains(string(text), `"subscription":7`) || !strings.Contains(string(text), `"status":404`) {
		t.Errorf("a socket hears %s, %v", text, err)
	}

	// Who comes back goes on without.
	came := make(chan string, 10)
	device = session5(t, far.doors["mqtt"], "device", func(text string) { came <- text }, func(*paho.Disconnect) { came <- "disconnected" })
	if _, err := device.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "logs/a", QoS: 1}}}); err != nil {
		t.Fatal(err)
	}
	enterAMQP(t, far.doors).fill("logs/a", 1)
	if got := hear(t, came); got != "0" {
		t.Errorf("when it is back it hears %q", got)
	}
}

func isLinkError(err error, condition goamqp.ErrCond) bool {
	e, ok := errors.AsType[*goamqp.LinkError](err)
	return ok && e.RemoteErr != nil && e.RemoteErr.Condition == condition
}

// withoutTopics gives the declarations of a router without the topic that it stores.
func withoutTopics(all []config.Address) (rest []config.Address) {
	for _, a := range all {
		if a.Name.String() != "events/#" {
			rest = append(rest, a)
		}
	}
	return rest
}
