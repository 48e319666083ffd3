//go:build interop

package soak

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/mochi-mqtt/server/v2/packets"
)

// mqttOutlet publishes with QoS 1 or 2. With QoS 2 it has a persistent session, in which it sees each publish through: what
// got no PUBREC is published again, so that it ought to be taken once.
type mqttOutlet struct {
	mqttLine
	stream *stream
	topic  string
	qos    byte

	id        uint16            // the last one
	exchanges map[uint16]letter // published, without PUBACK or PUBREC
	released  map[uint16]bool   // got PUBREC, and waits for PUBCOMP
}

func (o *mqttOutlet) open(ctx context.Context, doors map[string]string) error {
	if err := o.dial(ctx, doors); err != nil {
		return err
	}
	if !o.persistent {
		o.exchanges, o.released = nil, nil
	}
	if o.exchanges == nil {
		o.exchanges, o.released = make(map[uint16]letter), make(map[uint16]bool)
	}
	for id := range o.released {
		o.answer(packets.Pubrel, id)
	}
	open := slices.SortedFunc(maps.Keys(o.exchanges), func(a, b uint16) int {
		return int(o.exchanges[a].number) - int(o.exchanges[b].number)
	})
	for _, id := range open {
		o.publish(o.topic, o.qos, id, true, o.exchanges[id].text())
	}
	return o.complete()
}

func (o *mqttOutlet) send(_ context.Context, letters []letter) error {
	for _, l := range letters {
		o.id = next(o.id)
		o.exchanges[o.id] = l
		o.publish(o.topic, o.qos, o.id, false, l.text())
	}
	return o.complete()
}

// complete writes what waits, and sees all exchanges through.
func (o *mqttOutlet) complete() error {
	o.expect(true)
	for len(o.exchanges)+len(o.released) > 0 {
		if err := o.flush(); err != nil {
			return err
		}
		p, err := o.read()
		if err != nil {
			return err
		}
		if p.ReasonCode >= packets.ErrUnspecifiedError.Code && p.FixedHeader.Type != packets.Pubcomp {
			return fmt.Errorf("packet type %d has code %#x", p.FixedHeader.Type, p.ReasonCode)
		}
		switch id := p.PacketID; p.FixedHeader.Type {
		case packets.Puback:
			o.acknowledge(id)
		case packets.Pubrec:
			o.acknowledge(id)
			o.released[id] = true
			o.answer(packets.Pubrel, id)
		case packets.Pubcomp:
			delete(o.released, id)
		default:
			return fmt.Errorf("a packet of type %d", p.FixedHeader.Type)
		}
	}
	return nil
}

func (o *mqttOutlet) acknowledge(id uint16) {
	if l, ok := o.exchanges[id]; ok {
		o.stream.acknowledged(l)
		delete(o.exchanges, id)
	}
}
