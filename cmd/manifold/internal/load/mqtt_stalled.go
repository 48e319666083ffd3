package load

import (
	"context"
	"fmt"
	"net"
)

// mqttStalled subscribes like any other subscriber and then reads nothing more.
type mqttStalled struct {
	mqttLine
	config   Config
	clientID string
	filters  []string
}

var _ line = (*mqttStalled)(nil)

// newStalled gives one that has the filters of a subscriber, as many times around as it takes.
func (r *run) newStalled(i int) *mqttStalled {
	c := r.config
	return &mqttStalled{config: c, clientID: r.clientID("x", i), filters: c.filters(i % c.Subscribers)}
}

// stalledBuffer is for how much the kernel takes in for one that does not read, in bytes: little, so that its server is
// soon the one that has to keep or drop what comes.
const stalledBuffer = 4 << 10

// connect implements line.
func (s *mqttStalled) connect(ctx context.Context) error {
	c := s.config
	if err := s.open(ctx, c.Address, nil, appendConnect(nil, s.clientID, c.Username, c.Password)); err != nil {
		return err
	}
	if err := s.conn.(*net.TCPConn).SetReadBuffer(stalledBuffer); err != nil {
		return fmt.Errorf("read buffer: %w", err)
	}
	return s.subscribe(c.SubscribeQoS, s.filters...)
}

// listen implements line: it hears nothing.
func (s *mqttStalled) listen() error { return nil }
