package dtls

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"time"

	"github.com/pion/dtls/v3/pkg/crypto/prf"
	"github.com/pion/dtls/v3/pkg/protocol/alert"
	"golang.org/x/crypto/cryptobyte"
)

// handshake is what has to be remembered until a client has proven who it is. Then all but the last flight goes away.
type handshake struct {
	began    time.Time
	resend   time.Time // the flight, if nothing comes
	patience time.Duration

	suite          suite
	clientRandom   [32]byte
	serverRandom   [32]byte
	extendedMaster bool
	certificate    *tls.Certificate // ours
	group          uint16
	private        *ecdh.PrivateKey
	clientCAs      *x509.CertPool // nil when no certificate was asked for
	master         []byte
	hasKeys        bool

	awaits     byte   // the message that has to come next
	next       uint16 // its number
	gathered   []byte // what has come of it
	transcript []byte // all messages so far, from the ClientHello with the cookie on

	sent    uint16 // messages of ours
	records uint64 // of ours that were not encrypted
	flight  []parcel
}

// newHandshake begins one with a ClientHello. Numbers go on where those of the cookie exchange ended (RFC 6347 section
// 4.2.2).
func (s *Server) newHandshake(now time.Time, record uint64, f fragment) *handshake {
	patience := s.config.Limits.RetransmitTimeout
	return &handshake{
		began: now, patience: patience, resend: now.Add(patience),
		next: f.sequence + 1, sent: f.sequence, records: record,
		transcript: appendMessage(nil, typeClientHello, f.sequence, f.body),
	}
}

// isSameHello tells whether the hello that began the handshake has come once more.
func (hs *handshake) isSameHello(f fragment) bool {
	return bytes.HasPrefix(hs.transcript, appendMessage(nil, f.kind, f.sequence, f.body))
}

// introduce says the rest of our first flight: who we are, and what we want to know.
func (s *Server) introduce(hs *handshake, hello *clientHello) *failure {
	limit := s.config.Limits.MaxDatagram
	hs.awaits = typeClientKeyExchange
	if hs.suite.psk {
		if s.config.Hint != "" {
			var b cryptobyte.Builder
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(s.config.Hint)) })
			hs.say(typeServerKeyExchange, b.BytesOrPanic(), limit)
		}
		hs.say(typeServerHelloDone, nil, limit)
		return nil
	}
	hs.say(typeCertificate, certificateMessage(hs.certificate), limit)
	exchange, err := hs.keyExchange(hello)
	if err != nil {
		return &failure{alert.HandshakeFailure, err}
	}
	hs.say(typeServerKeyExchange, exchange, limit)
	if s.config.ClientCAs != nil {
		hs.clientCAs = s.config.ClientCAs()
	}
	if hs.clientCAs != nil {
		hs.say(typeCertificateRequest, certificateRequest(), limit)
		hs.awaits = typeCertificate
	}
	hs.say(typeServerHelloDone, nil, limit)
	return nil
}

// keyExchange makes the ServerKeyExchange for ECDHE (RFC 8422 section 5.4).
func (hs *handshake) keyExchange(hello *clientHello) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint8(3) // a named curve
	b.AddUint16(hs.group)
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(hs.private.PublicKey().Bytes()) })
	params := b.BytesOrPanic()
	signed := append(append(append([]byte(nil), hs.clientRandom[:]...), hs.serverRandom[:]...), params...)
	scheme, signature, err := sign(hs.certificate, hello.schemes, signed)
	if err != nil {
		return nil, err
	}
	b.AddUint16(uint16(scheme))
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(signature) })
	return b.Bytes()
}

// greeted takes a record of handshake messages that are not encrypted.
func (s *Server) greeted(now time.Time, from netip.AddrPort, r record, h Handler) {
	for p := r.body; len(p) > 0; {
		var f fragment
		var ok bool
		if f, p, ok = nextFragment(p); !ok {
			return
		}
		if f.kind == typeClientHello {
			s.hello(now, from, r.sequence, f, h)
		} else if peer := s.handshakes[from]; peer != nil {
			s.gather(now, peer, f, false, h)
		}
	}
}

// isFinishing tells whether an encrypted record is of the session's handshake. Any other from the same address may be of
// the session that the client had before, which lasts until this one is open (RFC 6347 section 4.2.8).
func (s *Session) isFinishing(r record) bool {
	if s.local != (connectionID{}) {
		return s.handshake.hasKeys && r.kind == kindConnectionID && r.id == s.local
	}
	return s.handshake.hasKeys && r.kind == kindHandshake
}

// finishing takes an encrypted record of a client whose handshake is under way.
func (s *Server) finishing(now time.Time, peer *Session, r record, h Handler) {
	if !peer.received.fresh(r.sequence) {
		return
	}
	kind, content, ok := peer.open(peer.address, r)
	if !ok {
		// A wrong key and an unknown identity look the same to the client (RFC 4279 section 2).
		s.refuse(peer, failed(alert.DecryptError, "the client's key is another, or its identity is unknown"), h)
		return
	}
	for kind == kindHandshake && len(content) > 0 && s.handshakes[peer.address] == peer {
		var f fragment
		if f, content, ok = nextFragment(content); !ok {
			return
		}
		s.gather(now, peer, f, true, h)
	}
}

// gather puts messages together from fragments in their order; what comes too early will come again.
func (s *Server) gather(now time.Time, peer *Session, f fragment, protected bool, h Handler) {
	hs := peer.handshake
	switch {
	case f.sequence != hs.next || f.offset > len(hs.gathered):
		return
	case f.kind != hs.awaits || protected != (f.kind == typeFinished):
		s.refuse(peer, failed(alert.UnexpectedMessage, "a handshake message out of turn"), h)
		return
	case f.length > s.config.Limits.MaxHandshakeMessage:
		s.refuse(peer, failed(alert.IllegalParameter, "a handshake message above the limit"), h)
		return
	}
	if end := f.offset + len(f.body); end > len(hs.gathered) {
		hs.gathered = append(hs.gathered[:f.offset], f.body...)
	}
	if len(hs.gathered) < f.length {
		return
	}
	body := hs.gathered[:f.length]
	hs.gathered = nil
	hs.next++
	hs.patience = s.config.Limits.RetransmitTimeout // who goes on has had our flight
	hs.resend = now.Add(hs.patience)
	if failure := s.heard(now, peer, f.kind, body); failure != nil {
		s.refuse(peer, failure, h)
		return
	}
	hs.transcript = appendMessage(hs.transcript, f.kind, f.sequence, body)
	if f.kind == typeFinished {
		s.finish(now, peer, h)
	}
}

// heard takes a whole message and says what has to come after it. The transcript is that before it.
func (s *Server) heard(now time.Time, peer *Session, kind byte, body []byte) *failure {
	hs := peer.handshake
	switch kind {
	case typeCertificate:
		chain, failure := verifyChain(now, body, hs.clientCAs)
		if failure == nil && len(chain) > 0 && s.config.Verify != nil {
			failure = refused(s.config.Verify(chain))
		}
		peer.certificates = chain
		hs.awaits = typeClientKeyExchange
		return failure
	case typeClientKeyExchange:
		hs.awaits = typeFinished
		if len(peer.certificates) > 0 {
			hs.awaits = typeCertificateVerify
		}
		return s.agree(peer, body)
	case typeCertificateVerify:
		hs.awaits = typeFinished
		return verifySignature(peer.certificates[0].PublicKey, body, hs.transcript)
	}
	want, err := prf.VerifyDataClient(hs.master, hs.transcript, hs.suite.hash)
	if err != nil || !hmac.Equal(want, body) {
		return failed(alert.DecryptError, "the client has another view of the handshake")
	}
	return nil
}

// agree takes a ClientKeyExchange and derives the keys (RFC 4279 section 2, RFC 8422 section 5.7).
func (s *Server) agree(peer *Session, body []byte) *failure {
	hs := peer.handshake
	input := cryptobyte.String(body)
	var early []byte
	if hs.suite.psk {
		var identity cryptobyte.String
		if !input.ReadUint16LengthPrefixed(&identity) || !input.Empty() || len(identity) > maxName {
			return errMalformed
		}
		key, ok := s.config.PSK(string(identity))
		if !ok || len(key) == 0 {
			// Who asks does not learn which identities there are: it goes on with a key that nobody knows.
			key = make([]byte, 16)
			rand.Read(key) // never fails
		}
		peer.identity = string(identity)
		early = prf.PSKPreMasterSecret(key)
	} else {
		var point cryptobyte.String
		if !input.ReadUint8LengthPrefixed(&point) || !input.Empty() {
			return errMalformed
		}
		public, err := curveOf(hs.group).NewPublicKey(point)
		if err != nil {
			return &failure{alert.IllegalParameter, err}
		}
		if early, err = hs.private.ECDH(public); err != nil {
			return &failure{alert.IllegalParameter, err}
		}
	}
	transcript := appendMessage(bytes.Clone(hs.transcript), typeClientKeyExchange, hs.next-1, body)
	if err := hs.derive(peer, &s.scratch, early, transcript); err != nil {
		return &failure{alert.InternalError, err}
	}
	return nil
}

// derive makes the master secret and the keys; the transcript includes the ClientKeyExchange (RFC 7627 section 4).
func (hs *handshake) derive(peer *Session, shared *scratch, early, transcript []byte) (err error) {
	if hs.extendedMaster {
		hash := hs.suite.hash()
		hash.Write(transcript)
		hs.master, err = prf.ExtendedMasterSecret(early, hash.Sum(nil), hs.suite.hash)
	} else {
		hs.master, err = prf.MasterSecret(early, hs.clientRandom[:], hs.serverRandom[:], hs.suite.hash)
	}
	if err != nil {
		return err
	}
	peer.in, peer.out, err = hs.suite.keys(shared, hs.master, hs.clientRandom[:], hs.serverRandom[:])
	hs.hasKeys = err == nil
	return err
}

// finish answers the client's Finished with ours, and opens the session.
func (s *Server) finish(now time.Time, peer *Session, h Handler) {
	hs := peer.handshake
	verify, err := prf.VerifyDataServer(hs.master, hs.transcript, hs.suite.hash)
	if err != nil {
		s.refuse(peer, &failure{alert.InternalError, err}, h)
		return
	}
	hs.flight = []parcel{{kind: kindChangeCipherSpec, body: []byte{1}}}
	hs.say(typeFinished, verify, s.config.Limits.MaxDatagram)
	peer.handshake = &handshake{flight: hs.flight, records: hs.records, next: hs.next}
	s.sendFlight(peer, h)
	s.opened(now, peer, h)
}

// again takes handshake messages of a client whose session is open: it has not had our Finished, or wants to negotiate
// anew, which is not done here (RFC 5746 section 4.5).
func (s *Server) again(peer *Session, content []byte, h Handler) {
	f, _, ok := nextFragment(content)
	switch {
	case !ok:
	case f.kind == typeFinished && peer.handshake != nil && f.sequence+1 == peer.handshake.next:
		s.sendFlight(peer, h)
	case f.kind == typeClientHello:
		h.Send(peer.address, peer.seal(s.out[:0], kindAlert, []byte{levelWarning, byte(alert.NoRenegotiation)}))
	}
}
