package gateway

import (
	"context"
	"fmt"
	"net"
	"time"
)

// door is one listener, or socket of datagrams, and who serves it.
type door struct {
	name        string                                    // that of its listener
	listener    net.Listener                              // nil for a socket of datagrams
	address     net.Addr                                  // of such a socket; nil for a listener
	serve       func(context.Context, net.Listener) error // until the context ends; drains, waits, closes the listener
	connections func() int                                // how many are open now; nil when another door tells that
}

// addr is where the door listens.
func (d door) addr() net.Addr {
	if d.listener == nil {
		return d.address
	}
	return d.listener.Addr()
}

func (d door) run(ctx context.Context) error {
	if err := d.serve(ctx, d.listener); err != nil {
		return fmt.Errorf("%s door: %w", d.name, err)
	}
	return nil
}

// doors makes the doors of the listeners that are open, HTTP last: it carries the others over WebSocket.
func (a *assembly) doors() ([]door, error) {
	var doors []door
	for _, entry := range []struct {
		enabled bool
		open    func() ([]door, error)
	}{
		{a.config.MQTT.Enabled, a.mqttDoors},
		{a.config.AMQP.Enabled, a.amqpDoors},
		{a.config.STOMP.Enabled, a.stompDoors},
		{a.config.CoAP.Enabled, a.coapDoors},
		{a.config.HTTP.Enabled, a.httpDoors},
	} {
		if !entry.enabled {
			continue
		}
		opened, err := entry.open()
		if err != nil {
			return nil, err
		}
		doors = append(doors, opened...)
	}
	return doors, nil
}

// server is a protocol's door that serves connections.
type server interface {
	Serve(context.Context, net.Listener) error
	Connections() int
}

// doorsOf gives the doors of a server: one for connections as they are and, if it is open, one for those of TLS, which
// have to shake hands within patience.
func (a *assembly) doorsOf(name string, s server, patience time.Duration) []door {
	doors := []door{{
		name: name, listener: a.listeners[name], serve: a.after(name, patience, s.Serve), connections: s.Connections,
	}}
	if listener := a.listeners[name+"s"]; listener != nil {
		doors = append(doors, door{name: name + "s", listener: listener, serve: a.after(name+"s", patience, s.Serve, name)})
	}
	return doors
}
