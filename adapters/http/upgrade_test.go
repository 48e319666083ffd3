package http

import (
	"context"
	"io"
	"net"
	nethttp "net/http"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/coder/websocket"
)

// echo is a protocol that says back what it hears until it ends, or the process stops.
func echo(ctx context.Context, nc net.Conn) {
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	defer stop()
	_, _ = io.Copy(nc, nc)
	nc.Close()
}

// reverse says each message back, last octet first.
func reverse(_ context.Context, nc net.Conn, next func() (io.Reader, error)) {
	defer nc.Close()
	for {
		r, err := next()
		if err != nil {
			return
		}
		message, err := io.ReadAll(r)
		if err != nil {
			return
		}
		slices.Reverse(message)
		if _, err := nc.Write(message); err != nil {
			return
		}
	}
}

func withUpgrades(t *testing.T, c Config, test func(t *testing.T, d *door)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c.Upgrades = map[string]Upgrade{"echo": {Serve: echo}, "text": {Serve: echo, Text: true, Paths: []string{"/text"}},
			"messages": {Messages: reverse}}
		d := open(t, c)
		defer d.close()
		test(t, d)
	})
}

func (d *door) dial(origin string, subprotocols ...string) (*websocket.Conn, *nethttp.Response, error) {
	return d.dialPath("/any/path", origin, subprotocols...)
}

func (d *door) dialPath(path, origin string, subprotocols ...string) (*websocket.Conn, *nethttp.Response, error) {
	header := make(nethttp.Header)
	if origin != "" {
		header.Set("Origin", origin)
	}
	return websocket.Dial(d.t.Context(), "ws://door"+path, &websocket.DialOptions{
		HTTPClient: d.client, HTTPHeader: header, Subprotocols: subprotocols,
	})
}

func TestWebSocketCarriesAnotherProtocol(t *testing.T) {
	withUpgrades(t, Config{}, func(t *testing.T, d *door) {
		c, _, err := d.dial("", "unknown", "echo")
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Subprotocol(); got != "echo" {
			t.Errorf("subprotocol %q", got)
		}
		if err := c.Write(t.Context(), websocket.MessageBinary, []byte{0, 255}); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(t.Context()); string(got) != "\x00\xff" {
			t.Errorf("read %q, %v", got, err)
		}
		c.Close(websocket.StatusNormalClosure, "")
	})
}

func TestWebSocketKeepsMessagesApart(t *testing.T) {
	withUpgrades(t, Config{}, func(t *testing.T, d *door) {
		c, _, err := d.dial("", "messages")
		if err != nil {
			t.Fatal(err)
		}
		for message, want := range map[string]string{"ab": "ba", "": "", "xyz": "zyx"} {
			if err := c.Write(t.Context(), websocket.MessageBinary, []byte(message)); err != nil {
				t.Fatal(err)
			}
			if _, got, err := c.Read(t.Context()); string(got) != want || err != nil {
				t.Errorf("read %q, %v", got, err)
			}
		}
		if err := c.Write(t.Context(), websocket.MessageText, []byte("text")); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusUnsupportedData {
			t.Errorf("after a message of text: %v", err)
		}
	})
}

// TestWebSocketTakesText: only where the protocol says so, and what comes back is binary.
func TestWebSocketTakesText(t *testing.T) {
	withUpgrades(t, Config{}, func(t *testing.T, d *door) {
		for subprotocol, ok := range map[string]bool{"text": true, "echo": false} {
			c, _, err := d.dial("", subprotocol)
			if err != nil {
				t.Fatal(err)
			}
			for _, kind := range []websocket.MessageType{websocket.MessageText, websocket.MessageBinary, websocket.MessageText} {
				_ = c.Write(t.Context(), kind, []byte("ü"))
				kind, got, err := c.Read(t.Context())
				if (err == nil) != ok {
					t.Fatalf("%s: %v", subprotocol, err)
				}
				if ok && (kind != websocket.MessageBinary || string(got) != "ü") {
					t.Errorf("%s: got %v %q", subprotocol, kind, got)
				}
				if !ok {
					break
				}
			}
			c.Close(websocket.StatusNormalClosure, "")
		}
	})
}

// TestWebSocketWithoutSubprotocol: the path decides for clients that name none, and only for them.
func TestWebSocketWithoutSubprotocol(t *testing.T) {
	withUpgrades(t, Config{}, func(t *testing.T, d *door) {
		c, _, err := d.dialPath("/text", "")
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Write(t.Context(), websocket.MessageText, []byte("x"))
		if _, got, err := c.Read(t.Context()); string(got) != "x" {
			t.Errorf("got %q, %v", got, err)
		}
		c.Close(websocket.StatusNormalClosure, "")
		if _, answer, err := d.dialPath("/text", "", "unknown"); err == nil || answer.StatusCode != nethttp.StatusBadRequest {
			t.Errorf("an unknown subprotocol: %v (%v)", answer, err)
		}
	})
}

func TestWebSocketIsRefused(t *testing.T) {
	for _, c := range []struct {
		name, origin, subprotocol string
		status                    int
	}{
		{"without subprotocol", "", "", nethttp.StatusBadRequest},
		{"of an unknown subprotocol", "", "unknown", nethttp.StatusBadRequest},
		{"to a page of another origin", "https://evil.example", "echo", nethttp.StatusForbidden},
		{"to a page of no origin", "null", "echo", nethttp.StatusForbidden},
	} {
		t.Run(c.name, func(t *testing.T) {
			withUpgrades(t, Config{Origins: []string{"https://app.example"}}, func(t *testing.T, d *door) {
				_, answer, err := d.dial(c.origin, c.subprotocol)
				if err == nil || answer == nil || answer.StatusCode != c.status {
					t.Errorf("answer %v (%v), want status %d", answer, err, c.status)
				}
			})
		})
	}
}

func TestWebSocketIsOpenToTrustedPages(t *testing.T) {
	for _, origin := range []string{"https://app.example", "http://door"} {
		withUpgrades(t, Config{Origins: []string{"https://app.example"}}, func(t *testing.T, d *door) {
			c, _, err := d.dial(origin, "echo")
			if err != nil {
				t.Fatalf("%s: %v", origin, err)
			}
			c.CloseNow()
		})
	}
}

func TestStoppingReachesUpgradedConnections(t *testing.T) {
	withUpgrades(t, Config{}, func(t *testing.T, d *door) {
		c, _, err := d.dial("", "echo")
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		d.stop()
		if _, _, err := c.Read(t.Context()); err == nil {
			t.Error("the connection goes on")
		}
	})
}
