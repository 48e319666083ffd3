package gateway

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/eclipse/paho.golang/paho"
	paho3 "github.com/eclipse/paho.mqtt.golang"
)

// mqttClient is a client of Eclipse Paho, of either version of the protocol.
type mqttClient interface {
	// publish waits for the PUBACK; its error says that there was none, or one that says no.
	publish(topic string, l letter, retain bool) error
	subscribe(filter string) error
	unsubscribe(filter string) error
	close()
}

// letter is a message of which only the payload matters, and for how long it lives.
type letter struct {
	payload []byte
	seconds int // until it expires, as MQTT 5 tells its receiver; 0 is never
}

// arrival is a letter and where it was sent to.
type arrival struct {
	letter
	address string
}

// dialMQTT connects a client until the test ends. What comes for it is given to arrive, one after the other, and
// acknowledged when arrive returns.
func dialMQTT(t *testing.T, protocol, address, user string, arrive func(arrival)) mqttClient {
	t.Helper()
	client, err := connectMQTT(t.Context(), protocol, address, user, arrive)
	if err != nil {
		t.Fatalf("%s: %v", protocol, err)
	}
	t.Cleanup(client.close)
	return client
}

func connectMQTT(ctx context.Context, protocol, address, user string, arrive func(arrival)) (mqttClient, error) {
	if protocol == mqtt3 {
		return connectMQTT3(address, user, arrive)
	}
	return connectMQTT5(ctx, address, user, arrive)
}

// mqtt3Client speaks MQTT 3.1.1.
type mqtt3Client struct{ client paho3.Client }

func connectMQTT3(address, user string, arrive func(arrival)) (mqttClient, error) {
	options := paho3.NewClientOptions().
		AddBroker("tcp://" + address).SetProtocolVersion(4).SetUsername(user).
		SetAutoReconnect(false).
		SetDefaultPublishHandler(func(_ paho3.Client, m paho3.Message) {
			arrive(arrival{letter{payload: m.Payload()}, m.Topic()})
		})
	client := paho3.NewClient(options)
	return mqtt3Client{client}, wait(client.Connect())
}

func wait(token paho3.Token) error {
	<-token.Done()
	return token.Error()
}

func (c mqtt3Client) publish(topic string, l letter, retain bool) error {
	return wait(c.client.Publish(topic, 1, retain, l.payload))
}

func (c mqtt3Client) subscribe(filter string) error {
	token := c.client.Subscribe(filter, 1, nil)
	if err := wait(token); err != nil {
		return err
	}
	if granted := token.(*paho3.SubscribeToken).Result()[filter]; granted != 1 {
		return errors.New("the subscription was refused")
	}
	return nil
}

func (c mqtt3Client) unsubscribe(filter string) error { return wait(c.client.Unsubscribe(filter)) }

func (c mqtt3Client) close() { c.client.Disconnect(0) }

// mqtt5Client speaks MQTT 5.
type mqtt5Client struct {
	ctx    context.Context
	client *paho.Client
}

func connectMQTT5(ctx context.Context, address, user string, arrive func(arrival)) (mqttClient, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	c := mqtt5Client{ctx, paho.NewClient(paho.ClientConfig{
		Conn: conn,
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
			l := letter{payload: p.Packet.Payload}
			if left := p.Packet.Properties.MessageExpiry; left != nil {
				l.seconds = int(*left)
			}
			arrive(arrival{l, p.Packet.Topic})
			return true, nil
		}},
	})}
	_, err = c.client.Connect(ctx, &paho.Connect{
		CleanStart: true, KeepAlive: 30, Username: user, UsernameFlag: user != "",
	})
	if err != nil {
		conn.Close()
	}
	return c, err
}

func (c mqtt5Client) publish(topic string, l letter, retain bool) error {
	answer, err := c.client.Publish(c.ctx, &paho.Publish{Topic: topic, QoS: 1, Retain: retain, Payload: l.payload})
	if err == nil && answer.ReasonCode != 0 {
		err = errors.New("nobody has subscribed")
	}
	return err
}

func (c mqtt5Client) subscribe(filter string) error {
	_, err := c.client.Subscribe(c.ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: filter, QoS: 1}}})
	return err
}

func (c mqtt5Client) unsubscribe(filter string) error {
	_, err := c.client.Unsubscribe(c.ctx, &paho.Unsubscribe{Topics: []string{filter}})
	return err
}

func (c mqtt5Client) close() { c.client.Disconnect(new(paho.Disconnect)) }
