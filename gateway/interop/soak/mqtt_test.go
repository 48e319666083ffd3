//go:build interop

package soak

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// mqttLine is a connection on the codec of mochi-mqtt. It answers nothing by itself.
type mqttLine struct {
	version    byte // 4 is MQTT 3.1.1
	id         string
	persistent bool // the session goes on over connections
	known      bool // there is such a session already

	nc  net.Conn
	in  *bufio.Reader
	out bytes.Buffer // packets that wait for flush
}

func (l *mqttLine) dial(ctx context.Context, doors map[string]string) (err error) {
	if l.nc, err = new(net.Dialer).DialContext(ctx, "tcp", doors["mqtt"]); err != nil {
		return err
	}
	l.in = bufio.NewReaderSize(l.nc, 64<<10)
	l.out.Reset()
	l.put(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Connect},
		Connect:     packets.ConnectParams{ProtocolName: []byte("MQTT"), Clean: !l.persistent, ClientIdentifier: l.id},
		Properties:  packets.Properties{SessionExpiryInterval: 3600, SessionExpiryIntervalFlag: l.persistent},
	})
	if err := l.flush(); err != nil {
		return err
	}
	l.expect(true)
	p, err := l.read()
	switch {
	case err != nil:
		return err
	case p.FixedHeader.Type != packets.Connack || p.ReasonCode != 0:
		return fmt.Errorf("CONNECT is answered by packet type %d, code %#x", p.FixedHeader.Type, p.ReasonCode)
	case p.SessionPresent != l.known:
		return fmt.Errorf("the session is present: %t, want %t", p.SessionPresent, l.known)
	}
	l.known = l.persistent
	return nil
}

func (l *mqttLine) close() {
	if l.nc != nil {
		l.nc.Close()
	}
}

// encoders write the packets that a client sends.
var encoders = map[byte]func(*packets.Packet, *bytes.Buffer) error{
	packets.Connect:   (*packets.Packet).ConnectEncode,
	packets.Subscribe: (*packets.Packet).SubscribeEncode,
	packets.Publish:   (*packets.Packet).PublishEncode,
	packets.Puback:    (*packets.Packet).PubackEncode,
	packets.Pubrec:    (*packets.Packet).PubrecEncode,
	packets.Pubrel:    (*packets.Packet).PubrelEncode,
	packets.Pubcomp:   (*packets.Packet).PubcompEncode,
}

// decoders read the packets that a server sends.
var decoders = map[byte]func(*packets.Packet, []byte) error{
	packets.Connack:    (*packets.Packet).ConnackDecode,
	packets.Suback:     (*packets.Packet).SubackDecode,
	packets.Publish:    (*packets.Packet).PublishDecode,
	packets.Puback:     (*packets.Packet).PubackDecode,
	packets.Pubrec:     (*packets.Packet).PubrecDecode,
	packets.Pubrel:     (*packets.Packet).PubrelDecode,
	packets.Pubcomp:    (*packets.Packet).PubcompDecode,
	packets.Disconnect: (*packets.Packet).DisconnectDecode,
}

// put puts a packet behind what waits for flush.
func (l *mqttLine) put(p packets.Packet) {
	p.ProtocolVersion = l.version
	if err := encoders[p.FixedHeader.Type](&p, &l.out); err != nil {
		panic(err) // a packet that was made wrongly here
	}
}

// answer puts a packet that has nothing but a type and an id.
func (l *mqttLine) answer(kind byte, id uint16) {
	p := packets.Packet{FixedHeader: packets.FixedHeader{Type: kind}, PacketID: id}
	if kind == packets.Pubrel {
		p.FixedHeader.Qos = 1 // the flags that it has [MQTT-3.6.1-1]
	}
	l.put(p)
}

func (l *mqttLine) publish(topic string, qos byte, id uint16, dup bool, text []byte) {
	l.put(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: qos, Dup: dup},
		TopicName:   topic, PacketID: id, Payload: text,
	})
}

// flush writes what waits.
func (l *mqttLine) flush() error {
	defer l.out.Reset()
	l.nc.SetWriteDeadline(time.Now().Add(patience))
	_, err := l.nc.Write(l.out.Bytes())
	return err
}

// expect says that an answer is due, or that none is.
func (l *mqttLine) expect(answer bool) {
	var deadline time.Time
	if answer {
		deadline = time.Now().Add(patience)
	}
	l.nc.SetReadDeadline(deadline)
}

// read reads the next packet.
func (l *mqttLine) read() (packets.Packet, error) {
	p := packets.Packet{ProtocolVersion: l.version}
	first, err := l.in.ReadByte()
	if err != nil {
		return p, err
	}
	if err := p.FixedHeader.Decode(first); err != nil {
		return p, err
	}
	if p.FixedHeader.Remaining, _, err = packets.DecodeLength(l.in); err != nil {
		return p, err
	}
	body := make([]byte, p.FixedHeader.Remaining)
	if _, err = io.ReadFull(l.in, body); err != nil {
		return p, err
	}
	decode, ok := decoders[p.FixedHeader.Type]
	if !ok {
		return p, fmt.Errorf("a packet of type %d", p.FixedHeader.Type)
	}
	return p, decode(&p, body)
}

// next gives the packet id after another.
func next(id uint16) uint16 {
	if id == math.MaxUint16 {
		return 1
	}
	return id + 1
}
