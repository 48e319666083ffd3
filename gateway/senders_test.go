package gateway

import (
	"context"
	"fmt"
	"net/http"
	"testing"
)

// sender sends over one protocol.
type sender interface {
	// send gives, once, what the client was told: nil for yes.
	send(to string, l letter) (told <-chan error)
	// roundTrip returns when the door has answered a later request of the client.
	roundTrip() error
}

// httpSender sends with POST.
type httpSender struct {
	ctx  context.Context
	http *httpClient
}

func (s httpSender) send(to string, l letter) <-chan error {
	told := make(chan error, 1)
	go func() {
		p, err := s.http.ask(s.ctx, http.MethodPost, pathOf("default", to, "messages"), l.header(), l.payload)
		if err == nil && p.code != http.StatusCreated {
			err = fmt.Errorf("status %d: %s", p.code, p.body)
		}
		told <- err
	}()
	return told
}

func (s httpSender) roundTrip() error {
	_, err := s.http.ask(s.ctx, http.MethodOptions, pathOf("default", "jobs", "messages"), nil, nil)
	return err
}

// mqttSender publishes with QoS 1, each message over a connection of its own: a no ends one before MQTT 5.
type mqttSender struct {
	t              *testing.T
	protocol, door string
	client         mqttClient
}

func (s *mqttSender) send(to string, l letter) <-chan error {
	s.client = dialMQTT(s.t, s.protocol, s.door, "", func(arrival) {})
	client, told := s.client, make(chan error, 1)
	go func() { told <- client.publish(to, l, false) }()
	return told
}

func (s *mqttSender) roundTrip() error { return s.client.subscribe("telemetry/round trip") }
