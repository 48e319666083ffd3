package load

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
)

// coapHerald publishes with requests that are not confirmable, each of them once the one before it is answered: so
// notifications need no acknowledgement either. What is heard is the payloads.
type coapHerald struct{ conn net.Conn }

func openCoAPHerald(ctx context.Context, c IdleConfig) (*coapHerald, error) {
	conn, err := dialUDP(ctx, c.Address, nil)
	if err != nil {
		return nil, err
	}
	return &coapHerald{conn: conn}, nil
}

func (h *coapHerald) publish(path string, n int) (want []byte, err error) {
	const size = 64 // bytes of a payload
	buffer := make([]byte, coapTooLong)
	for i := range n {
		request := appendCoAPRequest(nil, codes.POST, path, false)
		request[0] |= byte(message.NonConfirmable) << 4
		stampCoAP(request, uint64(i))
		payload := fmt.Appendf(nil, "%0*d", size, i)
		if _, err := h.conn.Write(append(append(request, coapMarker), payload...)); err != nil {
			return nil, err
		}
		want = append(want, payload...)
		err := hearCoAP(h.conn, buffer, time.Now().Add(handshakeTime), func(got coapHead, rest []byte) (bool, error) {
			return got.known && got.token == uint32(i), refusedCoAP(got, rest)
		})
		if err != nil {
			return nil, err
		}
	}
	return want, nil
}

func (h *coapHerald) farewell() {}

func (h *coapHerald) close() { h.conn.Close() }
