package load

import (
	"bytes"
	"context"
	"errors"
	"net"
	"time"

	"github.com/plgd-dev/go-coap/v3/message/codes"
)

// coapIdler is an endpoint that observes one resource (RFC 7641), or with a DTLS session one that has sent one request.
type coapIdler struct {
	config IdleConfig
	number int
	source net.Addr
	port   *coapPort // in common with others; nil for a socket of its own
	conn   net.Conn  // a socket, a part of one, or a DTLS session over nomad
	nomad  *nomad    // nil without DTLS
}

var (
	_ idler  = (*coapIdler)(nil)
	_ hearer = (*coapIdler)(nil)
	_ mover  = (*coapIdler)(nil)
)

func (m *coapIdler) open(ctx context.Context, source net.Addr) (err error) {
	m.source = source
	method := codes.GET
	if m.config.Secure {
		method = codes.POST
	}
	if m.conn, err = m.dial(ctx, source); err != nil {
		return err
	}
	request := appendCoAPRequest(nil, method, m.config.topic(m.number), !m.config.Secure)
	stampCoAP(request, uint64(m.number))
	return askCoAP(ctx, m.conn, request, func(h coapHead, rest []byte) (bool, error) {
		if err := refusedCoAP(h, rest); err != nil || !m.isOurs(h) {
			return false, err
		}
		_, observed, err := coapPayload(rest)
		if err == nil && !observed && !m.config.Secure {
			err = errNotObserved
		}
		return true, err
	})
}

func (m *coapIdler) dial(ctx context.Context, source net.Addr) (conn net.Conn, err error) {
	switch {
	case m.config.Secure:
		conn, m.nomad, err = dialDTLS(ctx, m.config, source)
		return conn, err
	case m.port != nil:
		return m.port.open(ctx, m.config.Address, source)
	default:
		return dialUDP(ctx, m.config.Address, source)
	}
}

var errNotObserved = errors.New("the server does not let it be observed")

// newCoAPIdlers gives a fleet, not yet open. With several sources, as many endpoints share a port.
func newCoAPIdlers(c IdleConfig) []idler {
	all := make([]idler, c.Connections)
	var port *coapPort
	for i := range all {
		if c.Sources > 1 && !c.Secure && i%c.Sources == 0 {
			port = new(coapPort)
		}
		all[i] = &coapIdler{config: c, number: i, port: port}
	}
	return all
}

// isOurs tells whether a message answers the request, or is a notification.
func (m *coapIdler) isOurs(h coapHead) bool {
	return h.code != codes.Empty && h.known && h.token == uint32(m.number)
}

func (m *coapIdler) ping(ctx context.Context) error { return pingCoAP(ctx, m.conn) }

// beat implements idler; an observation needs no heartbeat.
func (m *coapIdler) beat() error { return nil }

// move implements mover.
func (m *coapIdler) move(ctx context.Context) error {
	if err := m.nomad.move(ctx, m.source); err != nil {
		return err
	}
	return m.ping(ctx)
}

// hear implements hearer: a notification for each message.
func (m *coapIdler) hear(want []byte, deadline time.Time) error {
	buffer, last := make([]byte, coapTooLong), -1
	return hearCoAP(m.conn, buffer, deadline, func(h coapHead, rest []byte) (bool, error) {
		if !m.isOurs(h) || int(h.id) == last { // what is not acknowledged soon comes again
			return false, nil
		}
		last = int(h.id)
		payload, _, err := coapPayload(rest)
		if err != nil {
			return false, err
		}
		if !bytes.HasPrefix(want, payload) || len(payload) == 0 {
			return false, errNotAsSent
		}
		want = want[len(payload):]
		return len(want) == 0, nil
	})
}

func (m *coapIdler) farewell() {}

func (m *coapIdler) close() {
	if m.conn != nil {
		m.conn.Close()
	}
}
