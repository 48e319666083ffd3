package session

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

// The codec that serves as oracle: it encodes what clients send and decodes what the session sends.

// encodeAny encodes a packet of either side.
func encodeAny(t testing.TB, p packets.Packet) []byte {
	t.Helper()
	p.Mods.AllowResponseInfo = true
	var b bytes.Buffer
	var err error
	switch p.FixedHeader.Type {
	case packets.Connect:
		err = p.ConnectEncode(&b)
	case packets.Publish:
		err = p.PublishEncode(&b)
	case packets.Puback:
		err = p.PubackEncode(&b)
	case packets.Pubrec:
		err = p.PubrecEncode(&b)
	case packets.Pubrel:
		p.FixedHeader.Qos = 1
		err = p.PubrelEncode(&b)
	case packets.Pubcomp:
		err = p.PubcompEncode(&b)
	case packets.Subscribe:
		p.FixedHeader.Qos = 1
		err = p.SubscribeEncode(&b)
	case packets.Unsubscribe:
		p.FixedHeader.Qos = 1
		err = p.UnsubscribeEncode(&b)
	case packets.Auth:
		err = p.AuthEncode(&b)
	case packets.Pingreq:
		err = p.PingreqEncode(&b)
	case packets.Disconnect:
		err = p.DisconnectEncode(&b)
		if p.ProtocolVersion < 5 {
			return []byte{0xE0, 0}
		}
	default:
		err = fmt.Errorf("packet type %d", p.FixedHeader.Type)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// decodeAll decodes the packets of a server.
func decodeAll(t testing.TB, b []byte, version byte) (all []packets.Packet) {
	t.Helper()
	for len(b) > 0 {
		p := packets.Packet{ProtocolVersion: version}
		if err := p.FixedHeader.Decode(b[0]); err != nil {
			t.Fatalf("fixed header %x: %v", b[0], err)
		}
		remaining, n, err := packets.DecodeLength(bytes.NewReader(b[1:]))
		if err != nil || 1+n+remaining > len(b) {
			t.Fatalf("remaining length of % x: %v", b, err)
		}
		p.FixedHeader.Remaining = remaining
		body := b[1+n : 1+n+remaining]
		b = b[1+n+remaining:]
		switch p.FixedHeader.Type {
		case packets.Connack:
			err = p.ConnackDecode(body)
		case packets.Publish:
			err = p.PublishDecode(body)
		case packets.Puback:
			err = p.PubackDecode(body)
		case packets.Pubrec:
			err = p.PubrecDecode(body)
		case packets.Pubrel:
			err = p.PubrelDecode(body)
		case packets.Pubcomp:
			err = p.PubcompDecode(body)
		case packets.Suback:
			err = p.SubackDecode(body)
		case packets.Unsuback:
			err = p.UnsubackDecode(body)
		case packets.Pingresp:
			err = p.PingrespDecode(body)
		case packets.Auth:
			err = p.AuthDecode(body)
		case packets.Disconnect:
			err = p.DisconnectDecode(body)
		default:
			t.Fatalf("a server does not send type %d", p.FixedHeader.Type)
		}
		if err != nil {
			t.Fatalf("the oracle can't decode % x: %v", body, err)
		}
		all = append(all, p)
	}
	return all
}

// fromOracle translates message properties.
func fromOracle(q packets.Properties) Properties {
	p := Properties{Text: q.PayloadFormatFlag && q.PayloadFormat == 1, Expires: q.MessageExpiryInterval > 0,
		Expiry: q.MessageExpiryInterval}
	if q.ContentType != "" {
		p.ContentType = []byte(q.ContentType)
	}
	if q.ResponseTopic != "" {
		p.ResponseTopic = []byte(q.ResponseTopic)
	}
	if len(q.CorrelationData) > 0 {
		p.CorrelationData = q.CorrelationData
	}
	for _, u := range q.User {
		p.User.Append(u.Key, u.Val)
	}
	return p
}

// toOracle translates message properties.
func toOracle(p Properties) packets.Properties {
	q := packets.Properties{PayloadFormatFlag: p.Text, PayloadFormat: bit(p.Text), ContentType: string(p.ContentType),
		ResponseTopic: string(p.ResponseTopic), CorrelationData: p.CorrelationData}
	if p.Expires {
		q.MessageExpiryInterval = p.Expiry
	}
	for name, value := range p.User.All() {
		q.User = append(q.User, packets.UserProperty{Key: string(name), Val: string(value)})
	}
	return q
}

// clientPacket encodes a recv line of a script. CONNECT sets the version of what follows.
func clientPacket(t testing.TB, version *byte, line string) []byte {
	a := parseArgs(line)
	p := packets.Packet{PacketID: uint16(a.number("id")), ReasonCode: byte(a.number("code"))}
	if a.has("qos") || a.has("topic") {
		pub := a.publication()
		p.TopicName, p.Payload, p.FixedHeader.Qos = pub.Topic, pub.Payload, pub.QoS
		p.FixedHeader.Dup, p.FixedHeader.Retain = pub.Dup, pub.Retain
		p.Properties = toOracle(pub.Properties)
		p.Properties.TopicAliasFlag, p.Properties.TopicAlias = a.has("alias"), uint16(a.number("alias"))
	}
	if a.has("subid") {
		p.Properties.SubscriptionIdentifier = []int{int(a.number("subid"))}
	}
	for _, f := range a.values["filter"] {
		filter, options, _ := strings.Cut(f, ":")
		s := packets.Subscription{Filter: filter}
		for o := range strings.SplitSeq(options, ",") {
			switch o {
			case "1", "2":
				s.Qos = o[0] - '0'
			case "nolocal":
				s.NoLocal = true
			case "aspublished":
				s.RetainAsPublished = true
			case "new":
				s.RetainHandling = 1
			case "never":
				s.RetainHandling = 2
			}
		}
		p.Filters = append(p.Filters, s)
	}
	if a.has("expiry") && a.word != "PUBLISH" {
		p.Properties.SessionExpiryIntervalFlag, p.Properties.SessionExpiryInterval = true, uint32(a.number("expiry"))
	}
	p.Properties.AuthenticationMethod = a.text("auth")
	p.Properties.AuthenticationData = []byte(a.text("authdata"))
	for number, name := range packets.PacketNames {
		if strings.EqualFold(name, a.word) {
			p.FixedHeader.Type = number
		}
	}
	if p.FixedHeader.Type == packets.Connect {
		connectPacketOf(a, &p)
		*version = p.ProtocolVersion
	}
	p.ProtocolVersion = *version
	return encodeAny(t, p)
}

func connectPacketOf(a args, p *packets.Packet) {
	p.ProtocolVersion = byte(a.number("version"))
	k := &p.Connect
	k.ProtocolName = []byte("MQTT")
	if p.ProtocolVersion == 3 {
		k.ProtocolName = []byte("MQIsdp")
	}
	k.ClientIdentifier, k.Clean, k.Keepalive = a.text("client"), a.has("clean"), uint16(a.number("keepalive"))
	k.UsernameFlag, k.Username = a.has("user"), []byte(a.text("user"))
	k.PasswordFlag, k.Password = a.has("password"), []byte(a.text("password"))
	p.Properties.ReceiveMaximum = uint16(a.number("receive"))
	p.Properties.MaximumPacketSize = uint32(a.number("size"))
	p.Properties.TopicAliasMaximum = uint16(a.number("aliases"))
	p.Properties.RequestProblemInfoFlag = a.has("terse") // of which the value is 0
	p.Properties.RequestResponseInfo = bit(a.has("responses"))
	if a.has("will") {
		topic, payload, _ := strings.Cut(a.text("will"), ":")
		k.WillFlag, k.WillTopic, k.WillPayload = true, topic, []byte(payload)
		k.WillQos, k.WillRetain = byte(a.number("willqos")), a.has("willretain")
		k.WillProperties.WillDelayInterval = uint32(a.number("willdelay"))
		k.WillProperties.MessageExpiryInterval = uint32(a.number("willexpiry"))
		k.WillProperties.ContentType = a.text("willtype")
		if a.has("willuser") {
			k.WillProperties.User = []packets.UserProperty{{Key: "k", Val: a.text("willuser")}}
		}
	}
}
