package gateway

import (
	"testing"

	goamqp "github.com/Azure/go-amqp"
	"github.com/coder/websocket"
	paho "github.com/eclipse/paho.mqtt.golang"
)

// TestOtherProtocolsComeOverWebSocket: a message goes from MQTT to AMQP, both over WebSocket on the HTTP port.
func TestOtherProtocolsComeOverWebSocket(t *testing.T) {
	door := "ws://" + start(t, quickstart(t))["http"]
	ctx := t.Context()

	ws, _, err := websocket.Dial(ctx, door+"/amqp", &websocket.DialOptions{Subprotocols: []string{"amqp"}})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := goamqp.NewConn(ctx, websocket.NetConn(ctx, ws, websocket.MessageBinary), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	session, err := conn.NewSession(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := session.NewReceiver(ctx, "jobs", nil)
	if err != nil {
		t.Fatal(err)
	}

	client := paho.NewClient(paho.NewClientOptions().AddBroker(door + "/mqtt").SetClientID("browser"))
	if token := client.Connect(); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	defer client.Disconnect(0)
	if token := client.Publish("jobs", 1, false, "over a WebSocket"); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	m, err := receiver.Receive(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if string(m.GetData()) != "over a WebSocket" {
		t.Errorf("got %q", m.GetData())
	}
	if err := receiver.AcceptMessage(ctx, m); err != nil {
		t.Error(err)
	}
}
