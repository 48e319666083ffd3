package load

import (
	"context"
	"fmt"
)

// mqttOutlet publishes with QoS 0 or 1, and counts the PUBACKs.
type mqttOutlet struct {
	mqttLine
	config    Config
	clientID  string
	plate     *plate
	publisher *publisher
}

var _ outlet = (*mqttOutlet)(nil)

func newMQTTOutlet(r *run, i int, p *publisher) *mqttOutlet {
	c := r.config
	o := &mqttOutlet{
		config: c, clientID: r.clientID("p", i), publisher: p,
		plate: newPlate(p.batch, c.publishTopic(i), c.PublishQoS, c.PayloadSize, r.id, uint32(i)),
	}
	if c.Topics > 0 {
		o.plate.spread(c.Topics)
	}
	return o
}

// connect implements line.
func (o *mqttOutlet) connect(ctx context.Context) error {
	c := o.config
	if err := o.open(ctx, c.Address, nil, appendConnect(nil, o.clientID, c.Username, c.Password)); err != nil {
		return err
	}
	const pubackSize, size = 4, 16 << 10
	o.reader = newBatchReader(o.conn, size, c.Window/4*pubackSize)
	return nil
}

// write implements outlet.
func (o *mqttOutlet) write(n int, first uint64, due schedule) error {
	_, err := o.conn.Write(o.plate.print(n, first, due))
	return err
}

// listen implements line: it takes PUBACKs.
func (o *mqttOutlet) listen() error {
	for {
		if err := o.fill(o.noteAck); err != nil {
			return err
		}
		if a := o.publisher.acks; a != nil {
			a.advance()
		}
	}
}

// noteAck enters one PUBACK. Servers must answer in order [MQTT-4.6.0-2], but not all of them do.
func (o *mqttOutlet) noteAck(f packet) error {
	a := o.publisher.acks
	if f.first&typeMask != packetPuback || a == nil {
		return fmt.Errorf("packet of type %#x was not expected", f.first)
	}
	id, err := f.packetID()
	if err != nil {
		return err
	}
	if id == 0 {
		return errPacketCorrupt
	}
	a.note(a.near(uint64(id)-1), o.publisher.sent.Load(), true)
	return nil
}
