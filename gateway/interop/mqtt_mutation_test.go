//go:build interop

package interop

import (
	"errors"
	"fmt"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

// TestMutatedPacketsHarmNobody has clients send what was MQTT 5 before it was damaged.
func TestMutatedPacketsHarmNobody(t *testing.T) {
	g := startMutated(t)
	address := g.doors["mqtt"]
	g.harmsNobody(t,
		[]way{{"packets", func(m mutator) error { return m.pour(address, mqttMutator{m}.conversation()) }}},
		map[string]func() (pair, error){"over MQTT": func() (pair, error) { return dialWires(address) }})
}

// wirePair has a topic between two clients, with QoS 1 and 2 by turns.
type wirePair struct{ speaker, listener *wire }

func dialWires(address string) (p wirePair, err error) {
	if p.speaker, _, err = connect(address, "undisturbed speaker", 0); err != nil {
		return p, err
	}
	if p.listener, _, err = connect(address, "undisturbed listener", 0); err != nil {
		return p, err
	}
	return p, p.listener.ask(subscribePacket("telemetry/undisturbed", 1), packets.Suback)
}

func (p wirePair) send(n int, body string) error {
	return p.speaker.publish("telemetry/undisturbed", body, byte(1+n%2), uint16(n%1000+1))
}

func (p wirePair) receive() (string, error) {
	m, err := p.listener.await(packets.Publish)
	if err != nil {
		return "", err
	}
	return string(m.Payload), p.listener.send(answerPacket(packets.Puback, m.PacketID))
}

func (p wirePair) close() error { return errors.Join(p.speaker.nc.Close(), p.listener.nc.Close()) }

// mqttMutator makes packets, each of them valid.
type mqttMutator struct{ mutator }

// conversation is a few packets, with damage in them.
func (m mqttMutator) conversation() []byte {
	return m.spoil(m.encode(m.connect()), m.some(7, func() []byte { return m.encode(m.packet()) }))
}

func (m mqttMutator) encode(p packets.Packet) []byte {
	b, err := encodePacket(p)
	if err != nil {
		return []byte{byte(m.IntN(256))}
	}
	return b
}

func (m mqttMutator) connect() packets.Packet {
	p := connectPacket(fmt.Sprint("mutator", m.IntN(50)), uint32(m.IntN(2)))
	if m.IntN(3) == 0 {
		p.Connect.WillFlag, p.Connect.WillTopic, p.Connect.WillPayload = true, "telemetry/will", []byte("lost")
		p.Connect.WillQos = byte(m.IntN(3))
	}
	p.Properties.ReceiveMaximum = uint16(m.IntN(4))
	p.Properties.TopicAliasMaximum = uint16(m.IntN(4))
	p.Properties.MaximumPacketSize = uint32(m.IntN(2) * (50 + m.IntN(200)))
	p.Connect.Keepalive = uint16(m.IntN(5))
	return p
}

// packet is one of all that a client may send.
func (m mqttMutator) packet() packets.Packet {
	id := uint16(m.IntN(5))
	topic := pick(m.mutator, "telemetry/mutated", "jobs", "commands/a", "alerts", "nowhere", "telemetry/#", "$share/g/telemetry/+")
	switch m.IntN(8) {
	case 0, 1:
		p := publishPacket(topic, "mutated", byte(m.IntN(3)), id)
		p.FixedHeader.Retain = m.IntN(4) == 0
		p.Properties.MessageExpiryInterval = uint32(m.IntN(3))
		p.Properties.User = []packets.UserProperty{{Key: "a", Val: "b"}}
		p.Properties.TopicAliasFlag, p.Properties.TopicAlias = m.IntN(3) == 0, uint16(m.IntN(20))
		return p
	case 2:
		p := subscribePacket(topic, byte(m.IntN(3)))
		p.PacketID = id
		p.Filters[0].RetainHandling = byte(m.IntN(3))
		p.Properties.SubscriptionIdentifier = []int{m.IntN(3)}
		return p
	case 3:
		p := subscribePacket(topic, 0)
		p.FixedHeader.Type, p.PacketID = packets.Unsubscribe, id
		return p
	case 4:
		return packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}}
	case 5:
		return packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Auth}, ReasonCode: 0x19}
	case 6:
		return packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}, ReasonCode: byte(m.IntN(2) * 4)}
	default:
		return answerPacket(pick(m.mutator, packets.Puback, packets.Pubrec, packets.Pubrel, packets.Pubcomp), id)
	}
}
