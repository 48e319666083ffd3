package udp

import (
	"net"
	"net/netip"
	"time"

	"github.com/manifoldmq/manifold/adapters/coap/internal/dtls"
)

// A peer with a DTLS session has two lives. The session lasts, so that a device that sleeps for hours goes on without a
// handshake. What is above it is made when the peer speaks, and goes when there is nothing to remember: then the peer sleeps.

// receiveSecure takes a datagram of a DTLS client, or of somebody who may become one.
func (l *lane) receiveSecure(now time.Time, from *net.UDPAddr, b, control []byte) {
	if l.isTruncated(b) {
		return // its end is missing, without which it is not authentic
	}
	address := from.AddrPort()
	l.arrived = control
	l.options.Security.Receive(now, netip.AddrPortFrom(address.Addr().Unmap(), address.Port()), b, secureSide{l})
	l.arrived = nil
}

// secureSide is what a lane is to its DTLS server.
type secureSide struct{ lane *lane }

var _ dtls.Handler = secureSide{}

// Send implements dtls.Handler.
func (s secureSide) Send(to netip.AddrPort, datagram []byte) {
	s.lane.send(datagram, net.UDPAddrFromAddrPort(to), s.lane.arrived)
}

// Opened implements dtls.Handler.
func (s secureSide) Opened(now time.Time, d *dtls.Session) {
	l := s.lane
	p := l.enter(now, key{secure: d})
	if p == nil {
		l.send(d.Close(l.buffer()), net.UDPAddrFromAddrPort(d.Address()), l.arrived)
		l.options.Security.Forget(d)
		return
	}
	d.Owner, p.heard, p.proven = p, now, true // by its cookie
	p.moveTo(d.Address())
	l.agenda.enter(p, p.heard.Add(l.options.SessionTimeout))
}

// Received implements dtls.Handler.
func (s secureSide) Received(now time.Time, d *dtls.Session, message []byte) {
	l := s.lane
	p, ok := d.Owner.(*peer)
	if !ok {
		return
	}
	p.heard = now
	p.sentTo(l.arrived)
	moved := p.address != d.Address()
	p.moveTo(d.Address())
	p.proven = p.proven && !moved
	switch {
	case !p.sleeps() && moved:
		p.session.Moved()
	case p.sleeps() && l.draining:
		return
	case p.sleeps():
		l.open(now, p, d.Peer())
	}
	p.session.Feed(now, message)
	l.settle(now, p)
}

// Ended implements dtls.Handler.
func (s secureSide) Ended(now time.Time, d *dtls.Session) {
	if p, ok := d.Owner.(*peer); ok {
		p.ended = true
		s.lane.forget(now, p)
	}
}

// fallAsleep leaves a peer nothing but its DTLS session.
func (l *lane) fallAsleep(now time.Time, p *peer) {
	p.proven = p.session.Proven()
	p.session.Close(now)
	p.session, p.client = nil, nil
	l.agenda.enter(p, p.heard.Add(l.options.SessionTimeout))
}

// sleepOn is for a peer that sleeps: it goes when it has slept too long.
func (l *lane) sleepOn(now time.Time, p *peer) {
	if end := p.heard.Add(l.options.SessionTimeout); now.Before(end) {
		l.agenda.enter(p, end)
		return
	}
	l.forget(now, p)
}

// dismiss ends the DTLS session of a peer that is forgotten, and says so if its client has not.
func (l *lane) dismiss(p *peer) {
	if p.ended {
		return
	}
	p.moveTo(p.key.secure.Address())
	l.send(p.key.secure.Close(l.buffer()), p.to, p.control)
	l.options.Security.Forget(p.key.secure)
}
