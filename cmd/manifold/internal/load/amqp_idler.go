package load

import (
	"context"
	"fmt"
	"net"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// amqpIdler is an idle connection with a link in each direction.
type amqpIdler struct {
	amqpLine
	config IdleConfig
	number int
	pinged *engine.Session // the last session that Begun told of
}

var _ idler = (*amqpIdler)(nil)

func (m *amqpIdler) open(ctx context.Context, source net.Addr) error {
	const buffer = 1 << 10
	c := m.config
	door := amqpDoor{address: c.Address, username: c.Username, password: c.Password, source: source,
		buffer: buffer, ahead: 1}
	if err := m.amqpLine.open(ctx, door, c.name(m.number), m); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	address := c.topic(m.number)
	in := m.session.Attach(frame.Attach{Name: "in", Role: frame.Receiver,
		Source: &frame.Source{Address: address}, Target: &frame.Target{Address: "in"}})
	out := m.session.Attach(frame.Attach{Name: "out",
		Source: &frame.Source{Address: "out"}, Target: &frame.Target{Address: address}})
	if in == nil || out == nil {
		return errNoLink
	}
	const credit = 10
	in.Grant(credit)
	if err := m.flush(); err != nil {
		return fmt.Errorf("attach: %w", broken(err))
	}
	if err := m.await(ctx, func() bool { return m.attached == 2 }); err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	return nil
}

// ping implements idler with a session more.
func (m *amqpIdler) ping(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.engine.Begin()
	if s == nil {
		return errNoSession
	}
	if err := m.flush(); err != nil {
		return err
	}
	if err := m.await(ctx, func() bool { return m.pinged == s }); err != nil {
		return err
	}
	s.End(nil)
	return m.flush()
}

// Begun implements engine.Handler.
func (m *amqpIdler) Begun(s *engine.Session) { m.pinged = s }

func (m *amqpIdler) beat() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.feed(nil)
}
