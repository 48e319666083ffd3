//go:build interop

package soak

import (
	"bytes"
	"context"
	"fmt"

	"github.com/mochi-mqtt/server/v2/packets"
)

// mqttInlet subscribes with QoS 1 or 2, in a persistent session or a clean one. Only PUBREL confirms a settlement: PUBACK has
// no answer.
type mqttInlet struct {
	mqttLine
	filter string
	qos    byte

	messages []packets.Packet  // came while something else was awaited
	received map[uint16]letter // got PUBREC, and wait for PUBREL
}

func (in *mqttInlet) open(ctx context.Context, doors map[string]string) error {
	if err := in.dial(ctx, doors); err != nil {
		return err
	}
	if in.messages = nil; in.received == nil {
		in.received = make(map[uint16]letter)
	}
	in.put(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 1,
		Filters: packets.Subscriptions{{Filter: in.filter, Qos: in.qos}},
	})
	for {
		p, err := in.advance()
		if err != nil {
			return err
		}
		if p.FixedHeader.Type != packets.Suback {
			continue
		}
		if !bytes.Equal(p.ReasonCodes, []byte{in.qos}) {
			return fmt.Errorf("SUBACK %#x", p.ReasonCodes)
		}
		return nil
	}
}

// advance writes what waits, reads a packet, and takes it in if it is of a message.
func (in *mqttInlet) advance() (packets.Packet, error) {
	if err := in.flush(); err != nil {
		return packets.Packet{}, err
	}
	p, err := in.read()
	if err != nil {
		return p, err
	}
	switch p.FixedHeader.Type {
	case packets.Publish:
		err = in.take(p)
	case packets.Pubrel:
		delete(in.received, p.PacketID)
		in.answer(packets.Pubcomp, p.PacketID)
	case packets.Suback:
	default:
		err = fmt.Errorf("packet type %d, code %#x", p.FixedHeader.Type, p.ReasonCode)
	}
	return p, err
}

// take keeps a message, unless its id is in use: then it is the one that was received before [MQTT-4.3.3-10].
func (in *mqttInlet) take(p packets.Packet) error {
	before, ok := in.received[p.PacketID]
	if !ok || p.FixedHeader.Qos < 2 {
		in.messages = append(in.messages, p)
		return nil
	}
	if l, err := readLetter(p.Payload); err != nil || l != before {
		return fmt.Errorf("packet id %d of %v, which awaits PUBREL, is used for %v (%v)", p.PacketID, before, l, err)
	}
	in.answer(packets.Pubrec, p.PacketID)
	return nil
}

func (in *mqttInlet) receive(context.Context) (arrivals []arrival, err error) {
	in.expect(false)
	for len(in.messages) == 0 {
		if _, err := in.advance(); err != nil {
			return nil, err
		}
	}
	for _, p := range in.messages {
		l, err := readLetter(p.Payload)
		if err != nil {
			return nil, err
		}
		arrivals = append(arrivals, arrival{letter: l, marked: p.FixedHeader.Dup, token: p})
	}
	in.messages = nil
	return arrivals, nil
}

func (in *mqttInlet) settle(_ context.Context, arrivals []arrival, confirm func(letter)) error {
	var exchanges []arrival
	for _, a := range arrivals {
		switch p := a.token.(packets.Packet); p.FixedHeader.Qos {
		case 1:
			in.answer(packets.Puback, p.PacketID)
		case 2:
			in.received[p.PacketID] = a.letter
			in.answer(packets.Pubrec, p.PacketID)
			exchanges = append(exchanges, a)
		}
	}
	in.expect(true)
	for _, a := range exchanges {
		for in.awaits(a) {
			if _, err := in.advance(); err != nil {
				return err
			}
		}
		confirm(a.letter)
	}
	return in.flush()
}

// awaits tells whether PUBREL for a letter has not come.
func (in *mqttInlet) awaits(a arrival) bool {
	_, ok := in.received[a.token.(packets.Packet).PacketID]
	return ok
}
