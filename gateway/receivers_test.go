package gateway

import (
	"context"
	"fmt"
	"net/http"
	"testing"
)

// receiver receives over one protocol.
type receiver interface {
	// next gives the next message, which is not settled before settle is called, unless the protocol settles itself.
	next() <-chan arrival
	// settle accepts it and returns when the door has heard so.
	settle() error
	// leave ends the receiver in such a way that what the door thinks unsettled is given back at once.
	leave() error
}

// mqttReceiver subscribes with QoS 1.
type mqttReceiver struct {
	client  mqttClient
	address string
	came    chan arrival
	release chan struct{}
	markers chan struct{}
}

// marker is a topic by which a receiver finds out that its client has acknowledged all that came before.
const marker = "telemetry/marker"

func newMQTTReceiver(t *testing.T, protocol, door, address string) *mqttReceiver {
	t.Helper()
	r := &mqttReceiver{
		address: address, came: make(chan arrival), release: make(chan struct{}), markers: make(chan struct{}),
	}
	r.client = dialMQTT(t, protocol, door, "", func(a arrival) {
		if a.address == marker {
			r.markers <- struct{}{}
			return
		}
		select {
		case r.came <- a:
		case <-t.Context().Done():
		}
		select {
		case <-r.release:
		case <-t.Context().Done():
		}
	})
	for _, filter := range []string{address, marker} {
		if err := r.client.subscribe(filter); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func (r *mqttReceiver) next() <-chan arrival { return r.came }

func (r *mqttReceiver) settle() error {
	r.release <- struct{}{}
	sent := make(chan error, 1)
	go func() { sent <- r.client.publish(marker, letter{}, false) }()
	<-r.markers
	return <-sent
}

func (r *mqttReceiver) leave() error { return r.client.unsubscribe(r.address) }

// headReceiver receives under a lock; from a topic by a durable subscription, which holds what comes between.
type headReceiver struct {
	*cell
	came     chan arrival
	location string
}

func (c *cell) newHeadReceiver(t *testing.T) *headReceiver {
	if c.kind == "topic" {
		c.source += "::matrix"
		c.expectNothing(t) // which makes the subscription
	}
	return &headReceiver{cell: c, came: make(chan arrival, 1)}
}

func (r *headReceiver) next() <-chan arrival {
	go func() {
		p, err := r.http.ask(r.ctx, http.MethodPost, pathOf("default", r.source, "messages/head?timeout=15"), nil, nil)
		if err != nil || p.code != http.StatusOK {
			r.came <- arrival{letter{payload: fmt.Appendf(nil, "status %d, %v", p.code, err)}, ""}
			return
		}
		r.location = p.header.Get("Location")
		r.came <- readPage(p)
	}()
	return r.came
}

func (r *headReceiver) settle() error {
	if (r.location == "") != (r.kind == "broadcast") {
		return fmt.Errorf("a %s message came with Location %q", r.kind, r.location)
	}
	if r.location == "" {
		return nil
	}
	p, err := r.http.ask(r.ctx, http.MethodDelete, r.location, nil, nil)
	if err == nil && p.code != http.StatusNoContent {
		err = fmt.Errorf("DELETE %s: status %d: %s", r.location, p.code, p.body)
	}
	return err
}

func (r *headReceiver) leave() error { return nil }

// streamReceiver watches an event stream, which settles what it has written.
type streamReceiver struct {
	*cell
	events *events
	end    context.CancelFunc
}

func (c *cell) newStreamReceiver(t *testing.T) *streamReceiver {
	ctx, end := context.WithCancel(c.ctx)
	t.Cleanup(end)
	return &streamReceiver{c, c.http.stream(ctx, t, pathOf("default", c.address, "stream")), end}
}

func (r *streamReceiver) next() <-chan arrival {
	came := make(chan arrival, 1)
	go func() {
		if e, ok := r.events.next(); ok {
			came <- arrival{e.letter(letters()[0].properties), e.Address}
		}
	}()
	return came
}

func (r *streamReceiver) settle() error { return nil }

func (r *streamReceiver) leave() error {
	r.end()
	return nil
}
