package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
	paho3 "github.com/eclipse/paho.mqtt.golang"
)

func mqttSenderKind(name string, qos byte, c *column, open func(*testing.T, *cell, byte) sender) senderKind {
	return senderKind{
		name: fmt.Sprintf("%s QoS %d", name, qos), column: c,
		says:        fields{atMostOnce: qos == 0, exactlyOnce: qos == 2},
		unconfirmed: qos == 0,
		open:        func(t *testing.T, c *cell) sender { return open(t, c, qos) },
	}
}

// mqttReceiverKind is a subscription with a QoS, which is the highest with which anything comes.
func mqttReceiverKind(name string, qos byte, c *column, open func(*testing.T, *cell, byte) *mqttReceiver) receiverKind {
	return receiverKind{
		name: fmt.Sprintf("%s QoS %d", name, qos), column: c, settles: qos > 0, attached: true,
		hears: func(m fields) {
			if qos == 0 {
				m[atMostOnce] = true
				delete(m, deliveryCount) // DUP is of what may be acknowledged
			}
			if qos < 2 || m[atMostOnce] == true {
				delete(m, exactlyOnce)
			}
			if c == &mqtt5Column {
				m[subscriptionID] = subscriptionNumber
			}
		},
		open: func(t *testing.T, c *cell) receiver { return open(t, c, qos) },
	}
}

// subscriptionNumber is the Subscription Identifier of every subscription.
const subscriptionNumber = 268435455

// mqttSender publishes over one connection, or another one after a no: before MQTT 5 that ends it.
type mqttSender struct {
	dial      func() mqttClient
	client    mqttClient
	transmit  func(c mqttClient, to string, m fields) error
	marker    string
	confirmed bool
}

func newMQTT3Sender(t *testing.T, c *cell, qos byte) sender {
	s := c.newMQTTSender(t, mqtt3, qos)
	s.transmit = func(client mqttClient, to string, m fields) error {
		return wait(client.(mqtt3Client).client.Publish(to, qos, m[retain] == true, m.body()))
	}
	return s
}

func newMQTT5Sender(t *testing.T, c *cell, qos byte) sender {
	s := c.newMQTTSender(t, mqtt5, qos)
	s.transmit = func(client mqttClient, to string, m fields) error {
		p := writeMQTT5(m)
		p.Topic, p.QoS = to, qos
		answer, err := client.(mqtt5Client).client.Publish(c.ctx, p)
		if err == nil && answer != nil && answer.ReasonCode != 0 {
			err = errors.New("nobody has subscribed")
		}
		return err
	}
	return s
}

// newMQTTSender is all of a sender but how it publishes.
func (c *cell) newMQTTSender(t *testing.T, protocol string, qos byte) *mqttSender {
	return &mqttSender{
		dial:      func() mqttClient { return dialMQTT(t, protocol, c.doors["mqtt"], "", func(arrival) {}) },
		marker:    "telemetry/round trip",
		confirmed: qos > 0,
	}
}

func (s *mqttSender) send(to string, m fields) <-chan error {
	if s.client == nil {
		s.client = s.dial()
	}
	client, told := s.client, make(chan error, 1)
	if !s.confirmed {
		told <- s.transmit(client, to, m)
		return told
	}
	go func() { told <- s.transmit(client, to, m) }()
	return told
}

// roundTrip subscribes to what nobody sends to. A connection that has ended has nothing under way.
func (s *mqttSender) roundTrip() error {
	if err := s.client.subscribe(s.marker); err != nil {
		s.client = nil
	}
	return nil
}

// writeMQTT5 writes all but the topic and QoS.
func writeMQTT5(m fields) *paho.Publish {
	p := &paho.Publish{Retain: m[retain] == true, Payload: m.body(), Properties: &paho.PublishProperties{
		ContentType: m.text(contentType) + m.text(wideContentType), ResponseTopic: m.text(replyTo),
	}}
	asBytes := make(fields)
	octets(asBytes, m, correlationID)
	p.Properties.CorrelationData, _ = asBytes[correlationID].([]byte)
	if m[textBody] != nil {
		p.Properties.PayloadFormat = new(byte(1))
	}
	if life, ok := m[ttl].(time.Duration); ok {
		p.Properties.MessageExpiry = new(uint32(life.Seconds()))
	}
	for _, user := range m.properties() {
		p.Properties.User.Add(user.name, textOf(user.value))
	}
	return p
}

// mqttReceiver is a subscription. Its client acknowledges a message when it is told to.
type mqttReceiver struct {
	subscribe   func(filter string) error
	publish     func(topic string) error
	unsubscribe func(filter string) error
	address     string
	marker      string // a topic by which it finds out that its client has acknowledged all that came before
	came        chan fields
	release     chan struct{}
	markers     chan struct{}
	ended       <-chan struct{}
}

func (c *cell) newMQTTReceiver() *mqttReceiver {
	return &mqttReceiver{
		address: c.address, marker: "telemetry/marker/" + c.name, ended: c.ctx.Done(),
		came: make(chan fields), release: make(chan struct{}), markers: make(chan struct{}),
	}
}

// open subscribes.
func (r *mqttReceiver) open(t *testing.T) *mqttReceiver {
	for _, filter := range []string{r.address, r.marker} {
		if err := r.subscribe(filter); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// arrive is called with what comes, which is acknowledged when it returns.
func (r *mqttReceiver) arrive(m fields) {
	if m[address] == r.marker {
		r.markers <- struct{}{}
		return
	}
	select {
	case r.came <- m:
	case <-r.ended:
	}
	select {
	case <-r.release:
	case <-r.ended:
	}
}

func newMQTT3Receiver(t *testing.T, c *cell, qos byte) *mqttReceiver {
	r := c.newMQTTReceiver()
	client := paho3.NewClient(paho3.NewClientOptions().
		AddBroker("tcp://" + c.doors["mqtt"]).SetProtocolVersion(4).SetAutoReconnect(false).
		SetDefaultPublishHandler(func(_ paho3.Client, p paho3.Message) {
			m := fields{address: p.Topic(), dataBody: string(p.Payload())}
			readFlags(m, p.Qos(), p.Retained(), p.Duplicate())
			r.arrive(m)
		}))
	if err := wait(client.Connect()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Disconnect(0) })
	r.subscribe = func(filter string) error { return wait(client.Subscribe(filter, qos, nil)) }
	r.publish = func(topic string) error { return wait(client.Publish(topic, 1, false, "")) }
	r.unsubscribe = func(filter string) error { return wait(client.Unsubscribe(filter)) }
	return r.open(t)
}

func readFlags(m fields, qos byte, retained, dup bool) {
	set(m, atMostOnce, qos == 0, false)
	set(m, exactlyOnce, qos == 2, false)
	set(m, retain, retained, false)
	if dup {
		m[deliveryCount] = uint32(1)
	}
}

func newMQTT5Receiver(t *testing.T, c *cell, qos byte) *mqttReceiver {
	r := c.newMQTTReceiver()
	conn, err := new(net.Dialer).DialContext(c.ctx, "tcp", c.doors["mqtt"])
	if err != nil {
		t.Fatal(err)
	}
	client := paho.NewClient(paho.ClientConfig{
		Conn: conn,
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
			r.arrive(readMQTT5(p.Packet))
			return true, nil
		}},
	})
	if _, err := client.Connect(c.ctx, &paho.Connect{CleanStart: true, KeepAlive: 30}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Disconnect(new(paho.Disconnect)) })
	r.subscribe = func(filter string) error {
		_, err := client.Subscribe(c.ctx, &paho.Subscribe{
			Subscriptions: []paho.SubscribeOptions{{Topic: filter, QoS: qos}},
			Properties:    &paho.SubscribeProperties{SubscriptionIdentifier: new(subscriptionNumber)},
		})
		return err
	}
	r.publish = func(topic string) error {
		_, err := client.Publish(context.WithoutCancel(c.ctx), &paho.Publish{Topic: topic, QoS: 1})
		return err
	}
	r.unsubscribe = func(filter string) error {
		_, err := client.Unsubscribe(c.ctx, &paho.Unsubscribe{Topics: []string{filter}})
		return err
	}
	return r.open(t)
}

// readMQTT5 is the way back.
func readMQTT5(p *paho.Publish) fields {
	m := fields{address: p.Topic}
	readFlags(m, p.QoS, p.Retain, p.Duplicate())
	body := dataBody
	if p.Properties.PayloadFormat != nil && *p.Properties.PayloadFormat == 1 {
		body = textBody
	}
	m[body] = string(p.Payload)
	kind := contentType
	for _, b := range []byte(p.Properties.ContentType) {
		if b >= 0x80 {
			kind = wideContentType
		}
	}
	set(m, kind, p.Properties.ContentType, "")
	set(m, replyTo, p.Properties.ResponseTopic, "")
	if p.Properties.CorrelationData != nil {
		m[correlationID] = p.Properties.CorrelationData
	}
	if p.Properties.SubscriptionIdentifier != nil {
		m[subscriptionID] = *p.Properties.SubscriptionIdentifier
	}
	if p.Properties.MessageExpiry != nil {
		m[ttl] = time.Duration(*p.Properties.MessageExpiry) * time.Second
	}
	for _, user := range p.Properties.User {
		m.addProperty(user.Key, user.Value)
	}
	return m
}

func (r *mqttReceiver) next() <-chan fields { return r.came }

func (r *mqttReceiver) settle() error {
	r.release <- struct{}{}
	sent := make(chan error, 1)
	go func() { sent <- r.publish(r.marker) }()
	select {
	case <-r.markers:
		return <-sent
	case <-r.ended:
		return errors.New("what a client sends to itself does not come")
	}
}

func (r *mqttReceiver) leave() error { return r.unsubscribe(r.address) }
