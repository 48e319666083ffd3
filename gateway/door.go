package gateway

import (
	"context"
	"fmt"
	"net"
)

// door is one listener and who serves it.
type door struct {
	name        string // as the configuration has it
	listener    net.Listener
	serve       func(context.Context, net.Listener) error // until the context ends; drains, waits, closes the listener
	connections func() int                                // how many are open now; nil when the door does not know
}

func (d door) run(ctx context.Context) error {
	if err := d.serve(ctx, d.listener); err != nil {
		return fmt.Errorf("%s door: %w", d.name, err)
	}
	return nil
}

// doors makes the doors of the listeners that are open, HTTP last: it carries the others over WebSocket.
func (a *assembly) doors(l *listeners) ([]door, error) {
	var doors []door
	for _, entry := range []struct {
		listener net.Listener
		open     func(net.Listener) (door, error)
	}{
		{l.mqtt, a.mqttDoor},
		{l.amqp, a.amqpDoor},
		{l.http, a.httpDoor},
	} {
		if entry.listener == nil {
			continue
		}
		d, err := entry.open(entry.listener)
		if err != nil {
			return nil, err
		}
		doors = append(doors, d)
	}
	return doors, nil
}
