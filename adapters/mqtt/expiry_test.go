package mqtt

import (
	"bufio"
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/manifoldmq/manifold/tenancy"
)

// hours takes tokens that are good for some time: "ann 1h".
type hours struct{}

func (hours) Judge(_ context.Context, _, token string) (tenancy.Identity, error) {
	user, text, _ := strings.Cut(token, " ")
	d, err := time.ParseDuration(text)
	return tenancy.Identity{Issuer: "https://id.example", User: user, Expires: time.Now().Add(d)}, err
}

// runTrusting is run where tokens let their users in.
func runTrusting(t *testing.T, test func(h *house)) {
	runWith(t, func(c *Config) {
		declared, _ := c.Directory.Lookup("default")
		tenant := *declared
		tenant.Issuers = []string{"https://id.example"}
		if err := c.Directory.Replace(&tenant); err != nil {
			t.Fatal(err)
		}
		c.Directory.Trust(hours{})
	}, test)
}

// near is a connection from this machine, over which tokens may be shown.
type near struct{ net.Conn }

func (near) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// showToken sends what shows a token: CONNECT or AUTH.
func (c *peer) showToken(p packets.Packet, token string) {
	c.t.Helper()
	p.Properties.AuthenticationMethod = tenancy.MechanismOAuthBearer
	p.Properties.AuthenticationData = []byte("n,,\x01auth=Bearer " + token + "\x01\x01")
	c.send(p)
}

// connectWithToken connects with a will and a token.
func (h *house) connectWithToken(token string) *peer {
	h.t.Helper()
	ours, theirs := net.Pipe()
	h.serving.Go(func() { h.server.ServeConn(h.ctx, near{ours}) })
	h.t.Cleanup(func() { theirs.Close() })
	c := &peer{t: h.t, nc: theirs, in: bufio.NewReader(theirs), version: 5}
	c.showToken(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Connect},
		Connect: packets.ConnectParams{
			ProtocolName: []byte("MQTT"), ClientIdentifier: "device", Clean: true,
			WillFlag: true, WillTopic: "alerts/gone", WillPayload: []byte("gone"),
		},
	}, token)
	if ack := c.receive(packets.Connack); ack.ReasonCode != 0 {
		h.t.Fatalf("CONNACK %#x", ack.ReasonCode)
	}
	return c
}

func (c *peer) showAgain(token string) {
	c.t.Helper()
	c.showToken(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Auth}, ReasonCode: 0x19}, token)
}

func TestExpiredTokenEndsTheConnectionAndPublishesTheWill(t *testing.T) {
	runTrusting(t, func(h *house) {
		watcher := h.links.Receiver("alerts/#", 10)
		began := time.Now()
		c := h.connectWithToken("ann 1h")
		if p := c.receive(packets.Disconnect); p.ReasonCode != 0x87 || time.Since(began) != time.Hour {
			t.Errorf("DISCONNECT %#x after %v", p.ReasonCode, time.Since(began))
		}
		c.ends()
		watcher.Expect("gone")
	})
}

func TestClientThatShowsANewTokenStays(t *testing.T) {
	runTrusting(t, func(h *house) {
		began := time.Now()
		c := h.connectWithToken("ann 1h")
		c.subscribe("alerts/x", 0)
		c.showAgain("ann 3h")
		if p := c.receive(packets.Auth); p.ReasonCode != 0 {
			t.Fatalf("AUTH %#x", p.ReasonCode)
		}
		if p := c.receive(packets.Disconnect); p.ReasonCode != 0x87 || time.Since(began) != 3*time.Hour {
			t.Errorf("DISCONNECT %#x after %v", p.ReasonCode, time.Since(began))
		}
	})
}

func TestNobodyBecomesSomebodyElseByANewToken(t *testing.T) {
	runTrusting(t, func(h *house) {
		c := h.connectWithToken("ann 1h")
		c.showAgain("ben 3h")
		if p := c.receive(packets.Disconnect); p.ReasonCode != 0x87 {
			t.Errorf("DISCONNECT %#x", p.ReasonCode)
		}
	})
}
