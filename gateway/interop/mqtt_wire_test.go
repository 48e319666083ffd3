//go:build interop

package interop

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// wire is a connection of a client of MQTT 5 that sends and reads packets one by one, which no library lets its users do.
type wire struct {
	nc net.Conn
	in *bufio.Reader
}

// wirePatience is how long an answer may take on a machine that has much else to do.
const wirePatience = time.Minute

func dialWire(address string) (*wire, error) {
	nc, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &wire{nc, bufio.NewReader(nc)}, nil
}

// connect makes a connection of a client whose session outlives it for lasting seconds, and tells whether it is gone on with.
func connect(address, id string, lasting uint32) (w *wire, present bool, err error) {
	if w, err = dialWire(address); err != nil {
		return nil, false, err
	}
	if err = w.send(connectPacket(id, lasting)); err != nil {
		return w, false, err
	}
	ack, err := w.await(packets.Connack)
	return w, ack.SessionPresent, err
}

func connectPacket(id string, lasting uint32) packets.Packet {
	return packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Connect},
		Connect:     packets.ConnectParams{ProtocolName: []byte("MQTT"), ClientIdentifier: id, Clean: lasting == 0},
		Properties:  packets.Properties{SessionExpiryInterval: lasting, SessionExpiryIntervalFlag: lasting > 0},
	}
}

func publishPacket(topic, payload string, qos byte, id uint16) packets.Packet {
	return packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: qos}, TopicName: topic, Payload: []byte(payload), PacketID: id,
	}
}

func subscribePacket(filter string, qos byte) packets.Packet {
	return packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 1,
		Filters: packets.Subscriptions{{Filter: filter, Qos: qos}},
	}
}

// answerPacket is PUBACK, PUBREC, PUBREL or PUBCOMP.
func answerPacket(kind byte, id uint16) packets.Packet {
	p := packets.Packet{FixedHeader: packets.FixedHeader{Type: kind}, PacketID: id}
	if kind == packets.Pubrel {
		p.FixedHeader.Qos = 1
	}
	return p
}

func (w *wire) send(p packets.Packet) error {
	b, err := encodePacket(p)
	if err == nil {
		_, err = w.nc.Write(b)
	}
	return err
}

func encodePacket(p packets.Packet) ([]byte, error) {
	p.ProtocolVersion = 5
	var b bytes.Buffer
	encode := map[byte]func(*bytes.Buffer) error{
		packets.Connect: p.ConnectEncode, packets.Publish: p.PublishEncode, packets.Puback: p.PubackEncode,
		packets.Pubrec: p.PubrecEncode, packets.Pubrel: p.PubrelEncode, packets.Pubcomp: p.PubcompEncode,
		packets.Subscribe: p.SubscribeEncode, packets.Unsubscribe: p.UnsubscribeEncode, packets.Pingreq: p.PingreqEncode,
		packets.Disconnect: p.DisconnectEncode, packets.Auth: p.AuthEncode,
	}[p.FixedHeader.Type]
	err := encode(&b)
	return b.Bytes(), err
}

// next reads a packet.
func (w *wire) next() (p packets.Packet, err error) {
	if err = w.nc.SetReadDeadline(time.Now().Add(wirePatience)); err != nil {
		return p, err
	}
	first, err := w.in.ReadByte()
	if err != nil {
		return p, err
	}
	p.ProtocolVersion = 5
	if err = p.FixedHeader.Decode(first); err != nil {
		return p, err
	}
	if p.FixedHeader.Remaining, _, err = packets.DecodeLength(w.in); err != nil {
		return p, err
	}
	body := make([]byte, p.FixedHeader.Remaining)
	if _, err = io.ReadFull(w.in, body); err != nil {
		return p, err
	}
	decode := map[byte]func([]byte) error{
		packets.Connack: p.ConnackDecode, packets.Publish: p.PublishDecode, packets.Puback: p.PubackDecode,
		packets.Pubrec: p.PubrecDecode, packets.Pubrel: p.PubrelDecode, packets.Pubcomp: p.PubcompDecode,
		packets.Suback: p.SubackDecode, packets.Disconnect: p.DisconnectDecode, packets.Pingresp: p.PingrespDecode,
	}[p.FixedHeader.Type]
	if decode == nil {
		return p, fmt.Errorf("packet type %d from a server", p.FixedHeader.Type)
	}
	return p, decode(body)
}

// await reads a packet, which has to be of a kind and say yes.
func (w *wire) await(kind byte) (packets.Packet, error) {
	p, err := w.next()
	if err == nil && (p.FixedHeader.Type != kind || p.ReasonCode >= 0x80 || len(p.ReasonCodes) > 0 && p.ReasonCodes[0] >= 0x80) {
		err = fmt.Errorf("packet type %d with code %#x, want %d", p.FixedHeader.Type, p.ReasonCode, kind)
	}
	return p, err
}

// ask sends a packet and awaits the answer.
func (w *wire) ask(p packets.Packet, answer byte) error {
	if err := w.send(p); err != nil {
		return err
	}
	_, err := w.await(answer)
	return err
}

// publish publishes with QoS 1 or 2 and sees it through.
func (w *wire) publish(topic, payload string, qos byte, id uint16) error {
	if qos == 1 {
		return w.ask(publishPacket(topic, payload, qos, id), packets.Puback)
	}
	if err := w.ask(publishPacket(topic, payload, qos, id), packets.Pubrec); err != nil {
		return err
	}
	return w.ask(answerPacket(packets.Pubrel, id), packets.Pubcomp)
}
