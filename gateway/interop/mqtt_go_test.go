//go:build interop

package interop

import (
	"context"
	"net"
	"net/url"
	"strconv"
	"testing"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
)

// TestPahoGo: each QoS from one client of paho.golang to another.
func TestPahoGo(t *testing.T) {
	g := start(t, t.TempDir())
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	arrived := make(chan *paho.Publish, 10)
	dial := func(id string) *paho.Client {
		nc, err := net.Dial("tcp", g.doors["mqtt"])
		if err != nil {
			t.Fatal(err)
		}
		c := paho.NewClient(paho.ClientConfig{
			Conn: nc,
			OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
				arrived <- p.Packet
				return true, nil
			}},
		})
		if _, err := c.Connect(ctx, &paho.Connect{ClientID: id, CleanStart: true, KeepAlive: 30}); err != nil {
			t.Fatal(err)
		}
		return c
	}
	sub, pub := dial("subscriber"), dial("publisher")
	for qos := range byte(3) {
		topic := "telemetry/" + strconv.Itoa(int(qos))
		granted, err := sub.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: topic, QoS: qos}}})
		if err != nil || granted.Reasons[0] != qos {
			t.Fatalf("QoS %d: granted %v, %v", qos, granted, err)
		}
		if _, err := pub.Publish(ctx, &paho.Publish{Topic: topic, QoS: qos, Payload: []byte(topic)}); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-arrived:
			if got.QoS != qos || string(got.Payload) != topic {
				t.Errorf("got %q with QoS %d, want QoS %d", got.Payload, got.QoS, qos)
			}
		case <-ctx.Done():
			t.Fatal(ctx.Err())
		}
	}
	for _, c := range []*paho.Client{sub, pub} {
		if err := c.Disconnect(new(paho.Disconnect)); err != nil {
			t.Error(err)
		}
	}
}

// TestAutopahoComesBack: a client that connects by itself, whose queue publishes what was given to it while the gateway was
// not there, and whose session goes on.
func TestAutopahoComesBack(t *testing.T) {
	folder := t.TempDir()
	g := start(t, folder)
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	arrived := make(chan string, 10)
	up := make(chan bool, 10)
	address := g.doors["mqtt"]
	c, err := autopaho.NewConnection(ctx, autopaho.ClientConfig{
		ServerUrls:            []*url.URL{{Scheme: "mqtt", Host: address}},
		SessionExpiryInterval: 3600,
		KeepAlive:             30,
		OnConnectionUp:        func(_ *autopaho.ConnectionManager, ack *paho.Connack) { up <- ack.SessionPresent },
		ClientConfig: paho.ClientConfig{
			ClientID: "auto",
			OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
				arrived <- string(p.Packet.Payload)
				return true, nil
			}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if <-up {
		t.Error("there is a session before the first connection")
	}
	if _, err := c.Subscribe(ctx, &paho.Subscribe{
		Subscriptions: []paho.SubscribeOptions{{Topic: "telemetry/auto", QoS: 1}},
	}); err != nil {
		t.Fatal(err)
	}
	g.stop(t)
	queued := &autopaho.QueuePublish{Publish: &paho.Publish{Topic: "telemetry/auto", QoS: 1, Payload: []byte("queued")}}
	if err := c.PublishViaQueue(ctx, queued); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	startWith(t, folder, "mqtt: {port: "+port+", webSocket: {port: 0}}\n"+quietDoors)
	if !<-up {
		t.Error("the session is gone")
	}
	select {
	case got := <-arrived:
		if got != "queued" {
			t.Errorf("got %q", got)
		}
	case <-ctx.Done():
		t.Fatal(ctx.Err())
	}
	if err := c.Disconnect(ctx); err != nil {
		t.Error(err)
	}
}

// quietDoors is the rest of a configuration with topics at telemetry/#.
const quietDoors = `
anonymous: true
amqp: {port: 0}
stomp: {port: 0}
coap: {port: 0}
http: {port: 0}
admin: {port: 0}
addresses: [{name: telemetry/#, kind: topic}]
`
