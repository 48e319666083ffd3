package mqtt

import (
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/xdg-go/scram"

	"github.com/manifoldmq/manifold/tenancy"
)

// ada is a user who proves her password with SCRAM-SHA-256.
func ada(t *testing.T) tenancy.User {
	t.Helper()
	credential, err := tenancy.NewCredential(tenancy.SCRAMSHA256, "lovelace")
	if err != nil {
		t.Fatal(err)
	}
	return tenancy.User{Name: "ada", Credential: credential}
}

// scramClient is the client's side of the mechanism.
func scramClient(t *testing.T, password string) *scram.ClientConversation {
	t.Helper()
	client, err := scram.SHA256.NewClient("ada", password, "")
	if err != nil {
		t.Fatal(err)
	}
	return client.NewConversation()
}

func scramStep(t *testing.T, c *scram.ClientConversation, challenge []byte) []byte {
	t.Helper()
	said, err := c.Step(string(challenge))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(said)
}

func (c *peer) auth(code byte, data []byte) {
	c.t.Helper()
	c.send(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Auth}, ReasonCode: code,
		Properties: packets.Properties{AuthenticationMethod: tenancy.MechanismSCRAMSHA256, AuthenticationData: data},
	})
}

// beginAuth connects with SCRAM and answers the first challenge.
func (h *house) beginAuth(method string, proof *scram.ClientConversation) *peer {
	h.t.Helper()
	c := h.dial(5)
	c.send(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Connect},
		Connect:     packets.ConnectParams{ProtocolName: []byte("MQTT"), ClientIdentifier: "device", Clean: true},
		Properties:  packets.Properties{AuthenticationMethod: method, AuthenticationData: scramStep(h.t, proof, nil)},
	})
	if method == tenancy.MechanismSCRAMSHA256 {
		c.auth(0x18, scramStep(h.t, proof, c.receive(packets.Auth).Properties.AuthenticationData))
	}
	return c
}

func TestSCRAMLetsTheRightOneIn(t *testing.T) {
	run(t, func(h *house) {
		proof := scramClient(t, "lovelace")
		c := h.beginAuth(tenancy.MechanismSCRAMSHA256, proof)
		ack := c.receive(packets.Connack)
		scramStep(t, proof, ack.Properties.AuthenticationData)
		if ack.ReasonCode != 0 || !proof.Valid() || ack.Properties.AuthenticationMethod != tenancy.MechanismSCRAMSHA256 {
			t.Fatalf("CONNACK %#x, the server has proved itself: %v", ack.ReasonCode, proof.Valid())
		}
		c.subscribe("alerts/x", 0)

		proof = scramClient(t, "lovelace")
		c.auth(0x19, scramStep(t, proof, nil))
		c.auth(0x18, scramStep(t, proof, c.receive(packets.Auth).Properties.AuthenticationData))
		again := c.receive(packets.Auth)
		scramStep(t, proof, again.Properties.AuthenticationData)
		if again.ReasonCode != 0 || !proof.Valid() {
			t.Errorf("AUTH %#x, the server has proved itself: %v", again.ReasonCode, proof.Valid())
		}
		c.silent()
	}, ada(t))
}

func TestSCRAMRefusesTheWrongOne(t *testing.T) {
	run(t, func(h *house) {
		c := h.beginAuth(tenancy.MechanismSCRAMSHA256, scramClient(t, "byron"))
		if ack := c.receive(packets.Connack); ack.ReasonCode != 0x86 {
			t.Errorf("CONNACK %#x", ack.ReasonCode)
		}
		c.ends()
	}, ada(t))
}

func TestUnknownMethodIsRefused(t *testing.T) {
	run(t, func(h *house) {
		c := h.beginAuth("MAGIC", scramClient(t, "lovelace"))
		if ack := c.receive(packets.Connack); ack.ReasonCode != 0x8C {
			t.Errorf("CONNACK %#x", ack.ReasonCode)
		}
		c.ends()
	}, ada(t))
}

// TestReauthenticationThatFailsEndsTheConnection [MQTT-4.12.1-2].
func TestReauthenticationThatFailsEndsTheConnection(t *testing.T) {
	run(t, func(h *house) {
		c := h.beginAuth(tenancy.MechanismSCRAMSHA256, scramClient(t, "lovelace"))
		c.receive(packets.Connack)
		proof := scramClient(t, "byron")
		c.auth(0x19, scramStep(t, proof, nil))
		c.auth(0x18, scramStep(t, proof, c.receive(packets.Auth).Properties.AuthenticationData))
		if got := c.receive(packets.Disconnect); got.ReasonCode != 0x87 {
			t.Errorf("DISCONNECT %#x", got.ReasonCode)
		}
		c.ends()
	}, ada(t))
}
