package gateway

import (
	"bytes"
	"testing"

	"github.com/coder/websocket"
)

// dialFrames opens a WebSocket for MQTT.
func dialFrames(t *testing.T, door string) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), "ws://"+door+"/mqtt", &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.CloseNow() })
	if got := ws.Subprotocol(); got != "mqtt" { // [MQTT-6.0.0-4]
		t.Errorf("the subprotocol is %q", got)
	}
	return ws
}

// TestMQTTPacketsMayBeCutIntoFrames of a WebSocket in any way [MQTT-6.0.0-2].
func TestMQTTPacketsMayBeCutIntoFrames(t *testing.T) {
	ws := dialFrames(t, start(t, quickstart(t))["http"])
	connect := []byte{0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, 1, 'a'}
	for _, frame := range [][]byte{connect[:3], append(connect[3:], 0xC0), {0}} {
		if err := ws.Write(t.Context(), websocket.MessageBinary, frame); err != nil {
			t.Fatal(err)
		}
	}
	var got []byte
	for want := []byte{0x20, 2, 0, 0, 0xD0, 0}; !bytes.Equal(got, want); {
		kind, frame, err := ws.Read(t.Context())
		if got = append(got, frame...); err != nil || kind != websocket.MessageBinary || !bytes.HasPrefix(want, got) {
			t.Fatalf("read %v % x, %v", kind, got, err)
		}
	}
}

// TestMQTTPacketsInTextFramesEndTheConnection [MQTT-6.0.0-1].
func TestMQTTPacketsInTextFramesEndTheConnection(t *testing.T) {
	ws := dialFrames(t, start(t, quickstart(t))["http"])
	if err := ws.Write(t.Context(), websocket.MessageText, []byte("text")); err != nil {
		t.Fatal(err)
	}
	if _, frame, err := ws.Read(t.Context()); err == nil {
		t.Errorf("answered with % x", frame)
	}
}
