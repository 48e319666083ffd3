package session

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/manifoldmq/manifold/router/transport/transporttest"
)

// wantViolation feeds b and expects the session to end for that reason.
func wantViolation(t *testing.T, r *responder, b []byte, want Reason) {
	t.Helper()
	err := r.session.Feed(start(), b)
	var v *Violation
	if !errors.As(err, &v) || v.Reason != want {
		t.Fatalf("Feed gave %v, not a violation with 0x%02X", err, byte(want))
	}
	if len(r.disconnect) != 1 || r.disconnect[0].Reason != want || r.disconnect[0].By != ByServer {
		t.Fatalf("Disconnected was called with %v", r.disconnect)
	}
}

// TestViolationsEndTheSession: an MQTT 5 client is told the reason, an older one sees the end of the connection.
func TestViolationsEndTheSession(t *testing.T) {
	for _, c := range []struct {
		name     string
		versions string // "4", "5" or "45"
		packet   string
		reason   Reason
	}{
		{"second CONNECT", "45", "10", ProtocolError},
		{"packet type 0", "45", "00", MalformedPacket},
		{"AUTH before MQTT 5", "4", "f0 00", MalformedPacket},
		{"AUTH without a method", "5", "f0 00", ProtocolError},
		{"CONNACK from a client", "45", "20 02 00 00", ProtocolError},
		{"SUBACK from a client", "45", "90 03 00 01 00", ProtocolError},
		{"PINGRESP from a client", "45", "d0 00", ProtocolError},
		{"PUBREL with packet id 0", "45", "62 02 00 00", ProtocolError},
		{"PUBREC cut short", "45", "50 01 00", MalformedPacket},
		{"remaining length of five bytes", "45", "30 ff ff ff ff 01", MalformedPacket},
		{"remaining length not in its shortest form", "5", "c0 80 00", MalformedPacket},
		{"packet too large", "45", "30 81 80 40", PacketTooLarge},
		{"PINGREQ with flags", "45", "c1 00", MalformedPacket},
		{"PINGREQ with a body", "45", "c0 01 00", MalformedPacket},
		{"SUBSCRIBE without its flags", "45", "80", MalformedPacket},
		{"UNSUBSCRIBE with wrong flags", "45", "a3", MalformedPacket},
		{"DISCONNECT with flags", "45", "e8", MalformedPacket},
		{"DISCONNECT with a body", "4", "e0 01 00", MalformedPacket},
		{"DISCONNECT with trailing bytes", "5", "e0 03 00 00 00", MalformedPacket},
		{"DISCONNECT with an expiry that CONNECT did not ask for", "5", "e0 07 00 05 11 00 00 00 01", ProtocolError},
		{"DISCONNECT with a server reference", "5", "e0 06 00 04 1c 00 01 61", MalformedPacket},

		{"PUBLISH with QoS 3", "45", "36 04 00 01 61 62", MalformedPacket},
		{"PUBLISH with DUP and QoS 0", "45", "38 04 00 01 61 00", MalformedPacket},
		{"PUBLISH without a topic", "4", "30 02 00 00", ProtocolError},
		{"PUBLISH without topic and alias", "5", "30 03 00 00 00", ProtocolError},
		{"PUBLISH to +", "45", "30 04 00 01 2b 00", TopicNameInvalid},
		{"PUBLISH to a/#", "45", "30 06 00 03 61 2f 23 00", TopicNameInvalid},
		{"PUBLISH to U+0000", "45", "30 04 00 01 00 00", MalformedPacket},
		{"PUBLISH to a surrogate", "45", "30 06 00 03 ed a0 80 00", MalformedPacket},
		{"PUBLISH to invalid UTF-8", "45", "30 04 00 01 ff 00", MalformedPacket},
		{"PUBLISH with a topic cut short", "45", "30 03 00 05 61", MalformedPacket},
		{"PUBLISH with packet id 0", "45", "32 06 00 01 61 00 00 00", ProtocolError},
		{"PUBLISH without its packet id", "45", "32 04 00 01 61 00", MalformedPacket},
		{"PUBLISH without property length", "5", "30 03 00 01 61", MalformedPacket},
		{"PUBLISH with properties cut short", "5", "30 05 00 01 61 05 01", MalformedPacket},
		{"PUBLISH with a property length not in its shortest form", "5", "30 05 00 01 61 80 00", MalformedPacket},
		{"PUBLISH with a property value that leaves its block", "5", "30 08 00 01 61 02 02 00 00 00", MalformedPacket},
		{"PUBLISH with payload format 2", "5", "30 06 00 01 61 02 01 02", ProtocolError},
		{"PUBLISH with payload format twice", "5", "30 08 00 01 61 04 01 01 01 01", ProtocolError},
		{"PUBLISH with an unknown property", "5", "30 06 00 01 61 02 7f 00", MalformedPacket},
		{"PUBLISH with a property above 0x7F", "5", "30 06 00 01 61 02 ff 00", MalformedPacket},
		{"PUBLISH with a property of CONNECT", "5", "30 07 00 01 61 03 21 00 01", MalformedPacket},
		{"PUBLISH with a subscription id", "5", "30 06 00 01 61 02 0b 01", ProtocolError},
		{"PUBLISH with a wildcard in the response topic", "5", "30 08 00 01 61 04 08 00 01 23", ProtocolError},
		{"PUBLISH with an invalid content type", "5", "30 08 00 01 61 04 03 00 01 ff", MalformedPacket},
		{"PUBLISH with an invalid user property", "5", "30 0a 00 01 61 06 26 00 01 00 00 00", MalformedPacket},
		{"PUBLISH with alias 0", "5", "30 07 00 01 61 03 23 00 00", TopicAliasInvalid},
		{"PUBLISH with alias above the maximum", "5", "30 07 00 01 61 03 23 00 11", TopicAliasInvalid},
		{"PUBLISH with an alias never set", "5", "30 06 00 00 03 23 00 01", ProtocolError},
		{"PUBLISH that sets an alias to a wildcard", "5", "30 07 00 01 23 03 23 00 01", TopicNameInvalid},

		{"PUBACK with packet id 0", "45", "40 02 00 00", ProtocolError},
		{"PUBACK cut short", "45", "40 01 00", MalformedPacket},
		{"PUBACK with a reason before MQTT 5", "4", "40 03 00 01 00", MalformedPacket},
		{"PUBACK with a property of PUBLISH", "5", "40 06 00 01 00 02 01 01", MalformedPacket},

		{"SUBSCRIBE with packet id 0", "4", "82 06 00 00 00 01 61 00", ProtocolError},
		{"SUBSCRIBE without filters", "4", "82 02 00 01", ProtocolError},
		{"SUBSCRIBE without filters, with properties", "5", "82 03 00 01 00", ProtocolError},
		{"SUBSCRIBE with an empty filter", "4", "82 05 00 01 00 00 00", ProtocolError},
		{"SUBSCRIBE without options", "4", "82 05 00 01 00 01 61", MalformedPacket},
		{"SUBSCRIBE without options, with properties", "5", "82 06 00 01 00 00 01 61", MalformedPacket},
		{"SUBSCRIBE with QoS 3", "4", "82 06 00 01 00 01 61 03", MalformedPacket},
		{"SUBSCRIBE with MQTT 5's options before MQTT 5", "4", "82 06 00 01 00 01 61 04", MalformedPacket},
		{"SUBSCRIBE with QoS 3 and properties", "5", "82 07 00 01 00 00 01 61 03", ProtocolError},
		{"SUBSCRIBE with reserved options", "5", "82 07 00 01 00 00 01 61 40", MalformedPacket},
		{"SUBSCRIBE with retain handling 3", "5", "82 07 00 01 00 00 01 61 30", ProtocolError},
		{"SUBSCRIBE with subscription id 0", "5", "82 09 00 01 02 0b 00 00 01 61 00", ProtocolError},
		{"SUBSCRIBE with two subscription ids", "5", "82 0b 00 01 04 0b 01 0b 02 00 01 61 00", ProtocolError},
		{"SUBSCRIBE to $share with no local", "5", "82 10 00 01 00 00 0a 24 73 68 61 72 65 2f 67 2f 61 04", ProtocolError},
		{"UNSUBSCRIBE without filters", "4", "a2 02 00 01", ProtocolError},
		{"UNSUBSCRIBE with packet id 0", "4", "a2 05 00 00 00 01 61", ProtocolError},
		{"UNSUBSCRIBE with a filter cut short", "4", "a2 05 00 01 00 02 61", MalformedPacket},
		{"UNSUBSCRIBE with a subscription id", "5", "a2 08 00 01 02 0b 01 00 01 61", MalformedPacket},
	} {
		for _, version := range []byte(c.versions) {
			version -= '0'
			t.Run(c.name+" v"+string('0'+version), func(t *testing.T) {
				r := connectedResponder(t, version)
				wantViolation(t, r, transporttest.Hex(t, c.packet), c.reason)
				out := r.flushed()
				if version < 5 {
					if len(out) != 0 {
						t.Errorf("an older client got % x", out)
					}
				} else if all := decodeAll(t, out, 5); len(all) != 1 || Reason(all[0].ReasonCode) != c.reason || out[0] != 0xE0 {
					t.Errorf("the client got % x, not a DISCONNECT with 0x%02X", out, byte(c.reason))
				}
				if !r.session.Closed() || r.publishes != 0 {
					t.Errorf("closed %v, %d publishes", r.session.Closed(), r.publishes)
				}
			})
		}
	}
}

// TestWrongConnects: who can be told why gets a CONNACK, everybody else the end of the connection.
func TestWrongConnects(t *testing.T) {
	for _, c := range []struct {
		name, packet string
		reason       Reason
		answer       string
	}{
		{"another packet first", "c0 00", ProtocolError, ""},
		{"HTTP", hex.EncodeToString([]byte("GET / HTTP/1.1\r\n\r\n")), ProtocolError, ""},
		{"a TLS ClientHello", "16 03 01 02 00 01 00 01 fc", MalformedPacket, ""},
		{"reserved flags", "11", MalformedPacket, ""},
		{"16 KiB and more", "10 81 80 01", PacketTooLarge, ""},
		{"remaining length overflow", "10 ff ff ff ff", MalformedPacket, ""},
		{"unknown protocol", "10 0c 00 04 4d 51 54 58 04 02 00 00 00 00", ProtocolError, ""},
		{"level 6", "10 0c 00 04 4d 51 54 54 06 02 00 00 00 00", UnsupportedVersion, "20 03 00 84 00"},
		{"level 2", "10 0c 00 04 4d 51 54 54 02 02 00 00 00 00", UnsupportedVersion, "20 02 00 01"},
		{"level 3 under the new name", "10 0c 00 04 4d 51 54 54 03 02 00 00 00 00", UnsupportedVersion, "20 02 00 01"},
		{"a bridge of 3.1.1", "10 0c 00 04 4d 51 54 54 84 02 00 00 00 00", UnsupportedVersion, "20 02 00 01"},
		{"3.1.1: reserved connect flag", "10 0c 00 04 4d 51 54 54 04 03 00 00 00 00", MalformedPacket, ""},
		{"3.1.1: empty client id, kept session", "10 0c 00 04 4d 51 54 54 04 00 00 00 00 00", ClientIDNotValid, "20 02 00 02"},
		{"3.1.1: will QoS without will", "10 0c 00 04 4d 51 54 54 04 0a 00 00 00 00", MalformedPacket, ""},
		{"3.1.1: will retain without will", "10 0c 00 04 4d 51 54 54 04 22 00 00 00 00", MalformedPacket, ""},
		{"3.1.1: password without user name", "10 0f 00 04 4d 51 54 54 04 42 00 00 00 00 00 01 70", MalformedPacket, ""},
		{"3.1.1: user name missing", "10 0c 00 04 4d 51 54 54 04 82 00 00 00 00", MalformedPacket, ""},
		{"3.1.1: trailing bytes", "10 0d 00 04 4d 51 54 54 04 02 00 00 00 00 ff", MalformedPacket, ""},
		{"3.1.1: client id with U+0000", "10 0d 00 04 4d 51 54 54 04 02 00 00 00 01 00", MalformedPacket, ""},
		{"5: trailing bytes", "10 0e 00 04 4d 51 54 54 05 02 00 00 00 00 00 ff", MalformedPacket, "20 03 00 81 00"},
		{"5: will QoS 3", "10 0d 00 04 4d 51 54 54 05 1e 00 00 00 00 00", MalformedPacket, "20 03 00 81 00"},
		{"5: will topic with a wildcard", "10 14 00 04 4d 51 54 54 05 06 00 00 00 00 00 00 00 01 23 00 01 62", TopicNameInvalid,
			"20 03 00 90 00"},
		{"5: will topic alias", "10 17 00 04 4d 51 54 54 05 06 00 00 00 00 00 03 23 00 01 00 01 61 00 01 62", MalformedPacket,
			"20 03 00 81 00"},
		{"5: receive maximum 0", "10 10 00 04 4d 51 54 54 05 02 00 00 03 21 00 00 00 00", ProtocolError, "20 03 00 82 00"},
		{"5: maximum packet size 0", "10 12 00 04 4d 51 54 54 05 02 00 00 05 27 00 00 00 00 00 00", ProtocolError,
			"20 03 00 82 00"},
		{"5: session expiry twice", "10 17 00 04 4d 51 54 54 05 02 00 00 0a 11 00 00 00 01 11 00 00 00 01 00 00", ProtocolError,
			"20 03 00 82 00"},
		{"5: authentication data without a method", "10 11 00 04 4d 51 54 54 05 02 00 00 04 16 00 01 61 00 00", ProtocolError,
			"20 03 00 82 00"},
		{"5: remaining length not in its shortest form", "10 8d 80 00 00 04 4d 51 54 54 05 02 00 00 00 00 00", MalformedPacket,
			"20 03 00 81 00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			limits := DefaultLimits()
			r := newResponder(&limits)
			wantViolation(t, r, transporttest.Hex(t, c.packet), c.reason)
			if out := r.flushed(); !bytes.Equal(out, transporttest.Hex(t, c.answer)) {
				t.Errorf("the answer is % x, not %s", out, c.answer)
			}
			if !r.session.Closed() || r.connects != 0 {
				t.Errorf("closed %v, %d connects", r.session.Closed(), r.connects)
			}
		})
	}
}

func TestOlderClientsMayPadTheRemainingLength(t *testing.T) {
	r := connectedResponder(t, 4)
	r.mustFeed(t, transporttest.Hex(t, "30 85 80 80 00 00 01 61 68 69"))
	if r.publishes != 1 {
		t.Error("the PUBLISH was not read")
	}
}

// TestUserPropertiesAmongOthersStayInOrder: the wire lets other properties stand between them.
func TestUserPropertiesAmongOthersStayInOrder(t *testing.T) {
	r := connectedResponder(t, 5)
	r.onPublish = func(p Publish) {
		if got := describeProperties(p.Properties); got != " text user=a:1 user=b:2 user=b:3" {
			t.Errorf("properties are%s", got)
		}
	}
	block := "26 0001 61 0001 31  0101  26 0001 62 0001 32  26 0001 62 0001 33"
	r.mustFeed(t, transporttest.Hex(t, "30 1b 00 01 61 17"+block))
	if r.publishes != 1 {
		t.Error("no event")
	}
}

func TestTooManyFiltersInOnePacket(t *testing.T) {
	r := connectedResponder(t, 4)
	body := append([]byte{0, 1}, bytes.Repeat([]byte{0, 1, 'a', 0}, 129)...)
	wantViolation(t, r, append(appendVarint([]byte{0x82}, uint32(len(body))), body...), QuotaExceeded)
}

func TestTopicsHaveALengthLimit(t *testing.T) {
	long := append([]byte{0x10, 0x01}, bytes.Repeat([]byte("a"), 0x1001)...)
	publish := append(appendVarint([]byte{0x30}, uint32(len(long))), long...)
	wantViolation(t, connectedResponder(t, 4), publish, TopicNameInvalid)
	body := append(append([]byte{0, 1}, long...), 0)
	wantViolation(t, connectedResponder(t, 4), append(appendVarint([]byte{0x82}, uint32(len(body))), body...), TopicFilterInvalid)
}

// TestAClientThatDoesNotReadIsNotRead: its answers pile up only to a bound, and what it sends only to another.
func TestAClientThatDoesNotReadIsNotRead(t *testing.T) {
	r := connectedResponder(t, 5)
	pings := bytes.Repeat([]byte{0xC0, 0}, 4096)
	for range 100 {
		if !r.session.Ready() {
			break
		}
		r.mustFeed(t, pings)
	}
	if n := len(r.session.out); r.session.Ready() || n > maxUnflushed+2*len(pings) {
		t.Fatalf("ready %v with %d bytes unflushed", r.session.Ready(), n)
	}
	r.session.Flush(nil)
	if !r.session.Ready() {
		t.Error("not ready after Flush")
	}
	r.session.Hold()
	var err error
	for range 1 << 10 {
		if err = r.session.Feed(start(), pings); err != nil {
			break
		}
	}
	var v *Violation
	if !errors.As(err, &v) || v.Reason != QuotaExceeded {
		t.Errorf("a flood on a held session gave %v", err)
	}
}
