package load

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"
)

// mqttIdler is an idle connection with one subscription.
type mqttIdler struct {
	mqttLine
	config IdleConfig
	number int
}

var _ idler = (*mqttIdler)(nil)

func (m *mqttIdler) open(ctx context.Context, source net.Addr) error {
	c := m.config
	connect := appendConnect(nil, c.name(m.number), c.Username, c.Password)
	if err := m.mqttLine.open(ctx, c.Address, source, connect); err != nil {
		return err
	}
	filter := c.topic(m.number)
	const subackSize = 5
	suback, err := m.ask(appendSubscribe(nil, 1, 0, filter), subackSize)
	if err == nil {
		err = suback.subackError([]string{filter}, 0)
	}
	if err != nil {
		return fmt.Errorf("subscribe: %w", broken(err))
	}
	return nil
}

func (m *mqttIdler) ping(context.Context) error {
	const pingrespSize = 2
	f, err := m.ask(appendPingreq(nil), pingrespSize)
	if err != nil {
		return err
	}
	if f.first != packetPingresp {
		return errPacketCorrupt
	}
	return nil
}

// beat implements idler; the connection has no keep-alive.
func (m *mqttIdler) beat() error { return nil }

// ask sends a request and reads an answer whose size is known.
func (m *mqttIdler) ask(request []byte, size int) (packet, error) {
	if err := m.conn.SetDeadline(time.Now().Add(handshakeTime)); err != nil {
		return packet{}, err
	}
	if _, err := m.conn.Write(request); err != nil {
		return packet{}, err
	}
	answer := make([]byte, size)
	if _, err := io.ReadFull(m.conn, answer); err != nil {
		return packet{}, err
	}
	if err := m.conn.SetDeadline(time.Time{}); err != nil {
		return packet{}, err
	}
	return nextPacket(answer, size)
}
