package udp

import (
	"bytes"
	"net"
	"net/netip"
	"time"

	"github.com/manifoldmq/manifold/adapters/coap/internal/datagram"
	"github.com/manifoldmq/manifold/adapters/coap/internal/dtls"
	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// peer is who a lane talks with. All of it belongs to the lane's goroutine, but for listed.
type peer struct {
	lane    *lane
	key     key
	address netip.AddrPort
	to      net.Addr
	control []byte            // says from which of our addresses to answer; nil when there is one
	session *datagram.Session // nil while a peer with a DTLS session sleeps
	client  session.Client    // likewise
	heard   time.Time         // of a peer with a DTLS session: its last message

	proven bool // it is where its address says; of a peer with a DTLS session that sleeps
	ended  bool // its DTLS session is over already

	due    time.Time // when it has something to do; zero for never
	place  int       // in the lane's agenda; -1 when it is not in it
	listed bool      // among those that were woken; guarded by the lane's mu
}

// key is how a peer is known: by its address, or by its DTLS session, wherever that is.
type key struct {
	address netip.AddrPort
	secure  *dtls.Session
}

var _ datagram.Carrier = (*peer)(nil)

// Buffer implements datagram.Carrier.
func (p *peer) Buffer() []byte {
	if p.key.secure != nil {
		return p.lane.plain[:0]
	}
	return p.lane.buffer()
}

// Send implements datagram.Carrier.
func (p *peer) Send(b []byte) {
	if s := p.key.secure; s != nil {
		p.moveTo(s.Address())
		b = s.Seal(p.lane.buffer(), b)
	}
	p.lane.send(b, p.to, p.control)
}

// moveTo follows a peer to another address.
func (p *peer) moveTo(address netip.AddrPort) {
	if p.to == nil || p.address != address {
		p.address, p.to = address, net.UDPAddrFromAddrPort(address)
	}
}

// Origin implements datagram.Carrier.
func (p *peer) Origin() []byte { return []byte(p.address.String()) }

// wake tells, from any goroutine, that the client has something to say.
func (p *peer) wake() { p.lane.wake(p) }

// sentTo notes to which of our addresses the peer sends.
func (p *peer) sentTo(control []byte) {
	if !bytes.Equal(p.control, control) {
		p.control = bytes.Clone(control)
	}
}

// isIdle tells that a new peer would be no different.
func (p *peer) isIdle() bool { return p.session.Idle() && p.client.Idle() }

// isQuiet tells that a new peer would only take duplicates for requests.
func (p *peer) isQuiet() bool { return p.sleeps() || p.session.Quiet() && p.client.Idle() }

// isDone tells that a draining peer has nothing more to do.
func (p *peer) isDone() bool { return p.sleeps() || p.session.Closed() && p.client.Idle() }

// sleeps tells that there is nothing but a DTLS session.
func (p *peer) sleeps() bool { return p.session == nil }

// deadline is when the peer has something to do next; zero for never.
func (p *peer) deadline() time.Time { return earliest(p.session.Deadline(), p.client.Deadline()) }

// earliest gives the sooner of two times, where zero is never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
