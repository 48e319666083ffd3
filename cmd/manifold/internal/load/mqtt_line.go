package load

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"
)

// mqttLine is one MQTT connection. A client library costs more CPU than the servers it would measure, so it is just a
// socket: packets are encoded once and found by their fixed header alone.
type mqttLine struct {
	conn   net.Conn
	reader *batchReader
}

// open connects and waits until the server has accepted the connection. A nil source lets the kernel choose.
func (l *mqttLine) open(ctx context.Context, address string, source net.Addr, connect []byte) (err error) {
	conn, err := dial(ctx, address, source)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			conn.Close()
		}
	}()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if _, err := conn.Write(connect); err != nil {
		return fmt.Errorf("connect: %w", broken(err))
	}
	// A CONNACK of MQTT 3.1.1 is four bytes, and a clean session hears nothing else before it subscribes.
	var connack [4]byte
	if _, err := io.ReadFull(conn, connack[:]); err != nil {
		return fmt.Errorf("connack: %w", broken(err))
	}
	f, err := nextPacket(connack[:], len(connack))
	if err != nil {
		return errNotMQTT
	}
	if err := f.connackError(); err != nil {
		return err
	}
	l.conn = conn
	return conn.SetDeadline(time.Time{})
}

// subscribe asks for filters, of which nothing has been published yet.
func (l *mqttLine) subscribe(qos int, filters ...string) error {
	const subackSize = 4 // and a byte for each filter
	suback, err := l.ask(appendSubscribe(nil, 1, qos, filters...), subackSize+len(filters))
	if err == nil {
		err = suback.subackError(filters, qos)
	}
	if err != nil {
		return fmt.Errorf("subscribe: %w", broken(err))
	}
	return nil
}

// ask sends a request and reads an answer whose size is known.
func (l *mqttLine) ask(request []byte, size int) (packet, error) {
	if err := l.conn.SetDeadline(time.Now().Add(handshakeTime)); err != nil {
		return packet{}, err
	}
	if _, err := l.conn.Write(request); err != nil {
		return packet{}, err
	}
	answer := make([]byte, size)
	if _, err := io.ReadFull(l.conn, answer); err != nil {
		return packet{}, err
	}
	if err := l.conn.SetDeadline(time.Time{}); err != nil {
		return packet{}, err
	}
	return nextPacket(answer, size)
}

// fill waits for bytes and hands each complete packet to each, in order. They are borrowed.
func (l *mqttLine) fill(each func(packet) error) error {
	p, err := l.reader.next()
	if err != nil {
		return err
	}
	at := 0
	for {
		f, err := nextPacket(p[at:], len(l.reader.buf))
		if err != nil {
			return err
		}
		if f.size == 0 {
			break
		}
		if err := each(f); err != nil {
			return err
		}
		at += f.size
	}
	if len(p) > 0 {
		l.reader.keep(p[at:])
	}
	return nil
}

// farewell implements line with a DISCONNECT.
func (l *mqttLine) farewell() {
	if l.conn != nil {
		_ = l.conn.SetWriteDeadline(time.Now().Add(farewellTime))
		_, _ = l.conn.Write(appendDisconnect(nil))
	}
}

// close implements line.
func (l *mqttLine) close() {
	if l.conn != nil {
		l.conn.Close()
	}
}
