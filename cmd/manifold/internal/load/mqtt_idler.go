package load

import (
	"bytes"
	"context"
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

var (
	_ idler  = (*mqttIdler)(nil)
	_ hearer = (*mqttIdler)(nil)
)

func (m *mqttIdler) open(ctx context.Context, source net.Addr) error {
	c := m.config
	connect := appendConnect(nil, c.name(m.number), c.Username, c.Password)
	if err := m.mqttLine.open(ctx, c.Address, source, connect); err != nil {
		return err
	}
	return m.subscribe(0, c.topic(m.number))
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

// hear implements hearer.
func (m *mqttIdler) hear(want []byte, deadline time.Time) error {
	if err := m.conn.SetReadDeadline(deadline); err != nil {
		return err
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(m.conn, got); err != nil {
		return broken(err)
	}
	if !bytes.Equal(got, want) {
		return errNotAsSent
	}
	return m.conn.SetReadDeadline(time.Time{})
}
