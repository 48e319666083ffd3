package prelude

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/manifoldmq/manifold/gateway/internal/prelude/proxy"
)

// errSilent is for a client that has hung up without a word.
var errSilent = errors.New("the client hung up without a word")

// isSilent tells whether there is nothing to tell of an error: the client has said nothing, the listener was closed, or it was
// told already.
func isSilent(err error) bool {
	return errors.Is(err, errSilent) || err == io.EOF || errors.Is(err, context.Canceled) || errors.Is(err, errNoProxy)
}

// hearProxy gives the connection of the client behind a proxy, after its header.
func (s *Steps) hearProxy(ctx context.Context, nc net.Conn) (net.Conn, error) {
	if !s.isProxy(nc.RemoteAddr()) {
		return &direct{Conn: nc, failed: s.Failed}, nil
	}
	stop := context.AfterFunc(ctx, func() { nc.SetReadDeadline(time.Unix(1, 0)) })
	h, err := readHeader(nc)
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil || !h.Source.IsValid() {
		return nc, err
	}
	return &proxied{nc, net.TCPAddrFromAddrPort(h.Source)}, nil
}

// readHeader reads a header, and nothing behind it.
func readHeader(r io.Reader) (h proxy.Header, err error) {
	var seen []byte
	for more := 0; ; {
		if h, more, err = proxy.Next(seen); err != nil || more == 0 {
			return h, err
		}
		at := len(seen)
		seen = append(seen, make([]byte, more)...)
		n, err := r.Read(seen[at:])
		seen = seen[:at+n]
		switch {
		case n > 0 || err == nil: // an error comes again
		case at == 0 && errors.Is(err, io.EOF):
			return h, errSilent
		default:
			return h, fmt.Errorf("PROXY header: %w", err)
		}
	}
}

// proxied is a connection that a proxy passes on.
type proxied struct {
	net.Conn
	client net.Addr
}

// RemoteAddr is where the client is.
func (p *proxied) RemoteAddr() net.Addr { return p.client }

// direct is a connection of a client that is no proxy, and must not claim to be one.
type direct struct {
	net.Conn
	failed func(net.Conn, error)
	heard  bool // of one goroutine: the one that reads
}

var errNoProxy = errors.New("it begins with a PROXY header, and its address is not one of proxy.from")

// Read implements net.Conn. No protocol begins as a header does, so that one whose octets come one by one is refused as well,
// only not by this name.
func (d *direct) Read(p []byte) (int, error) {
	n, err := d.Conn.Read(p)
	if d.heard || n == 0 {
		return n, err
	}
	d.heard = true
	if !proxy.Begins(p[:n]) {
		return n, err
	}
	if d.failed != nil {
		d.failed(d.Conn, errNoProxy)
	}
	return 0, errNoProxy
}
