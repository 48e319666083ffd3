package dtls

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/tls"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/dtls/v3/pkg/crypto/prf"
	"golang.org/x/crypto/cryptobyte"
)

// puppet is a client whose strings a test holds: each step of a handshake can be left out, repeated or done wrongly.
type puppet struct {
	t      testing.TB
	server *Server
	stage  *stage
	from   netip.AddrPort
	now    time.Time

	identity     string
	withhold     bool // messages that are not encrypted: the test sends them
	suite        suite
	random       [32]byte
	serverRandom [32]byte
	theirPoint   []byte // of the server, for ECDHE
	transcript   []byte
	message      uint16 // number of the next one
	records      uint64 // numbers of those that are not encrypted
	master       []byte
	in, out      protection
	sequence     uint64 // of the next encrypted record
	id           []byte // what the server wants in it; empty for nothing
}

// stage is what a server tells.
type stage struct {
	outbox
	opened   []*Session
	received []string
	ended    []*Session
}

func (s *stage) Opened(_ time.Time, p *Session) { s.opened = append(s.opened, p) }
func (s *stage) Ended(_ time.Time, p *Session)  { s.ended = append(s.ended, p) }
func (s *stage) Received(_ time.Time, _ *Session, message []byte) {
	s.received = append(s.received, string(message))
}

// take gives what was sent since the last time.
func (s *stage) take() (datagrams [][]byte) {
	datagrams, s.datagrams = s.datagrams, nil
	return datagrams
}

// newPuppet makes a client of a server, which sends its flights in one datagram.
func newPuppet(t testing.TB, server *Server, s *stage) *puppet {
	server.config.Limits.MaxDatagram = 1 << 14
	p := &puppet{t: t, server: server, stage: s, from: client, identity: "device", now: time.Unix(1_800_000_000, 0)}
	rand.Read(p.random[:])
	return p
}

// onlyKeys is a server whose clients all have the key "secret".
func onlyKeys() *Server {
	return NewServer(Config{PSK: func(string) ([]byte, bool) { return []byte("secret"), true }, Limits: DefaultLimits()})
}

// hello makes the body of a ClientHello with extensions.
func (p *puppet) hello(cookie, extensions []byte) []byte {
	body := hello(cookie, p.suite.id)
	copy(body[2:], p.random[:])
	if extensions == nil {
		return body
	}
	var b cryptobyte.Builder
	b.AddBytes(body)
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(extensions) })
	return b.BytesOrPanic()
}

// extension makes an extension.
func extension(kind uint16, value ...byte) []byte {
	var b cryptobyte.Builder
	b.AddUint16(kind)
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(value) })
	return b.BytesOrPanic()
}

// send sends a handshake message that is not encrypted, and gives what comes.
func (p *puppet) send(kind byte, body []byte) [][]byte {
	message := appendMessage(nil, kind, p.message, body)
	p.transcript = append(p.transcript, message...)
	p.message++
	if p.withhold {
		return nil
	}
	return p.plain(kindHandshake, message)
}

// plain sends a record that is not encrypted, and gives what comes.
func (p *puppet) plain(kind byte, body []byte) [][]byte {
	p.server.Receive(p.now, p.from, appendRecord(nil, kind, version12, p.records, body), p.stage)
	p.records++
	return p.stage.take()
}

// greet begins a handshake with a cipher suite and gives the messages of the server.
func (p *puppet) greet(id uint16, extensions []byte) (messages []fragment) {
	p.t.Helper()
	for _, p.suite = range suites() {
		if p.suite.id == id {
			break
		}
	}
	flight := p.send(typeClientHello, p.hello(nil, extensions))
	if len(flight) != 1 {
		p.t.Fatalf("the first hello is answered by %x", flight)
	}
	request := flight[0][recordHeader+messageHeader:]
	p.transcript = nil
	flight = p.send(typeClientHello, p.hello(request[3:3+request[2]], extensions))
	if len(flight) != 1 {
		p.t.Fatalf("the hello with a cookie is answered by %x", flight)
	}
	for rest := flight[0]; len(rest) > 0; {
		r, after, ok := nextRecord(rest)
		f, more, isMessage := nextFragment(r.body)
		if !ok || r.kind != kindHandshake || !isMessage || len(more) > 0 {
			p.t.Fatalf("the hello with a cookie is answered by %x", flight)
		}
		p.transcript = append(p.transcript, r.body...)
		p.hear(f)
		messages, rest = append(messages, f), after
	}
	return messages
}

// hear takes what is needed of a message of the server.
func (p *puppet) hear(f fragment) {
	switch f.kind {
	case typeServerHello:
		copy(p.serverRandom[:], f.body[2:])
		if at := len(f.body) - len(connectionID{}); at > 42 && p.offersID(f.body) {
			p.id = f.body[at:]
		}
	case typeServerKeyExchange:
		if !p.suite.psk {
			p.theirPoint = f.body[4 : 4+f.body[3]]
		}
	}
}

// offersID tells whether a ServerHello ends with a connection id, as ours do that have one.
func (p *puppet) offersID(body []byte) bool {
	at := len(body) - len(connectionID{}) - 5
	return at > 0 && body[at] == 0 && body[at+1] == extConnectionID
}

// exchange sends a ClientKeyExchange and knows the keys then.
func (p *puppet) exchange(key string) [][]byte {
	p.t.Helper()
	var b cryptobyte.Builder
	early := prf.PSKPreMasterSecret([]byte(key))
	if p.suite.psk {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(p.identity)) })
	} else {
		private, err := ecdh.P256().GenerateKey(rand.Reader)
		p.check(err)
		public, err := ecdh.P256().NewPublicKey(p.theirPoint)
		p.check(err)
		early, err = private.ECDH(public)
		p.check(err)
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(private.PublicKey().Bytes()) })
	}
	var err error
	p.master, err = prf.MasterSecret(early, p.random[:], p.serverRandom[:], p.suite.hash)
	p.check(err)
	p.out, p.in, err = p.suite.keys(&scratch{}, p.master, p.random[:], p.serverRandom[:])
	p.check(err)
	return p.send(typeClientKeyExchange, b.BytesOrPanic())
}

// show sends a Certificate.
func (p *puppet) show(c *tls.Certificate) [][]byte {
	return p.send(typeCertificate, certificateMessage(c))
}

// sign sends a CertificateVerify.
func (p *puppet) sign(c *tls.Certificate) [][]byte {
	p.t.Helper()
	scheme, signature, err := sign(c, nil, p.transcript)
	p.check(err)
	var b cryptobyte.Builder
	b.AddUint16(uint16(scheme))
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(signature) })
	return p.send(typeCertificateVerify, b.BytesOrPanic())
}

// finished makes the message that ends the client's part.
func (p *puppet) finished() []byte {
	p.t.Helper()
	verify, err := prf.VerifyDataClient(p.master, p.transcript, p.suite.hash)
	p.check(err)
	return appendMessage(nil, typeFinished, p.message, verify)
}

// seal makes an encrypted record.
func (p *puppet) seal(kind byte, content []byte) []byte {
	p.sequence++
	return p.out.seal(nil, kind, p.sequence-1, p.id, content)
}

// receive hands the server a datagram from where the client is, and gives what comes.
func (p *puppet) receive(datagram []byte) [][]byte {
	p.server.Receive(p.now, p.from, append([]byte(nil), datagram...), p.stage)
	return p.stage.take()
}

// finish sends Finished, and gives the session.
func (p *puppet) finish() *Session {
	p.t.Helper()
	before := len(p.stage.opened)
	p.receive(p.seal(kindHandshake, p.finished()))
	if len(p.stage.opened) != before+1 {
		p.t.Fatal("no session is opened")
	}
	return p.stage.opened[before]
}

// open shakes hands with the key "secret".
func (p *puppet) open(extensions []byte) *Session {
	p.t.Helper()
	p.greet(pskCCM8, extensions)
	p.exchange("secret")
	return p.finish()
}

// say sends a message.
func (p *puppet) say(message string) [][]byte { return p.receive(p.seal(kindData, []byte(message))) }

func (p *puppet) check(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}
