package session

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

// FuzzOracleAgrees feeds one packet with any body. What the session takes, the oracle has to take with the same meaning;
// the session may be stricter.
func FuzzOracleAgrees(f *testing.F) {
	for _, stream := range scriptStreams(f) {
		for len(stream) > 2 {
			remaining, n, _ := varint(stream[1:])
			body := stream[1+n : min(len(stream), 1+n+int(remaining))]
			f.Add(stream[0], byte(5), body)
			f.Add(stream[0], byte(4), body)
			stream = stream[1+n+len(body):]
		}
	}
	f.Fuzz(func(t *testing.T, first, version byte, body []byte) {
		if len(body) > 10_000 {
			return
		}
		packet := append(appendVarint([]byte{first}, uint32(len(body))), body...)
		o := packets.Packet{ProtocolVersion: 4 + version%2}
		c := &meaning{}
		limits := DefaultLimits()
		c.session = New(start(), &limits, c)
		if first>>4 != connectPacket {
			if err := c.session.Feed(start(), connectBytes(t, o.ProtocolVersion)); err != nil {
				t.Fatal(err)
			}
			c.heard = ""
		}
		if err := c.session.Feed(start(), packet); err != nil || c.heard == "" {
			return
		}
		want, err := oracleMeaning(&o, first, body)
		if err != nil {
			t.Fatalf("the session took % x, the oracle said %v", packet, err)
		}
		if want != c.heard {
			t.Errorf("% x\nsession %s\noracle  %s", packet, c.heard, want)
		}
	})
}

// meaning writes down what the session and the oracle can both tell.
type meaning struct {
	responder
	heard string
}

func (m *meaning) Connect(k *Connect) {
	m.responder.Connect(k)
	m.heard = fmt.Sprintf("%d %q %v %d %q %q", k.Version, k.ClientID, k.CleanStart, k.KeepAlive, k.UserName, k.Password)
	if w := k.Will; w != nil {
		m.heard += fmt.Sprintf(" %q %q %v %d%s", w.Topic, w.Payload, w.Retain, w.Delay, describeProperties(shared(w.Properties)))
	}
}

func (m *meaning) Publish(p Publish) {
	m.heard = fmt.Sprintf("%d %d %v %v %q %q%s", p.PacketID, p.QoS, p.Dup, p.Retain, p.Topic, p.Payload,
		describeProperties(shared(p.Properties)))
}

func (m *meaning) Subscribe(r Subscribe) {
	m.heard = fmt.Sprintf("%d %d", r.PacketID, r.SubscriptionID)
	for _, f := range r.Filters {
		filter := string(f.Topic)
		if f.Group != nil { // enough to tell filters apart; a share may lack its second slash
			filter = "$share"
		}
		m.heard += fmt.Sprintf(" %q %d %v %v %d", filter, f.QoS, f.NoLocal, f.RetainAsPublished, f.RetainHandling)
	}
}

// shared leaves out what the oracle can't tell from absence.
func shared(p Properties) Properties {
	p.Expires = p.Expiry > 0
	for _, field := range []*[]byte{&p.ContentType, &p.ResponseTopic, &p.CorrelationData} {
		if len(*field) == 0 {
			*field = nil
		}
	}
	return p
}

func oracleMeaning(o *packets.Packet, first byte, body []byte) (string, error) {
	if err := o.FixedHeader.Decode(first); err != nil {
		return "", err
	}
	o.FixedHeader.Remaining = len(body)
	switch o.FixedHeader.Type {
	case packets.Connect:
		err := o.ConnectDecode(body)
		k := o.Connect
		text := fmt.Sprintf("%d %q %v %d %q %q", o.ProtocolVersion, k.ClientIdentifier, k.Clean, k.Keepalive, k.Username, k.Password)
		if k.WillFlag {
			text += fmt.Sprintf(" %q %q %v %d%s", k.WillTopic, k.WillPayload, k.WillRetain, k.WillProperties.WillDelayInterval,
				describeProperties(fromOracle(k.WillProperties)))
		}
		return text, err
	case packets.Publish:
		err := o.PublishDecode(body)
		return fmt.Sprintf("%d %d %v %v %q %q%s", o.PacketID, o.FixedHeader.Qos, o.FixedHeader.Dup, o.FixedHeader.Retain,
			o.TopicName, o.Payload, describeProperties(fromOracle(o.Properties))), err
	default:
		err := o.SubscribeDecode(body)
		id := 0
		if ids := o.Properties.SubscriptionIdentifier; len(ids) > 0 {
			id = ids[0]
		}
		text := fmt.Sprintf("%d %d", o.PacketID, id)
		for _, f := range o.Filters {
			if bytes.HasPrefix([]byte(f.Filter), []byte("$share/")) {
				f.Filter = "$share"
			}
			text += fmt.Sprintf(" %q %d %v %v %d", f.Filter, f.Qos, f.NoLocal, f.RetainAsPublished, f.RetainHandling)
		}
		return text, err
	}
}
