package gateway

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/coder/websocket"
	paho3 "github.com/eclipse/paho.mqtt.golang"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// TestMQTTHasAWebSocketPortOfItsOwn, for both names of its subprotocol and for nothing else.
func TestMQTTHasAWebSocketPortOfItsOwn(t *testing.T) {
	from := gatewaytest.New(t)
	doors := guarded(t, from)
	for scheme, door := range map[string]string{"ws": doors["ws"], "wss": doors["wss"]} {
		options := paho3.NewClientOptions().AddBroker(scheme + "://" + door + "/mqtt").SetAutoReconnect(false).
			SetUsername("ann").SetPassword("a").SetTLSConfig(from.Dialer("localhost", ""))
		client := paho3.NewClient(options)
		if err := wait(client.Connect()); err != nil {
			t.Fatalf("%s: %v", scheme, err)
		}
		if err := wait(client.Publish("jobs", 1, false, "x")); err != nil {
			t.Errorf("%s: %v", scheme, err)
		}
		client.Disconnect(0)
	}
	for name, offered := range map[string]bool{"mqtt": true, "mqttv3.1": true, "amqp": false, "v12.stomp": false} {
		socket, _, err := websocket.Dial(t.Context(), "ws://"+doors["ws"]+"/x",
			&websocket.DialOptions{Subprotocols: []string{name}})
		if (err == nil) != offered || err == nil && socket.Subprotocol() != name {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			socket.CloseNow()
		}
	}
	for _, path := range []string{"/", "/mqtt", "/v1/open/jobs/messages"} {
		if code, body := get(t, "http://"+doors["ws"]+path); code != http.StatusUpgradeRequired {
			t.Errorf("%s: status %d: %s", path, code, body)
		}
	}
}

// TestWebSocketPortCanBeClosed, and is when MQTT is not enabled.
func TestWebSocketPortCanBeClosed(t *testing.T) {
	for name, change := range map[string]func(*config.MQTT){
		"webSocket": func(m *config.MQTT) { m.WebSocket.Enabled = false },
		"mqtt":      func(m *config.MQTT) { m.Enabled = false },
	} {
		c := quickstart(t)
		change(&c.MQTT)
		if doors := start(t, c); doors["ws"] != "" || doors["http"] == "" {
			t.Errorf("%s not enabled: %v", name, doors)
		}
	}
}

// TestDevicesOfHonoFindTheirAddresses with the configuration that is there to be copied.
func TestDevicesOfHonoFindTheirAddresses(t *testing.T) {
	c, err := config.Load("../configs/hono.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.DataDir = "data"
	c.MQTT.Port, c.MQTT.WebSocket.Port, c.AMQP.Port, c.STOMP.Port, c.HTTP.Port, c.CoAP.Port, c.Admin.Port = 0, 0, 0, 0, 0, 0, 0
	c.Users = []config.User{{Name: "7", Credential: credential(t, passwordA)}}
	doors := startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))

	app := enterAMQP(t, doors)
	telemetry, events := app.receiver("telemetry/#", 20), app.receiver("event/#", 20)
	answers := app.receiver("command/7/res/#", 20)
	commands := make(chan arrival, 10)
	device := honoDevice(t, doors["mqtt"], "7@default", "a", commands)
	nobody := honoDevice(t, doors["mqtt"], "", "", commands)
	expect := func(link *goamqp.Receiver, to string) {
		t.Helper()
		m := app.receive(link)
		if m.Properties == nil || m.Properties.To == nil || *m.Properties.To != to {
			t.Errorf("a message came by %v, want %s", m.Properties, to)
		}
	}
	for _, published := range []struct {
		from  paho3.Client
		topic string
		link  *goamqp.Receiver
		to    string
	}{
		{device, "telemetry", telemetry, "telemetry/7"},
		{device, "t", telemetry, "telemetry/7"},
		{device, "e", events, "event/7"},
		{device, "event//8", events, "event/8"},
		{device, "t/default/7", telemetry, "telemetry/7"},
		{nobody, "telemetry/default/9", telemetry, "telemetry/9"},
		{nobody, "e//9", events, "event/9"},
		{device, "command///res/1/200", answers, "command/7/res/1/200"},
		{device, "c///s/2/404", answers, "command/7/res/2/404"},
	} {
		if err := wait(published.from.Publish(published.topic, 1, false, "x")); err != nil {
			t.Fatalf("%s: %v", published.topic, err)
		}
		expect(published.link, published.to)
	}

	for _, form := range []struct{ filter, topic string }{
		{"command///req/#", "command///req/1/blink"},
		{"c///q/#", "c///q/1/blink"},
		{"command//+/req/#", "command//7/req/1/blink"},
		{"c/default/+/q/#", "c/default/7/q/1/blink"},
	} {
		if err := wait(device.Subscribe(form.filter, 1, nil)); err != nil {
			t.Fatalf("%s: %v", form.filter, err)
		}
		if err := app.send("command/7/req/1/blink", goamqp.NewMessage([]byte("fast"))); err != nil {
			t.Errorf("%s: %v", form.filter, err)
		}
		if got := <-commands; got.address != form.topic || string(got.payload) != "fast" {
			t.Errorf("the command came as %s, want %s", got.address, form.topic)
		}
		if err := wait(device.Unsubscribe(form.filter)); err != nil {
			t.Fatal(err)
		}
	}

	if err := wait(nobody.Publish("t/other/9", 1, false, "x")); err == nil && nobody.IsConnected() {
		t.Error("a device of another tenant was let through")
	}
}

// honoDevice connects a device that gives the commands it gets to a channel.
func honoDevice(t *testing.T, door, user, password string, commands chan<- arrival) paho3.Client {
	t.Helper()
	options := paho3.NewClientOptions().AddBroker("tcp://" + door).SetUsername(user).SetPassword(password).
		SetAutoReconnect(false).SetTLSConfig(&tls.Config{}).SetWriteTimeout(10 * time.Second).
		SetDefaultPublishHandler(func(_ paho3.Client, m paho3.Message) {
			commands <- arrival{letter{payload: m.Payload()}, m.Topic()}
		})
	client := paho3.NewClient(options)
	if err := wait(client.Connect()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Disconnect(0) })
	return client
}

// TestOfflineDeviceIsBoundedAndMeasured like every durable subscription: what waits for it is in the metrics of queues, and
// the limits of its address hold.
func TestOfflineDeviceIsBoundedAndMeasured(t *testing.T) {
	c := quickstart(t)
	for i := range c.Addresses {
		if c.Addresses[i].Name.String() == "telemetry/#" {
			c.Addresses[i].MaxMessages = 2
		}
	}
	doors := start(t, c)
	device := mqttDevice(t, doors["mqtt"], "device", func(string) {})
	if err := wait(device.Subscribe("telemetry/+", 1, nil)); err != nil {
		t.Fatal(err)
	}
	device.Disconnect(0)
	const queue = `{queue="telemetry/*::$mqtt/device",tenant="default"} `
	metrics := "http://" + doors["admin"] + "/metrics"
	shows(t, metrics, "manifold_queue_consumers"+queue+"0")
	publisher := dialMQTT(t, mqtt5, doors["mqtt"], "", func(arrival) {})
	for range 3 {
		if err := publisher.publish("telemetry/a", letter{payload: []byte("x")}, false); err != nil {
			t.Fatal(err)
		}
	}
	shows(t, metrics, "manifold_queue_messages"+queue+"2", "manifold_queue_ready_messages"+queue+"2",
		"manifold_queue_stored_total"+queue+"2", "manifold_queue_dropped_total"+queue+"1")
}

// shows waits until a page has these lines.
func shows(t *testing.T, page string, lines ...string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		_, text := get(t, page)
		missing := slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return strings.Contains(text, "\n"+line+"\n") })
		if len(missing) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the page has no lines %q:\n%s", missing, text)
		}
	}
}
