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
