// Package prelude does what comes before a protocol on a connection: it hears the proxy that passes the connection on, and
// shakes hands of TLS. A door sees connections that are past both.
//
// Promises:
//   - Accept does not wait for a client that is slow to shake hands: each has a goroutine until it has, or its time is up.
//   - Only proxies that are listed say whose a connection is. They always say so: what begins otherwise is refused, and so is a
//     header from anybody else.
//   - Nothing is read ahead: what is behind the header or the handshake is for the door.
package prelude

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Steps is what is done with each connection.
type Steps struct {
	Proxies  []netip.Prefix // whose connections begin with a header; none when no header is known
	TLS      *tls.Config    // nil for connections as they are
	Either   bool           // a client that does not begin with a handshake is served as it is
	Patience time.Duration  // for all of it
	// Failed hears of connections that did not get that far, and of headers from who is no proxy. A client that hung up without
	// a word is none.
	Failed func(nc net.Conn, err error)
}

// None tells whether there is nothing to do.
func (s *Steps) None() bool { return len(s.Proxies) == 0 && s.TLS == nil }

// Listener gives connections that have been through the steps.
type Listener struct {
	net.Listener
	steps  Steps
	ready  chan accepted
	ctx    context.Context // ends when it is closed
	cancel context.CancelFunc
	closed func() error // once
	work   sync.WaitGroup
}

// accepted is what Accept gives.
type accepted struct {
	nc  net.Conn
	err error
}

var _ net.Listener = (*Listener)(nil)

// Listen begins to take connections from ln, which its Close closes.
func Listen(ln net.Listener, s Steps) *Listener {
	l := &Listener{Listener: ln, steps: s, ready: make(chan accepted)}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.closed = sync.OnceValue(func() error {
		l.cancel()
		err := ln.Close()
		l.work.Wait()
		return err
	})
	l.work.Go(l.accept)
	return l
}

// Accept waits for the next connection that has been through the steps.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case a := <-l.ready:
		return a.nc, a.err
	case <-l.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Close ends it, with connections on which the steps are under way.
func (l *Listener) Close() error { return l.closed() }

func (l *Listener) accept() {
	for {
		nc, err := l.Listener.Accept()
		switch {
		case err == nil:
			l.work.Go(func() { l.prepare(nc) })
		case errors.Is(err, net.ErrClosed) || !l.give(accepted{err: err}):
			return
		}
	}
}

// give hands something to Accept; false when nobody will ask any more.
func (l *Listener) give(a accepted) bool {
	select {
	case l.ready <- a:
		return true
	case <-l.ctx.Done():
		return false
	}
}

func (l *Listener) prepare(nc net.Conn) {
	ctx, cancel := context.WithTimeoutCause(l.ctx, l.steps.Patience, errTimeout)
	defer cancel()
	prepared, err := l.steps.run(ctx, nc)
	switch {
	case err != nil:
		if l.steps.Failed != nil && !isSilent(err) {
			l.steps.Failed(prepared, err)
		}
	case l.give(accepted{nc: prepared}):
		return
	}
	nc.Close()
}

var errTimeout = errors.New("the client took too long")

// run takes the steps. With an error it gives the connection as far as it has got.
func (s *Steps) run(ctx context.Context, nc net.Conn) (net.Conn, error) {
	if len(s.Proxies) > 0 {
		var err error
		if nc, err = s.hearProxy(ctx, nc); err != nil {
			return nc, err
		}
	}
	if s.TLS == nil {
		return nc, nil
	}
	if s.Either {
		begins, same, err := beginsHandshake(ctx, nc)
		if err != nil || !begins {
			return same, err
		}
		nc = same
	}
	secured := tls.Server(nc, s.TLS)
	return secured, shakeHands(ctx, secured)
}

// handshakeRecord is the first octet of who shakes hands by TLS (RFC 8446 section 5.1). No protocol of ours begins so.
const handshakeRecord = 22

// beginsHandshake waits for the first octet of a client, and tells whether it begins a handshake. What is read is still to be read from
// the connection that it gives.
func beginsHandshake(ctx context.Context, nc net.Conn) (begins bool, same net.Conn, err error) {
	stop := context.AfterFunc(ctx, func() { nc.SetReadDeadline(time.Unix(1, 0)) })
	first := make([]byte, 1)
	_, err = io.ReadFull(nc, first)
	if !stop() {
		err = context.Cause(ctx)
	}
	return err == nil && first[0] == handshakeRecord, &begun{Conn: nc, first: first}, err
}

// begun is a connection of which something has been read.
type begun struct {
	net.Conn
	first []byte // that comes again
}

// Read implements net.Conn.
func (b *begun) Read(p []byte) (int, error) {
	if len(b.first) == 0 || len(p) == 0 {
		return b.Conn.Read(p)
	}
	n := copy(p, b.first)
	b.first = b.first[n:]
	return n, nil
}

// shakeHands tells why a handshake failed: that ctx has ended only if nothing else was wrong before.
func shakeHands(ctx context.Context, nc *tls.Conn) error {
	err := nc.HandshakeContext(ctx)
	if err == nil || ctx.Err() == nil {
		return err
	}
	if first := nc.Handshake(); first != nil && !errors.Is(first, net.ErrClosed) { // which HandshakeContext hides behind ctx's
		return first
	}
	return context.Cause(ctx)
}

// isProxy tells whether an address is a proxy's.
func (s *Steps) isProxy(at net.Addr) bool {
	a, err := netip.ParseAddrPort(at.String())
	return err == nil && slices.ContainsFunc(s.Proxies, func(p netip.Prefix) bool { return p.Contains(a.Addr().Unmap().WithZone("")) })
}
