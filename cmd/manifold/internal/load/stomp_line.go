package load

import (
	"cmp"
	"context"
	"net"
	"time"
)

// stompLine is one STOMP 1.2 connection, just a socket as an mqttLine is: frames are encoded once, and of what comes
// only the headers that matter are looked at.
type stompLine struct {
	conn   net.Conn
	reader *batchReader
}

// stompDoor is where a connection goes, and how it is read.
type stompDoor struct {
	address            string
	host               string // the virtual host
	username, password string
	source             net.Addr // nil lets the kernel choose
	buffer             int      // bytes that are read at once, and more than the longest frame has
	ahead              int      // bytes that may come before any of them is looked at
}

// open connects and waits until the server has let this client in.
func (l *stompLine) open(ctx context.Context, d stompDoor) error {
	conn, err := dial(ctx, d.address, d.source)
	if err != nil {
		return err
	}
	l.conn, l.reader = conn, newBatchReader(conn, d.buffer, d.ahead)
	return l.ask(ctx, appendSTOMPConnect(nil, d.host, d.username, d.password), commandConnected)
}

// ask writes frames and waits for an answer, before which nothing else may come.
func (l *stompLine) ask(ctx context.Context, request []byte, answer string) error {
	return l.handshake(ctx, func() error {
		if _, err := l.conn.Write(request); err != nil {
			return err
		}
		for answered := false; !answered; {
			err := l.fill(func(f stompFrame) error {
				if f.command != answer {
					return f.fault()
				}
				answered = true
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// handshake has do return in time and before ctx ends, or ends the connection.
func (l *stompLine) handshake(ctx context.Context, do func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, handshakeTime, errNoAnswer)
	defer cancel()
	defer context.AfterFunc(ctx, l.close)()
	if err := do(); err != nil {
		return cmp.Or(context.Cause(ctx), broken(err))
	}
	return l.conn.SetDeadline(time.Time{})
}

// fill waits for bytes and hands each complete frame to each, in order. They are borrowed.
func (l *stompLine) fill(each func(stompFrame) error) error {
	p, err := l.reader.next()
	if err != nil || len(p) == 0 {
		return err
	}
	at := 0
	for {
		f, err := nextSTOMPFrame(p[at:])
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
	if len(p)-at == len(l.reader.buf) {
		return errFrameTooLong
	}
	l.reader.keep(p[at:])
	return nil
}

// farewell implements line with a DISCONNECT.
func (l *stompLine) farewell() {
	if l.conn != nil {
		_ = l.conn.SetWriteDeadline(time.Now().Add(farewellTime))
		_, _ = l.conn.Write([]byte("DISCONNECT\n\n\x00"))
	}
}

// close implements line.
func (l *stompLine) close() {
	if l.conn != nil {
		l.conn.Close()
	}
}
