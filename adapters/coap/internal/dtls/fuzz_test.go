package dtls

import (
	"crypto/tls"
	"net/netip"
	"testing"
	"time"
)

// FuzzMessages has a client that has proven its address say anything in place of one message of its handshake, in each turn,
// also encrypted. Nobody is let in for that, and the next client is served.
func FuzzMessages(f *testing.F) {
	certificate := selfSigned(f)
	for turn := range byte(turns) {
		f.Add(turn, kindHandshake, []byte{})
		f.Add(turn, kindAlert, []byte{levelWarning, closeNotify})
		f.Add(turn, kindHandshake, appendMessage(nil, typeFinished, 3, make([]byte, 12)))
	}
	f.Add(byte(turnHello), byte(0), withID())
	f.Add(byte(turnCertificate), byte(0), certificateMessage(certificate))
	f.Add(byte(turnKey), byte(0), []byte("\x00\x06device"))
	f.Add(byte(turnSignature), byte(0), []byte{4, 3, 0, 2, 0x30, 0})
	f.Fuzz(func(t *testing.T, turn, kind byte, content []byte) {
		if len(content) > 10_000 {
			return
		}
		s, server := &stage{}, trusting(t, certificate)
		server.config.PSK = func(string) ([]byte, bool) { return []byte("secret"), true }
		p := newPuppet(t, server, s)
		p.misbehave(certificate, turn, kind, content)
		if len(s.opened) > 0 && turn%turns != turnOpen {
			t.Fatal("the client was let in")
		}
		next := newPuppet(t, server, s)
		next.from = netip.AddrPortFrom(client.Addr(), 2)
		next.open(nil)
		next.say("hello")
		if len(s.received) == 0 || s.received[len(s.received)-1] != "hello" {
			t.Fatalf("the next client is not served: %q", s.received)
		}
		for at := server.Deadline(); !at.IsZero(); at = server.Deadline() {
			server.Advance(at.Add(time.Second), s)
		}
	})
}

// The turns in which a client may misbehave.
const (
	turnHello = iota
	turnCertificate
	turnKey
	turnPoint
	turnSignature
	turnFinished
	turnOpen
	turns
)

func (p *puppet) misbehave(certificate *tls.Certificate, turn, kind byte, content []byte) {
	const withCertificate = 0xC02B
	switch turn % turns {
	case turnHello:
		p.suite.id = withCertificate
		if flight := p.send(typeClientHello, p.hello(nil, content)); len(flight) > 0 {
			request := flight[0][recordHeader+messageHeader:]
			p.send(typeClientHello, p.hello(request[3:3+request[2]], content))
		}
	case turnCertificate:
		p.greet(withCertificate, []byte{})
		p.send(typeCertificate, content)
	case turnKey:
		p.greet(pskCCM8, nil)
		p.send(typeClientKeyExchange, content)
	case turnPoint:
		p.greet(withCertificate, []byte{})
		p.send(typeCertificate, []byte{0, 0, 0})
		p.send(typeClientKeyExchange, content)
	case turnSignature:
		p.greet(withCertificate, []byte{})
		p.show(certificate)
		p.exchange("")
		p.send(typeCertificateVerify, content)
	case turnFinished:
		p.greet(pskCCM8, withID())
		p.exchange("secret")
		p.receive(p.seal(kind, content))
	case turnOpen:
		p.open(nil)
		p.receive(p.seal(kind, content))
	}
}
