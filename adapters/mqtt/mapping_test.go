package mqtt

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// mapper is the owner of a session that sends back to its client what that publishes, as a message that has gone through the
// house.
type mapper struct {
	t       *testing.T
	session *session.Session
	sent    session.Properties // of the last publish
	refused bool
}

var _ session.Handler = (*mapper)(nil)

func newMapper(t *testing.T) *mapper {
	limits := session.DefaultLimits()
	m := &mapper{t: t}
	m.session = session.New(time.Unix(0, 0), &limits, m)
	connect := []byte("\x10\x0e\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01a")
	if err := m.session.Feed(time.Unix(0, 0), connect); err != nil {
		t.Fatal(err)
	}
	m.session.Flush(nil)
	return m
}

func (m *mapper) Connect(*session.Connect) {
	m.session.AcceptConnect(session.Accept{Features: session.Features{Retain: true}})
}

func (m *mapper) Publish(p session.Publish) {
	m.sent = p.Properties.Clone()
	const to = addressing.Address("a")
	message, ok := encode(to, p.Payload, &p.Properties, p.QoS)
	if m.refused = !ok; m.refused {
		return
	}
	if _, err := amqp.ParseMessage(message.Bytes()); err != nil {
		m.t.Fatalf("the message is not well formed: %v", err)
	}
	if exactlyOnce(message) != (p.QoS == 2) {
		m.t.Errorf("QoS %d is lost", p.QoS)
	}
	for _, version := range []byte{4, 5} {
		out := session.Publication{Topic: string(to)}
		d := router.Delivery{To: to, Message: message}
		if !decode(&d, version, p.Properties.Expiry, &out) || !bytes.Equal(out.Payload, p.Payload) {
			m.t.Fatalf("payload %q came as %q", p.Payload, out.Payload)
		}
		if err := m.session.Deliver(out); err != nil {
			m.t.Fatalf("what a client has sent cannot be sent to one: %v", err)
		}
	}
}

func (m *mapper) Auth(session.Auth)                 {}
func (m *mapper) Release(uint16, bool)              {}
func (m *mapper) Subscribe(session.Subscribe)       {}
func (m *mapper) Unsubscribe(session.Unsubscribe)   {}
func (m *mapper) Settled(any, session.Settlement)   {}
func (m *mapper) Sending(uint16)                    {}
func (m *mapper) Completed(uint16)                  {}
func (m *mapper) Disconnected(session.Disconnected) {}

// publishPacket makes a PUBLISH of raw properties.
func publishPacket(qos byte, properties, payload []byte) []byte {
	body := []byte{0, 1, 'a'}
	if qos > 0 {
		body = append(body, 0, 1)
	}
	body = append(binary.AppendUvarint(body, uint64(len(properties))), properties...)
	body = append(body, payload...)
	return append(binary.AppendUvarint([]byte{0x30 | qos<<1}, uint64(len(body))), body...)
}

// FuzzMapping: whatever properties a client's publish has, it breaks the rules of MQTT, or is refused as no text, or becomes
// a message that is well formed and comes to subscribers as docs/mqtt.md says.
func FuzzMapping(f *testing.F) {
	for _, properties := range []string{
		"", "\x01\x01\x02\x00\x00\x00\x3c\x03\x00\x0atext/plain\x08\x00\x03a/b\x09\x00\x02\x00\xff",
		"\x26\x00\x01b\x00\x011\x26\x00\x01a\x00\x012\x26\x00\x01b\x00\x013", "\x26\x00\x00\x00\x00", "\x03\x00\x00\x08\x00\x00\x09\x00\x00",
		"\x03\x00\x02\xc3\xbc", "\x02\xff\xff\xff\xff", "\x26\x00\x01a\x00\x01b\x01\x01\x26\x00\x01c\x00\x00",
	} {
		for qos := range byte(3) {
			f.Add(qos, []byte(properties), []byte("payload"))
		}
	}
	f.Add(byte(1), []byte("\x01\x01"), []byte("\xff"))
	f.Fuzz(func(t *testing.T, qos byte, properties, payload []byte) {
		m := newMapper(t)
		if m.session.Feed(time.Unix(0, 0), publishPacket(qos%3, properties, payload)) != nil || m.refused {
			return
		}
		rest := bytes.NewBuffer(m.session.Flush(nil))
		first, second := nextPublish(t, rest), nextPublish(t, rest)
		if !bytes.Equal(first.Payload, payload) || !bytes.Equal(second.Payload, payload) {
			t.Errorf("payload %q came as %q and %q", payload, first.Payload, second.Payload)
		}
		sent, got := &m.sent, &second.Properties
		if sent.Text != (got.PayloadFormat == 1) || sent.Expiry != got.MessageExpiryInterval ||
			string(sent.ContentType) != got.ContentType || string(sent.ResponseTopic) != got.ResponseTopic ||
			!bytes.Equal(sent.CorrelationData, got.CorrelationData) {
			t.Errorf("%+v came as %+v", sent, got)
		}
		var pairs []packets.UserProperty
		for name, value := range sent.User.All() {
			pairs = append(pairs, packets.UserProperty{Key: string(name), Val: string(value)})
		}
		if !slices.Equal(pairs, got.User) {
			t.Errorf("user properties %q came as %q", pairs, got.User)
		}
	})
}

// FuzzForeignMessage: whatever message of another protocol comes, subscribers get nothing or what their codec takes.
func FuzzForeignMessage(f *testing.F) {
	for _, fields := range []amqp.Properties{
		{To: "b", ReplyTo: "a/+", ContentType: "text/plain", CorrelationID: uint64(7)},
		{ReplyTo: "\x00", CorrelationID: "text"}, {CorrelationID: amqp.UUID{1}, Subject: "s"},
	} {
		b := fields.Append(nil)
		m := amqp.BeginApplicationProperties(b)
		m.Uint("n", 7)
		m.String("\x00", "\xff")
		f.Add(amqp.AppendData(m.End(), []byte("payload")))
	}
	f.Add(amqp.AppendValueString(nil, "text"))
	f.Fuzz(func(t *testing.T, b []byte) {
		message, err := amqp.ParseMessage(b)
		if err != nil {
			return
		}
		m := newMapper(t)
		out := session.Publication{Topic: "a"}
		d := router.Delivery{To: "a", Message: message}
		if !decode(&d, 5, 0, &out) || m.session.Deliver(out) != nil {
			return
		}
		nextPublish(t, bytes.NewBuffer(m.session.Flush(nil)))
	})
}

// nextPublish reads a PUBLISH with the codec of another project.
func nextPublish(t *testing.T, in *bytes.Buffer) packets.Packet {
	t.Helper()
	p := packets.Packet{ProtocolVersion: 5}
	first, err := in.ReadByte()
	if err != nil {
		t.Fatal("nothing comes")
	}
	if err := p.FixedHeader.Decode(first); err != nil {
		t.Fatal(err)
	}
	length, _, err := packets.DecodeLength(in)
	if err != nil {
		t.Fatal(err)
	}
	p.FixedHeader.Remaining = length
	if err := p.PublishDecode(in.Next(length)); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestOtherValuesAreJSON: what AMQP clients send that is neither data nor text.
func TestOtherValuesAreJSON(t *testing.T) {
	body, err := amqp.AppendValue(nil, amqp.Map{{Key: "celsius", Value: int32(21)}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := amqp.ParseMessage(body)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []byte{4, 5} {
		var p session.Publication
		if !decode(&router.Delivery{Message: m}, version, 0, &p) || string(p.Payload) != `{"celsius":21}` {
			t.Errorf("version %d: %q", version, p.Payload)
		}
		if version == 5 && (string(p.Properties.ContentType) != "application/json" || !p.Properties.Text) {
			t.Errorf("content type %q, text %v", p.Properties.ContentType, p.Properties.Text)
		}
	}
}
