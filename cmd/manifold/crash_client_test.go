package main_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// errEnded says that a connection has come to its end.
var errEnded = errors.New("the connection has ended")

// client is an MQTT connection on the codec of another project. It acknowledges nothing by itself.
type client struct {
	nc      net.Conn
	in      *bufio.Reader
	out     bytes.Buffer // packets that wait for flush
	version byte
}

// dial connects with a clean session.
func dial(address string, version byte, id string) (*client, error) {
	nc, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, err
	}
	nc.SetDeadline(time.Now().Add(2 * patience))
	c := &client{nc: nc, in: bufio.NewReaderSize(nc, 64<<10), version: version}
	c.put(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Connect},
		Connect:     packets.ConnectParams{ProtocolName: []byte("MQTT"), Clean: true, ClientIdentifier: id},
	})
	if err := c.flush(); err != nil {
		return nil, err
	}
	answer, err := c.receive(packets.Connack)
	if err == nil && answer.ReasonCode != 0 {
		err = fmt.Errorf("CONNACK %#x", answer.ReasonCode)
	}
	return c, err
}

// subscribe subscribes with QoS 1 and leaves what follows SUBACK to be received.
func (c *client) subscribe(filter string) error {
	c.put(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 1,
		Filters: packets.Subscriptions{{Filter: filter, Qos: 1}},
	})
	if err := c.flush(); err != nil {
		return err
	}
	answer, err := c.receive(packets.Suback)
	if err == nil && !bytes.Equal(answer.ReasonCodes, []byte{1}) {
		err = fmt.Errorf("SUBACK %#x", answer.ReasonCodes)
	}
	return err
}

// publish puts a QoS 1 publish behind what waits for flush.
func (c *client) publish(topic string, id uint16, payload []byte) {
	c.put(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1},
		TopicName:   topic, Payload: payload, PacketID: id,
	})
}

// acknowledge puts a PUBACK behind what waits for flush.
func (c *client) acknowledge(id uint16) {
	c.put(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: id})
}

func (c *client) put(p packets.Packet) {
	p.ProtocolVersion = c.version
	var err error
	switch p.FixedHeader.Type {
	case packets.Connect:
		err = p.ConnectEncode(&c.out)
	case packets.Publish:
		err = p.PublishEncode(&c.out)
	case packets.Puback:
		err = p.PubackEncode(&c.out)
	case packets.Subscribe:
		err = p.SubscribeEncode(&c.out)
	}
	if err != nil {
		panic(err) // a packet that the test made wrongly
	}
}

// flush writes what waits.
func (c *client) flush() error {
	defer c.out.Reset()
	if _, err := c.nc.Write(c.out.Bytes()); err != nil {
		return fmt.Errorf("%w: %w", errEnded, err)
	}
	return nil
}

// idle tells that receive would have to wait for the network.
func (c *client) idle() bool { return c.in.Buffered() == 0 }

// receive reads the next packet, which must be of a type.
func (c *client) receive(kind byte) (packets.Packet, error) {
	p := packets.Packet{ProtocolVersion: c.version}
	body, err := c.read(&p.FixedHeader)
	if err != nil {
		return p, fmt.Errorf("%w: %w", errEnded, err)
	}
	if p.FixedHeader.Type != kind {
		return p, fmt.Errorf("packet type %d, want %d", p.FixedHeader.Type, kind)
	}
	switch kind {
	case packets.Connack:
		err = p.ConnackDecode(body)
	case packets.Publish:
		err = p.PublishDecode(body)
	case packets.Puback:
		err = p.PubackDecode(body)
	case packets.Suback:
		err = p.SubackDecode(body)
	}
	return p, err
}

// read reads a packet as it stands.
func (c *client) read(h *packets.FixedHeader) (body []byte, err error) {
	first, err := c.in.ReadByte()
	if err != nil {
		return nil, err
	}
	if err := h.Decode(first); err != nil {
		return nil, err
	}
	if h.Remaining, _, err = packets.DecodeLength(c.in); err != nil {
		return nil, err
	}
	body = make([]byte, h.Remaining)
	_, err = io.ReadFull(c.in, body)
	return body, err
}
