package session

import (
	"crypto/x509"
	"net/netip"
	"time"
)

// Peer is who a session is with, as far as its transport knows.
type Peer struct {
	Address      netip.AddrPort
	Secure       bool                // DTLS or TLS has shaken hands
	Host         string              // the server name that the handshake asked for (SNI); empty for none
	PSKIdentity  string              // the identity whose pre-shared key was proven; empty for none
	Certificates []*x509.Certificate // of the client, whose key it has, its own first; nil for none
}

// Client is the door's side of one session and what drives it. A shell makes the session with the client as its Handler,
// attaches it, and from then on calls the session and the client under one lock:
//
//	client.Collect(now)      before it flushes the session, whenever the client's wake was called or its deadline came
//	client.Deadline()        after that, to know when next
//	client.Drain(now)        once, when the process stops
//
// Disconnected, of Handler, comes last; the shell sees to it however the session ends.
type Client interface {
	Handler
	// Attach gives the client its session; it comes before anything else, and once.
	Attach(s Session)
	// Collect lets the client say what has come for it: answers and notifications, through its session.
	Collect(now time.Time)
	// Deadline is when Collect is to be called even if nobody wakes; zero for never.
	Deadline() time.Time
	// Drain says that the process is stopping: no new request is taken on, and those under way are answered.
	Drain(now time.Time)
	// Idle tells that the client owes nothing and waits for nothing: its session may be forgotten if its peer is silent.
	Idle() bool
}

// Open makes the door's side of a new session. The client calls wake, from any goroutine, when there is something for
// Collect; wake must not block and must not call back.
type Open func(p Peer, wake func()) Client
