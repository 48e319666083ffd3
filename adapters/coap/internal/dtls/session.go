package dtls

import (
	"crypto/x509"
	"net/netip"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// Session is one client's. It is small: 10,000 of them sleep in a few tens of megabytes.
type Session struct {
	// Owner is the Handler's, to find what belongs to the session.
	Owner any

	address  netip.AddrPort
	local    connectionID // the client writes it into its records; zero for none
	remote   []byte       // we write it into ours; empty for none
	in, out  protection
	received window
	sequence uint64 // of our next encrypted record

	host         string
	identity     string
	certificates []*x509.Certificate

	handshake *handshake // under way, or kept until the client shows that it has our Finished; nil after that
}

// Peer tells who the client is.
func (s *Session) Peer() session.Peer {
	return session.Peer{
		Address: s.address, Secure: true, Host: s.host, PSKIdentity: s.identity, Certificates: s.certificates,
	}
}

// Address is where the client is now.
func (s *Session) Address() netip.AddrPort { return s.address }

// Seal appends the record with a message. There is no room for one above 16 KiB, nor for more than 2^48: then nothing
// is appended.
func (s *Session) Seal(dst, message []byte) []byte {
	if len(message) > maxPlaintext {
		return dst
	}
	return s.seal(dst, kindData, message)
}

// Close appends the record that says goodbye.
func (s *Session) Close(dst []byte) []byte {
	return s.seal(dst, kindAlert, []byte{levelWarning, closeNotify})
}

func (s *Session) seal(dst []byte, kind byte, content []byte) []byte {
	if s.sequence > maxSequence {
		return dst
	}
	dst = s.out.seal(dst, kind, s.sequence, s.remote, content)
	s.sequence++
	return dst
}

// open decrypts a record, once. The session follows its client to a new address when its newest record comes from there
// (RFC 9146 section 6); without a connection id it is known by its address, and stays there.
//
// As long as the client may not have our Finished its own is taken again, even under the same number: there are clients
// that repeat it so (pion/dtls with a connection id).
func (s *Session) open(from netip.AddrPort, r record) (kind byte, content []byte, ok bool) {
	repeated := !s.received.fresh(r.sequence)
	if repeated && s.handshake == nil {
		return 0, nil, false
	}
	kind, content, ok = s.in.open(r)
	switch {
	case !ok:
		return 0, nil, false
	case repeated:
		return kind, content, kind == kindHandshake
	case s.received.take(r.sequence):
		s.address = from
	}
	return kind, content, true
}
