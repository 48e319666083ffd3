//go:build interop

package interop

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
)

// TestMutatedMessagesHarmNobody has clients send what was CoAP over UDP, DTLS, TCP or WebSocket before it was damaged.
func TestMutatedMessagesHarmNobody(t *testing.T) {
	g := startMutated(t)
	udp, tcp, secure, web := g.doors["coap"], g.doors["coap+tcp"], g.doors["coaps"], g.doors["http"]
	plain := func() (net.Conn, error) { return net.Dial("udp", udp) }
	g.harmsNobody(t, []way{
		{"datagrams", func(m mutator) error { return coapMutator{m}.datagrams(udp) }},
		{"records of DTLS", func(m mutator) error { return coapMutator{m}.records(secure) }},
		{"handshakes of DTLS", func(m mutator) error { return coapMutator{m}.handshake(secure) }},
		{"messages over TCP", func(m mutator) error { return m.pour(tcp, coapMutator{m}.conversation()) }},
		{"messages over WebSocket", func(m mutator) error {
			hello := webSocketHello("/.well-known/coap", "coap")
			return m.pour(web, m.spoil(hello, m.some(8, coapMutator{m}.webSocketMessage)))
		}},
	}, map[string]func() (pair, error){
		"through a queue over UDP": func() (pair, error) { return openCoAPPair(plain, "undisturbed/udp", false) },
		"to an observer over UDP":  func() (pair, error) { return openCoAPPair(plain, "telemetry/undisturbed/udp", true) },
		"through a queue over DTLS": func() (pair, error) {
			return openCoAPPair(func() (net.Conn, error) {
				return dialDTLS(t.Context(), secure, nil)
			}, "undisturbed/dtls", false)
		},
		"to an observer over TCP": func() (pair, error) {
			return openCoAPPair(func() (net.Conn, error) { return net.Dial("tcp", tcp) }, "telemetry/undisturbed/tcp", true)
		},
	})
}

// dialDTLS makes a session as sensor1, over a socket of its own, or over what is made of that.
func dialDTLS(ctx context.Context, address string, over func(net.PacketConn) net.PacketConn) (net.Conn, error) {
	to, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, err
	}
	var socket net.PacketConn
	if socket, err = net.ListenUDP("udp", nil); err != nil {
		return nil, err
	}
	if over != nil {
		socket = over(socket)
	}
	conn, err := dtls.ClientWithOptions(socket, to,
		dtls.WithPSK(func([]byte) ([]byte, error) { return []byte(coapKey), nil }),
		dtls.WithPSKIdentityHint([]byte("sensor1")),
		dtls.WithCipherSuites(dtls.TLS_PSK_WITH_AES_128_CCM_8),
		dtls.WithConnectionIDGenerator(dtls.OnlySendCIDGenerator()))
	if err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// coapMutator makes messages, most of them valid.
type coapMutator struct{ mutator }

// message is one of all that a client may send.
func (m coapMutator) message() message.Message {
	path := pick(m.mutator, "a/telemetry/mutated", "a/telemetry/#", "a/jobs", "a/commands/a", "a/alerts", "a/nowhere", "q/jobs/head",
		"l/AAAAAAAAAAAAAAAAAAAAAA", "l/AAAAAAAAAAAAAAAAAAAAAA/reject", "ps", "ps/conf/x", "ps/data/x", ".well-known/core", "t/default/a",
		"e//a", "cr/default/a/1", "a/telemetry/mutated::mine")
	kind := message.Type(pick(m.mutator, message.Confirmable, message.NonConfirmable, message.Acknowledgement, message.Reset))
	all := message.Message{
		Code: codes.Code(1 + m.IntN(7)), Type: kind, MessageID: int32(m.IntN(20)), Token: m.noise(4)[:m.IntN(4)],
		Options: coapOptions(path), Payload: pick(m.mutator, nil, []byte("mutated"), make([]byte, 16), m.noise(1024)),
	}
	if m.IntN(10) == 0 {
		all.Code = codes.Code(m.IntN(256)) // an answer, a signal, or nothing
	}
	for range m.IntN(4) {
		all.Options = all.Options.Add(m.option())
	}
	return all
}

// noise gives that many bytes.
func (m coapMutator) noise(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(m.Uint32())
	}
	return p
}

// option is one of all that there are, and of some that there are not, with a value that may suit it.
func (m coapMutator) option() message.Option {
	const (
		hopLimit, echo, noResponse, requestTag = 16, 252, 258, 292
		elective, critical                     = 65000, 65001
	)
	id := pick[message.OptionID](m.mutator, message.URIHost, message.URIPort, message.URIQuery, message.URIQuery, message.ContentFormat,
		message.Accept, message.MaxAge, message.ETag, message.IfMatch, message.IfNoneMatch, message.Observe, message.Observe,
		message.Block1, message.Block1, message.Block2, message.Block2, message.Size1, message.Size2, message.ProxyURI,
		message.LocationPath, hopLimit, echo, noResponse, requestTag, elective, critical)
	switch id {
	case message.URIQuery:
		return message.Option{ID: id, Value: []byte(pick(m.mutator, "timeout=0", "lock=1", "selector=a = 'b'", "retain=true", "ttl=1", "delay=0.1",
			"hono-ttd=0", "rt=core*", "property=a=b", "bogus=1"))}
	case message.Block1, message.Block2: // a number, whether there is more, and a size
		value := byte(m.IntN(4)<<4 | m.IntN(2)<<3 | pick(m.mutator, 0, 0, 2, 6, 7))
		return message.Option{ID: id, Value: append(make([]byte, m.IntN(2)), value)}
	case message.Observe:
		return message.Option{ID: id, Value: pick(m.mutator, nil, []byte{1}, []byte{7})}
	}
	return message.Option{ID: id, Value: m.noise(m.IntN(6))}
}

// encode writes a message for UDP or TCP.
func (m coapMutator) encode(all message.Message, reliable bool) []byte {
	text, err := encodeCoAP(all, reliable)
	if err != nil {
		return m.noise(m.IntN(20))
	}
	return text
}

// datagram is a message over UDP, every other one damaged.
func (m coapMutator) datagram() []byte {
	text := m.encode(m.message(), false)
	if m.IntN(2) == 0 {
		return text
	}
	return m.damage(text)
}

// datagrams sends a few from one of many addresses, so that some of them speak of what others have begun, and answers what comes
// as none, one or another kind of client would.
func (m coapMutator) datagrams(address string) error {
	from := &net.UDPAddr{IP: net.IPv4(127, 0, byte(m.IntN(3)), byte(1+m.IntN(100)))}
	nc, err := (&net.Dialer{LocalAddr: from}).Dial("udp", address)
	if err != nil {
		return err
	}
	defer nc.Close()
	for range 1 + m.IntN(12) {
		nc.Write(m.datagram()) // an error is of a datagram before
	}
	answer := pick(m.mutator, message.Acknowledgement, message.Reset, message.NonConfirmable)
	for buffer := make([]byte, 2048); ; {
		// What has not come by then is not waited for: the client has gone.
		if err := nc.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
			return err
		}
		n, err := nc.Read(buffer)
		if err != nil {
			return nil
		}
		if n >= 4 && answer != message.NonConfirmable {
			nc.Write([]byte{1<<6 | byte(answer)<<4, 0, buffer[2], buffer[3]})
		}
	}
}

// records sends what looks like records of DTLS (RFC 6347 section 4.1, RFC 9146 section 4), of which most are none.
func (m coapMutator) records(address string) error {
	nc, err := net.Dial("udp", address)
	if err != nil {
		return err
	}
	defer nc.Close()
	for range 1 + m.IntN(12) {
		// A ClientHello without a cookie, of a suite with a pre-shared key.
		body := append([]byte("\x01\x00\x00\x2d\x00\x00\x00\x00\x00\x00\x00\x2d\xfe\xfd"), m.noise(32)...)
		body = append(body, "\x00\x00\x00\x02\xc0\xa8\x01\x00"...)
		if m.IntN(3) == 0 {
			body = m.noise(m.IntN(100))
		}
		record := []byte{byte(20 + m.IntN(7)), 0xFE, pick[byte](m.mutator, 0xFD, 0xFF), 0, byte(m.IntN(3)), 0, 0, 0, 0, 0, byte(m.IntN(4))}
		record = append(append(record, byte(len(body)>>8), byte(len(body))), body...)
		if m.IntN(2) == 0 {
			record = m.damage(record)
		}
		nc.Write(record) // an error is of a datagram before
	}
	return nil
}

// handshake makes a session of DTLS over a network that damages, drops and doubles, and sends a few messages in it.
func (m coapMutator) handshake(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	nc, err := dialDTLS(ctx, address, func(socket net.PacketConn) net.PacketConn {
		return &lossySocket{PacketConn: socket, m: m.mutator}
	})
	if err != nil {
		return nil // as it has to be expected
	}
	defer nc.Close()
	for range m.IntN(8) {
		if _, err := nc.Write(m.datagram()); err != nil {
			return nil
		}
	}
	return nil
}

// lossySocket is a socket that damages, drops or doubles one datagram in eight.
type lossySocket struct {
	net.PacketConn

	mu sync.Mutex // guards what is below
	m  mutator
}

// WriteTo implements net.PacketConn.
func (s *lossySocket) WriteTo(p []byte, to net.Addr) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := bytes.Clone(p)
	switch s.m.IntN(24) {
	case 0:
		text = s.m.damage(text)
	case 1:
		return len(p), nil
	case 2:
		s.PacketConn.WriteTo(text, to)
	}
	_, err := s.PacketConn.WriteTo(text, to)
	return len(p), err
}

// conversation is a greeting and a few messages over TCP, with damage in them.
func (m coapMutator) conversation() []byte {
	hello := m.encode(message.Message{Code: codes.CSM}, true)
	return m.spoil(hello, m.some(8, func() []byte { return m.encode(m.message(), true) }))
}

// webSocketMessage is a message whose length the WebSocket tells (RFC 8323 section 4.2), every fourth one damaged.
func (m coapMutator) webSocketMessage() []byte {
	all := m.message()
	if m.IntN(4) == 0 {
		all = message.Message{Code: codes.CSM}
	}
	text := m.encode(all, false)
	if len(text) >= 4 { // the message id goes, and the length is none
		text = append([]byte{text[0] & 0x0F, text[1]}, text[4:]...)
	}
	if m.IntN(4) == 0 {
		text = m.damage(text)
	}
	const binaryFrame = 2
	return appendWebSocketFrame(nil, binaryFrame, true, text)
}
