package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"golang.org/x/sync/errgroup"
)

const (
	askedAtOnce = 64          // clients of a crowd, at most
	answerTime  = time.Minute // for a client to get what is due to it
)

// crowd is many MQTT 5 clients of one server, each with a connection of its own. No goroutine is theirs.
type crowd []*mqttClient

// mqttClient is used by one goroutine at a time.
type mqttClient struct{ conn net.Conn }

// gather connects n clients. With an error it gives those that are connected.
func gather(ctx context.Context, address string, n int) (crowd, error) {
	c := make(crowd, n)
	return c, c.each(ctx, func(i int) (err error) {
		source := &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+i/portsOfAddress))}
		c[i], err = connectMQTT(ctx, address, source, fmt.Sprint("crowd-", i))
		return err
	})
}

// subscribe has client i subscribe to topic(i).
func (c crowd) subscribe(ctx context.Context, topic func(i int) string) error {
	return c.each(ctx, func(i int) error { return c[i].subscribe(topic(i)) })
}

// hear has client i hear one message to topic(i), and before it nothing else.
func (c crowd) hear(ctx context.Context, topic func(i int) string) error {
	return c.each(ctx, func(i int) error {
		got, err := await[*packets.Publish](c[i])
		if err == nil && got.Topic != topic(i) {
			err = fmt.Errorf("a message to %s came in place of one to %s", got.Topic, topic(i))
		}
		return err
	})
}

// each asks all clients, several at a time, and gives the first error.
func (c crowd) each(ctx context.Context, ask func(i int) error) error {
	asked, going := errgroup.WithContext(ctx)
	asked.SetLimit(askedAtOnce)
	for i := 0; i < len(c) && going.Err() == nil; i++ {
		asked.Go(func() error {
			if err := ask(i); err != nil {
				return fmt.Errorf("client %d: %w", i, err)
			}
			return nil
		})
	}
	return cmp.Or(asked.Wait(), context.Cause(ctx))
}

// leave closes all connections.
func (c crowd) leave() {
	for _, one := range c {
		if one != nil {
			one.conn.Close()
		}
	}
}

// connectMQTT opens a connection that is silent when nothing is sent on it.
func connectMQTT(ctx context.Context, address string, source net.Addr, id string) (*mqttClient, error) {
	dialer := net.Dialer{LocalAddr: source, Timeout: answerTime}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	c := &mqttClient{conn: conn}
	err = c.say(&packets.Connect{ProtocolName: "MQTT", ProtocolVersion: 5, ClientID: id, CleanStart: true, Properties: &packets.Properties{}})
	if err != nil {
		return c, err
	}
	answer, err := await[*packets.Connack](c)
	if err == nil && answer.ReasonCode != packets.ConnackSuccess {
		err = fmt.Errorf("not let in: %s", answer.Reason())
	}
	return c, err
}

func (c *mqttClient) subscribe(topic string) error {
	err := c.say(&packets.Subscribe{PacketID: 1, Properties: &packets.Properties{}, Subscriptions: []packets.SubOptions{{Topic: topic}}})
	if err != nil {
		return err
	}
	answer, err := await[*packets.Suback](c)
	if err == nil && (len(answer.Reasons) != 1 || answer.Reasons[0] >= packets.SubackUnspecifiederror) {
		err = fmt.Errorf("may not subscribe to %s: reasons %x", topic, answer.Reasons)
	}
	return err
}

// publish sends a message and tells whether it had a subscriber that the server knew of.
func (c *mqttClient) publish(topic, payload string) (heard bool, err error) {
	err = c.say(&packets.Publish{Topic: topic, Payload: []byte(payload), QoS: 1, PacketID: 1, Properties: &packets.Properties{}})
	if err != nil {
		return false, err
	}
	answer, err := await[*packets.Puback](c)
	switch {
	case err != nil:
		return false, err
	case answer.ReasonCode == packets.PubackNoMatchingSubscribers:
		return false, nil
	case answer.ReasonCode != packets.PubackSuccess:
		return false, fmt.Errorf("may not publish to %s: %s", topic, answer.Reason())
	}
	return true, nil
}

// say sends a packet. What comes next is due within answerTime.
func (c *mqttClient) say(p packets.Packet) error {
	if err := c.conn.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return err
	}
	_, err := p.WriteTo(c.conn)
	return err
}

// await gives the next packet, which has to be a P.
func await[P packets.Packet](c *mqttClient) (P, error) {
	var none P
	if err := c.conn.SetReadDeadline(time.Now().Add(answerTime)); err != nil {
		return none, err
	}
	p, err := packets.ReadPacket(c.conn)
	if err != nil {
		return none, err
	}
	content, ok := p.Content.(P)
	if !ok {
		return none, fmt.Errorf("%s came in place of %T", p.PacketType(), none)
	}
	return content, nil
}
