// Package websocket makes a WebSocket, whose messages are those of CoAP (RFC 8323 section 4), look like a stream, whose
// messages say how long they are (section 3). So one engine serves both.
//
// Promises:
//   - Each message of the WebSocket becomes one of the stream, and the other way round.
//   - No more is read of a message than the limit and one octet, which the engine refuses; an idle connection keeps no
//     buffer.
package websocket

import (
	"io"
	"net"

	"github.com/manifoldmq/manifold/adapters/coap/internal/stream"
)

// Conn is the stream. Read and Write may be called by one goroutine each.
type Conn struct {
	net.Conn // each Write of it is one message
	next     func() (io.Reader, error)
	limit    int
	unread   []byte
}

// New gives the stream of a WebSocket. next waits for the client's next message; the limit is how many octets it may
// have.
func New(nc net.Conn, next func() (io.Reader, error), limit int) *Conn {
	return &Conn{Conn: nc, next: next, limit: limit}
}

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	if len(c.unread) == 0 {
		r, err := c.next()
		if err != nil {
			return 0, err
		}
		message, err := io.ReadAll(io.LimitReader(r, int64(c.limit)+1))
		if err != nil {
			return 0, err
		}
		if c.unread, err = stream.AppendFramed(nil, message); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.unread)
	if c.unread = c.unread[n:]; len(c.unread) == 0 {
		c.unread = nil
	}
	return n, nil
}

// Write implements net.Conn. It takes whole messages, as many as there are in p.
func (c *Conn) Write(p []byte) (n int, err error) {
	var message []byte
	for rest := p; len(rest) > 0; n = len(p) - len(rest) {
		after := rest
		if message, after, err = stream.AppendUnframed(message[:0], rest); err != nil {
			return n, err
		}
		if len(after) == len(rest) {
			return n, io.ErrShortWrite
		}
		if _, err := c.Conn.Write(message); err != nil {
			return n, err
		}
		rest = after
	}
	return n, nil
}
