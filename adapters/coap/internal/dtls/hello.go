package dtls

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"net/netip"
	"slices"
	"time"

	"github.com/pion/dtls/v3/pkg/protocol/alert"
	"golang.org/x/crypto/cryptobyte"
)

// The extensions that mean something here (https://www.iana.org/assignments/tls-extensiontype-values).
const (
	extServerName           = 0      // RFC 6066 section 3
	extGroups               = 10     // RFC 8422 section 5.1
	extPointFormats         = 11     // RFC 8422 section 5.1.2
	extSignatureSchemes     = 13     // RFC 5246 section 7.4.1.4.1
	extExtendedMasterSecret = 23     // RFC 7627
	extConnectionID         = 54     // RFC 9146
	extRenegotiation        = 0xFF01 // RFC 5746
)

// noRenegotiation is what stands among the cipher suites in place of the extension (RFC 5746 section 3.3).
const noRenegotiation = 0x00FF

// clientHello is a parsed ClientHello (RFC 6347 section 4.2.1). Its slices are parts of the message.
type clientHello struct {
	version uint16
	random  []byte
	cookie  []byte
	bound   []byte // all before the cookie
	offer   []byte // cipher suites and compression methods
	suites  []uint16

	host           string
	groups         []uint16 // nil when it says nothing
	schemes        []uint16 // nil when it says nothing
	pointFormats   bool     // it says which it knows
	extendedMaster bool
	renegotiates   bool // it knows RFC 5746
	usesID         bool
	id             []byte // which it wants in the records that it gets
}

func parseHello(body []byte) (h *clientHello, ok bool) {
	h = &clientHello{}
	s := cryptobyte.String(body)
	var id, cookie, suites, compression, extensions cryptobyte.String
	if !s.ReadUint16(&h.version) || !s.ReadBytes(&h.random, 32) || !s.ReadUint8LengthPrefixed(&id) || len(id) > 32 {
		return nil, false
	}
	h.bound = body[:len(body)-len(s)]
	if !s.ReadUint8LengthPrefixed(&cookie) {
		return nil, false
	}
	h.cookie = cookie
	rest := s
	if !s.ReadUint16LengthPrefixed(&suites) || !s.ReadUint8LengthPrefixed(&compression) {
		return nil, false
	}
	h.offer = rest[:len(rest)-len(s)]
	if h.suites, ok = numbers(suites); !ok || !bytes.Contains(compression, []byte{0}) {
		return nil, false
	}
	h.renegotiates = slices.Contains(h.suites, noRenegotiation)
	if s.Empty() {
		return h, true
	}
	if !s.ReadUint16LengthPrefixed(&extensions) || !s.Empty() {
		return nil, false
	}
	return h, h.readExtensions(extensions)
}

func (h *clientHello) readExtensions(s cryptobyte.String) bool {
	for !s.Empty() {
		var kind uint16
		var value, list cryptobyte.String
		if !s.ReadUint16(&kind) || !s.ReadUint16LengthPrefixed(&value) {
			return false
		}
		ok := true
		switch kind {
		case extServerName:
			h.host, ok = serverName(value)
		case extGroups:
			h.groups, ok = numberList(value)
		case extPointFormats:
			// Points that are not compressed are those of everybody (RFC 8422 section 5.1.2).
			ok = value.ReadUint8LengthPrefixed(&list) && value.Empty() && bytes.Contains(list, []byte{0})
			h.pointFormats = true
		case extSignatureSchemes:
			h.schemes, ok = numberList(value)
		case extExtendedMasterSecret:
			ok = value.Empty()
			h.extendedMaster = true
		case extConnectionID:
			ok = value.ReadUint8LengthPrefixed(&list) && value.Empty()
			h.usesID, h.id = true, list
		case extRenegotiation:
			// There is no connection yet that this could go on with (RFC 5746 section 3.6).
			ok = value.ReadUint8LengthPrefixed(&list) && value.Empty() && list.Empty()
			h.renegotiates = true
		}
		if !ok {
			return false
		}
	}
	return true
}

// maxName is how long the name of a host may be, and an identity: they are kept as long as a session.
const maxName = 255

// serverName reads the first name of a host (RFC 6066 section 3).
func serverName(value cryptobyte.String) (host string, ok bool) {
	var names cryptobyte.String
	if !value.ReadUint16LengthPrefixed(&names) || !value.Empty() {
		return "", false
	}
	for !names.Empty() {
		var kind uint8
		var name cryptobyte.String
		if !names.ReadUint8(&kind) || !names.ReadUint16LengthPrefixed(&name) {
			return "", false
		}
		if kind == 0 {
			return string(name), len(name) <= maxName
		}
	}
	return "", true
}

// numberList reads an extension that is a list of 16-bit numbers.
func numberList(value cryptobyte.String) ([]uint16, bool) {
	var list cryptobyte.String
	if !value.ReadUint16LengthPrefixed(&list) || !value.Empty() {
		return nil, false
	}
	return numbers(list)
}

// numbers reads a list of 16-bit numbers.
func numbers(list cryptobyte.String) ([]uint16, bool) {
	all := make([]uint16, 0, len(list)/2)
	for !list.Empty() {
		var n uint16
		if !list.ReadUint16(&n) {
			return nil, false
		}
		all = append(all, n)
	}
	return all, true
}

// hello takes a ClientHello. A client whose address is not proven is asked to come again with a cookie.
func (s *Server) hello(now time.Time, from netip.AddrPort, sequence uint64, f fragment, h Handler) {
	if f.offset != 0 || f.length != len(f.body) || f.length > s.config.Limits.MaxHandshakeMessage {
		return // nothing is put together for who has not proven an address
	}
	if sequence > maxSequence/2 {
		return // our records count on from there, and there must be numbers left (RFC 6347 section 4.1)
	}
	hello, ok := parseHello(f.body)
	if !ok {
		return
	}
	if peer := s.handshakes[from]; peer != nil && peer.handshake.isSameHello(f) {
		if peer.handshake.next == f.sequence+1 { // the client has not gone on
			s.sendFlight(peer, h)
		}
		return
	}
	if !s.bakery.knows(now, from, hello) {
		h.Send(from, s.verifyRequest(sequence, f.sequence, s.bakery.fresh(now, from, hello)))
		return
	}
	if s.Sessions() >= s.config.Limits.MaxSessions {
		s.tell(from, errFull)
		return
	}
	if !s.hasKey(hello) && !s.signed.allows(now, s.config.Limits.HandshakesPerSecond) {
		s.tell(from, errHurried)
		return
	}
	s.makeRoom(from)
	peer := &Session{address: from, host: hello.host, handshake: s.newHandshake(now, sequence, f)}
	s.handshakes[from] = peer
	if failure := s.negotiate(peer, hello); failure != nil {
		s.refuse(peer, failure, h)
		return
	}
	s.wakeAt(peer.handshake.resend)
	s.sendFlight(peer, h)
}

// verifyRequest makes a HelloVerifyRequest. It has the sequence number of the hello, as there is no other (RFC 6347
// section 4.2.1).
func (s *Server) verifyRequest(record uint64, message uint16, cookie []byte) []byte {
	body := append([]byte{versionMajor, version10, byte(len(cookie))}, cookie...)
	whole := appendMessage(nil, typeHelloVerifyRequest, message, body)
	return appendRecord(s.out[:0], kindHandshake, version10, record, whole)
}

// makeRoom puts an end to the oldest handshake when there are too many, and to the one that a client begins anew.
func (s *Server) makeRoom(from netip.AddrPort) {
	if before := s.handshakes[from]; before != nil {
		s.fail(before, errGivenUp)
	}
	if len(s.handshakes) < s.config.Limits.MaxHandshakes {
		return
	}
	var oldest *Session
	for _, peer := range s.handshakes {
		if oldest == nil || peer.handshake.began.Before(oldest.handshake.began) {
			oldest = peer
		}
	}
	s.fail(oldest, errCrowded)
}

// negotiate chooses from what a client offers, and makes the flight that tells it.
func (s *Server) negotiate(peer *Session, hello *clientHello) *failure {
	hs := peer.handshake
	if hello.version > versionMajor<<8|uint16(version12) || hello.version>>8 != versionMajor {
		return failed(alert.ProtocolVersion, "the client does not speak DTLS 1.2")
	}
	if failure := s.choose(hs, hello); failure != nil {
		return failure
	}
	copy(hs.clientRandom[:], hello.random)
	rand.Read(hs.serverRandom[:]) // never fails
	hs.extendedMaster = hello.extendedMaster
	if hello.usesID {
		peer.local, peer.remote = s.newID(), bytes.Clone(hello.id)
	}
	var b cryptobyte.Builder
	b.AddUint16(versionMajor<<8 | uint16(version12))
	b.AddBytes(hs.serverRandom[:])
	b.AddUint8(0) // no session to come back to
	b.AddUint16(hs.suite.id)
	b.AddUint8(0) // no compression
	var extensions cryptobyte.Builder
	answerExtensions(&extensions, peer, hello)
	if answer := extensions.BytesOrPanic(); len(answer) > 0 { // a client that has none need not know that there are any
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(answer) })
	}
	hs.say(typeServerHello, b.BytesOrPanic(), s.config.Limits.MaxDatagram)
	return s.introduce(hs, hello)
}

// answerExtensions tells a client what was taken of its extensions.
func answerExtensions(b *cryptobyte.Builder, peer *Session, hello *clientHello) {
	add := func(kind uint16, value ...byte) {
		b.AddUint16(kind)
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(value) })
	}
	if hello.renegotiates {
		add(extRenegotiation, 0)
	}
	if hello.extendedMaster {
		add(extExtendedMasterSecret)
	}
	if hello.pointFormats && !peer.handshake.suite.psk {
		add(extPointFormats, 1, 0) // uncompressed
	}
	if hello.usesID {
		add(extConnectionID, append([]byte{byte(len(peer.local))}, peer.local[:]...)...)
	}
}

// hasKey tells whether a client offers to be known by a key. Then neither side signs anything.
func (s *Server) hasKey(hello *clientHello) bool {
	return s.config.PSK != nil && slices.ContainsFunc(suites(), func(known suite) bool {
		return known.psk && slices.Contains(hello.suites, known.id)
	})
}

// choose chooses the cipher suite, and for one with a certificate that and the group.
func (s *Server) choose(hs *handshake, hello *clientHello) *failure {
	for _, suite := range suites() {
		if !slices.Contains(hello.suites, suite.id) {
			continue
		}
		if suite.psk && s.config.PSK == nil || !suite.psk && s.config.Certificate == nil {
			continue
		}
		if suite.psk {
			hs.suite = suite
			return nil
		}
		if hs.certificate == nil {
			certificate, err := s.config.Certificate(hello.host)
			if err == nil && certificate == nil {
				err = errNoCertificate
			}
			if err != nil {
				return &failure{alert.HandshakeFailure, err}
			}
			hs.certificate = certificate
		}
		if isRSA(hs.certificate) == suite.rsa {
			hs.suite = suite
			return hs.chooseGroup(hello)
		}
	}
	return failed(alert.HandshakeFailure, "the client offers no cipher suite that is known and configured here")
}

// chooseGroup makes our key for the first group of the client that is known here, P-256 if it names none.
func (hs *handshake) chooseGroup(hello *clientHello) *failure {
	offered := hello.groups
	if offered == nil {
		offered = []uint16{groupP256}
	}
	for _, g := range offered {
		curve := curveOf(g)
		if curve == nil {
			continue
		}
		private, err := curve.GenerateKey(rand.Reader)
		if err != nil {
			return &failure{alert.InternalError, err}
		}
		hs.group, hs.private = g, private
		return nil
	}
	return failed(alert.HandshakeFailure, "the client offers no group that is known here")
}

// The groups for ECDHE (https://www.iana.org/assignments/tls-parameters).
const (
	groupP256   = 23
	groupP384   = 24
	groupX25519 = 29
)

// curveOf gives the curve of a group; nil for one that is not known.
func curveOf(group uint16) ecdh.Curve {
	switch group {
	case groupP256:
		return ecdh.P256()
	case groupP384:
		return ecdh.P384()
	case groupX25519:
		return ecdh.X25519()
	}
	return nil
}

// newID makes a connection id that no session has.
func (s *Server) newID() (id connectionID) {
	for id == (connectionID{}) || s.ids[id] != nil {
		rand.Read(id[:]) // never fails
	}
	return id
}
