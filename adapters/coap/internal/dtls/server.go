// Package dtls is the server's side of DTLS 1.2 for all the clients of one socket (RFC 6347): datagrams and time come
// in, decrypted messages, handshake flights and alerts go to a Handler.
//
// It uses the key derivation and the AES-CCM of pion/dtls, and not its connections: each of those keeps goroutines and
// buffers for as long as it lives, and remembers a client before its address is proven. A Session here is its keys, two
// counters and a window.
//
// Promises:
//   - No goroutine, no lock, no clock, no socket. A Server has one owner at a time.
//   - Nothing is remembered of a client, and nothing larger than its own datagram is sent to it, before it has returned
//     a cookie from the address that it claims (RFC 6347 section 4.2.1).
//   - Records are taken once: a window guards against replay (section 4.1.2.6). What is not authentic is dropped.
//   - With a connection id a client may change its address at any time: its records find their session, and answers go
//     to the new address once the newest authentic record has come from there. How much may go there before the client has
//     answered is for the Handler to say (RFC 9146 section 6).
//   - Handshakes are bounded in number, in time and in memory, and those with certificates in how many begin in a second, so
//     that open sessions go on whatever strangers do. One that goes wrong tells Config.Failed.
//
// Clients prove who they are with a pre-shared key (RFC 4279) or a certificate. Raw public keys, renegotiation and
// session tickets are not offered: a connection id does what resumption is for.
package dtls

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"time"
)

// Config is what a Server does by. It must not change.
type Config struct {
	// PSK gives the key of an identity; false when there is none. Nil leaves pre-shared keys out.
	PSK func(identity string) (key []byte, ok bool)
	// Hint helps clients to choose an identity (RFC 4279 section 5.2); empty for none.
	Hint string
	// Certificate gives the server's certificate for a name that a client asks for, empty for none. It is called for
	// each handshake. Nil leaves certificates out.
	Certificate func(host string) (*tls.Certificate, error)
	// ClientCAs gives who may have signed the certificates of clients; it is called for each handshake. Nil, or nil
	// from it, asks for no certificate. A client need not have one.
	ClientCAs func() *x509.CertPool
	// Verify tells why a chain that one of them has signed is not good all the same; nil takes all.
	Verify func(chain []*x509.Certificate) error
	// Failed hears of handshakes that went wrong after the client's address was proven; nil for nobody.
	Failed func(from netip.AddrPort, err error)
	Limits Limits
}

// Handler is what a Server talks to. Its methods are called by Receive and Advance.
type Handler interface {
	// Send sends a datagram: a part of a handshake, or an alert. It is borrowed until the method returns.
	Send(to netip.AddrPort, datagram []byte)
	// Opened is a session whose client has proven who it is. Its Owner may be set now.
	Opened(now time.Time, s *Session)
	// Received is one decrypted message, borrowed until the method returns.
	Received(now time.Time, s *Session, message []byte)
	// Ended tells that the client has said goodbye, or has come back with a new handshake. It is the last of a session.
	Ended(now time.Time, s *Session)
}

// Server is all DTLS sessions of a socket. Create it with NewServer.
type Server struct {
	config Config
	bakery bakery
	signed pace // handshakes with a signature of ours

	handshakes map[netip.AddrPort]*Session // under way
	addresses  map[netip.AddrPort]*Session // open, without a connection id
	ids        map[connectionID]*Session   // open, with one
	due        time.Time                   // no handshake has anything to do before; zero for none
	out        []byte                      // a datagram in the making
	scratch    scratch
}

// NewServer gives a server.
func NewServer(c Config) *Server {
	s := &Server{
		config: c, handshakes: make(map[netip.AddrPort]*Session),
		addresses: make(map[netip.AddrPort]*Session), ids: make(map[connectionID]*Session),
	}
	rand.Read(s.bakery.secret[:]) // never fails
	return s
}

// Sessions is how many sessions are open.
func (s *Server) Sessions() int { return len(s.addresses) + len(s.ids) }

// Receive takes a datagram. It is decrypted in place.
func (s *Server) Receive(now time.Time, from netip.AddrPort, datagram []byte, h Handler) {
	for len(datagram) > 0 {
		var r record
		var ok bool
		if r, datagram, ok = nextRecord(datagram); !ok {
			return // what is no record is dropped (RFC 6347 section 4.1.2.7)
		}
		switch {
		case r.epoch == 0 && r.kind == kindHandshake:
			s.greeted(now, from, r, h)
		case r.epoch == 0 && r.kind == kindAlert:
			s.alerted(from, r)
		case r.epoch == 1:
			s.protected(now, from, r, h)
		}
	}
}

// protected finds whose a record is that is encrypted.
func (s *Server) protected(now time.Time, from netip.AddrPort, r record, h Handler) {
	if peer := s.handshakes[from]; peer != nil && peer.isFinishing(r) {
		s.finishing(now, peer, r, h)
		return
	}
	peer := s.addresses[from]
	if r.kind == kindConnectionID {
		peer = s.ids[r.id]
	}
	if peer == nil {
		return
	}
	kind, content, ok := peer.open(from, r)
	if !ok {
		return
	}
	switch kind {
	case kindData:
		peer.handshake = nil // who sends data has had our Finished
		h.Received(now, peer, content)
	case kindHandshake:
		s.again(peer, content, h)
	case kindAlert:
		if isEnd(content) {
			s.forget(peer)
			if content[1] == closeNotify {
				h.Send(peer.address, peer.Close(s.out[:0]))
			}
			h.Ended(now, peer)
		}
	}
}

// opened makes an open session of a finished handshake.
func (s *Server) opened(now time.Time, peer *Session, h Handler) {
	delete(s.handshakes, peer.address)
	if before := s.addresses[peer.address]; before != nil {
		// A client that begins anew from the same address has lost its former session (RFC 6347 section 4.2.8).
		s.forget(before)
		h.Ended(now, before)
	}
	if peer.local != (connectionID{}) {
		s.ids[peer.local] = peer
	} else {
		s.addresses[peer.address] = peer
	}
	h.Opened(now, peer)
}

// Forget ends a session from this side: nothing of it will be received any more. The owner may send what Session.Close
// gives before.
func (s *Server) Forget(peer *Session) { s.forget(peer) }

func (s *Server) forget(peer *Session) {
	if s.addresses[peer.address] == peer {
		delete(s.addresses, peer.address)
	}
	if s.ids[peer.local] == peer {
		delete(s.ids, peer.local)
	}
}

// Deadline is when Advance is to be called; zero for never.
func (s *Server) Deadline() time.Time { return s.due }

// Advance sends again what was not answered, and gives up handshakes that take too long.
func (s *Server) Advance(now time.Time, h Handler) {
	if s.due.IsZero() || now.Before(s.due) {
		return
	}
	s.due = time.Time{}
	for _, peer := range s.handshakes {
		hs := peer.handshake
		switch {
		case !now.Before(hs.began.Add(s.config.Limits.HandshakeTimeout)):
			s.fail(peer, errTimeout)
			continue
		case !now.Before(hs.resend):
			hs.patience *= 2 // RFC 6347 section 4.2.4.1
			hs.resend = now.Add(hs.patience)
			s.sendFlight(peer, h)
		}
		s.wakeAt(hs.resend)
		s.wakeAt(hs.began.Add(s.config.Limits.HandshakeTimeout))
	}
}

// wakeAt sees to it that Advance is called then.
func (s *Server) wakeAt(t time.Time) {
	if s.due.IsZero() || t.Before(s.due) {
		s.due = t
	}
}

// fail gives up a handshake.
func (s *Server) fail(peer *Session, err error) {
	delete(s.handshakes, peer.address)
	s.tell(peer.address, err)
}

func (s *Server) tell(from netip.AddrPort, err error) {
	if s.config.Failed != nil {
		s.config.Failed(from, err)
	}
}
