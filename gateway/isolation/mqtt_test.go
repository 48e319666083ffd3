package isolation

import (
	"bytes"
	"io"
	"net"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

func mqttParty(name string, version byte) party {
	connect := func(v *visit) *mqttConn { return v.mqtt(version, "", true, "") }
	return party{name, []deed{
		{"subscribe", func(v *visit) func() {
			c := connect(v)
			c.subscribe(v.name)
			return c.roundTrip
		}, "telemetry/#"},
		{"shared subscription", func(v *visit) func() {
			c := connect(v)
			c.subscribe("$share/g/" + v.name)
			return c.roundTrip
		}, "telemetry/#"},
		{"session of the client id", func(v *visit) func() {
			return v.mqtt(version, v.name, false, "").roundTrip
		}, "device-1"},
		{"publish", func(v *visit) func() {
			connect(v).publish(v.name, false)
			return nil
		}, "telemetry/x"},
		{"publish retained", func(v *visit) func() {
			connect(v).publish(v.name, true)
			return nil
		}, "telemetry/x"},
		{"will", func(v *visit) func() {
			v.mqtt(version, "", true, v.name)
			v.leave() // without a DISCONNECT
			v.mqtt(version, "", true, "").roundTrip()
			return nil
		}, "telemetry/x"},
	}}
}

// mqttConn is a client of MQTT that checks nothing.
type mqttConn struct {
	net.Conn
	v       *visit
	tap     *tap // the visit's
	version byte
}

// mqtt connects. A will has the name of its topic.
func (v *visit) mqtt(version byte, id string, clean bool, will string) *mqttConn {
	conn := v.dial("tcp", "mqtt")
	c := &mqttConn{conn, v, v.tap, version}
	user := v.seat.user
	p := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Connect}, ProtocolVersion: version,
		Connect: packets.ConnectParams{
			ProtocolName: []byte("MQTT"), ClientIdentifier: id, Clean: clean, Keepalive: 60,
			Username: []byte(user), UsernameFlag: user != "",
			Password: []byte(v.seat.password), PasswordFlag: user != "",
		},
	}
	if !clean && version == 5 {
		p.Properties.SessionExpiryInterval, p.Properties.SessionExpiryIntervalFlag = 3600, true
	}
	if will != "" {
		p.Connect.WillFlag, p.Connect.WillTopic, p.Connect.WillPayload = true, will, []byte(v.mark())
		p.Connect.WillQos = 1
	}
	c.send(p.ConnectEncode)
	c.await(packets.Connack)
	return c
}

func (c *mqttConn) send(encode func(*bytes.Buffer) error) {
	var b bytes.Buffer
	if encode(&b) == nil {
		c.Write(b.Bytes())
	}
}

func (c *mqttConn) subscribe(filter string) {
	p := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, ProtocolVersion: c.version, PacketID: 1,
		Filters: packets.Subscriptions{{Filter: filter, Qos: 1}},
	}
	c.send(p.SubscribeEncode)
	c.await(packets.Suback)
}

func (c *mqttConn) publish(topic string, retain bool) {
	p := packets.Packet{
		FixedHeader:     packets.FixedHeader{Type: packets.Publish, Qos: 1, Retain: retain},
		ProtocolVersion: c.version, PacketID: 2, TopicName: topic, Payload: []byte(c.v.mark()),
	}
	c.send(p.PublishEncode)
	c.SetReadDeadline(time.Now().Add(silence))
	c.await(packets.Puback)
}

// roundTrip is two pings: what was in the conn's mailbox goes out between the first and the second answer at the latest.
func (c *mqttConn) roundTrip() {
	for range 2 {
		p := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}}
		c.send(p.PingreqEncode)
		c.await(packets.Pingresp)
	}
}

// await reads until a packet of a type has come, or the connection has ended. It acknowledges what comes with QoS 1.
func (c *mqttConn) await(kind byte) {
	for {
		var first [1]byte
		if _, err := io.ReadFull(c, first[:]); err != nil {
			return
		}
		length, shift := 0, 0
		for {
			var b [1]byte
			if _, err := io.ReadFull(c, b[:]); err != nil {
				return
			}
			length |= int(b[0]&0x7f) << shift
			shift += 7
			if b[0] < 0x80 {
				break
			}
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(c, body); err != nil {
			return
		}
		got := first[0] >> 4
		if got == packets.Publish && first[0]&0x06 == 0x02 {
			c.acknowledge(body)
		}
		if got == kind {
			return
		}
	}
}

func (c *mqttConn) acknowledge(publish []byte) {
	at := 2 + int(publish[0])<<8 + int(publish[1])
	p := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Puback}, ProtocolVersion: c.version,
		PacketID: uint16(publish[at])<<8 | uint16(publish[at+1]),
	}
	c.send(p.PubackEncode)
}
