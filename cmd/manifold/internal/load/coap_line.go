package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
)

// coapAckTimeout is how long an answer is waited for before the message is sent again, at first (RFC 7252 section 4.8).
const coapAckTimeout = 2 * time.Second

// dialUDP opens a socket that talks with one address. A nil source lets the kernel choose.
func dialUDP(ctx context.Context, address string, source net.Addr) (*net.UDPConn, error) {
	dialer := net.Dialer{Timeout: handshakeTime}
	if from, ok := source.(*net.TCPAddr); ok {
		dialer.LocalAddr = &net.UDPAddr{IP: from.IP}
	}
	conn, err := dialer.DialContext(ctx, "udp", address)
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil
}

// pingCoAP asks for a sign of life (RFC 7252 section 4.3).
func pingCoAP(ctx context.Context, conn net.Conn) error {
	id := uint16(rand.Uint32())
	return askCoAP(ctx, conn, appendCoAPEmpty(nil, message.Confirmable, id), func(h coapHead, _ []byte) (bool, error) {
		return h.kind == message.Reset && h.id == id, nil
	})
}

// askCoAP sends a confirmable message until its answer comes, which is what answers says so of. What is confirmable is
// acknowledged.
func askCoAP(ctx context.Context, conn net.Conn, request []byte, answers func(h coapHead, rest []byte) (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, handshakeTime, errNoAnswer)
	defer cancel()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	buffer, absent := make([]byte, coapTooLong), time.Now().Add(coapAckTimeout)
	for wait := coapAckTimeout; ; {
		if _, err := conn.Write(request); err != nil {
			return cmp.Or(context.Cause(ctx), err)
		}
		err := hearCoAP(conn, buffer, time.Now().Add(wait), answers)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			wait *= 2
		case errors.Is(err, syscall.ECONNREFUSED) && time.Now().Before(absent): // it is only about to open its socket
			if err := pause(ctx, coapAckTimeout/100); err != nil {
				return err
			}
		default:
			return cmp.Or(context.Cause(ctx), err)
		}
	}
}

// hearCoAP reads until a message has come that is the last one, as last says, and acknowledges what is confirmable.
func hearCoAP(conn net.Conn, buffer []byte, deadline time.Time, last func(h coapHead, rest []byte) (bool, error)) error {
	if err := conn.SetReadDeadline(deadline); err != nil {
		return err
	}
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return err
		}
		h, rest, err := readCoAP(buffer[:n])
		if err != nil {
			return err
		}
		if h.kind == message.Confirmable {
			if err := confirmCoAP(conn, h); err != nil {
				return err
			}
		}
		if done, err := last(h, rest); done || err != nil {
			return cmp.Or(err, conn.SetReadDeadline(time.Time{}))
		}
	}
}

// confirmCoAP answers a confirmable message: a ping with a Reset, others with an acknowledgement (RFC 7252 sections 4.2 and
// 4.3).
func confirmCoAP(conn net.Conn, h coapHead) error {
	kind := message.Acknowledgement
	if h.code == codes.Empty {
		kind = message.Reset
	}
	_, err := conn.Write(appendCoAPEmpty(nil, kind, h.id))
	return err
}

// refusedCoAP is the error of an answer that is none of success.
func refusedCoAP(h coapHead, rest []byte) error {
	if h.isSuccess() || h.code == codes.Empty {
		return nil
	}
	text, _, _ := coapPayload(rest)
	return fmt.Errorf("the server answered %v %s", h.code, text)
}
