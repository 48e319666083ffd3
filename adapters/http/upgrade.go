package http

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	nethttp "net/http"
	"slices"
	"strings"

	"github.com/coder/websocket"

	"github.com/manifoldmq/manifold/router"
)

// Upgrade is another protocol that is served over WebSockets on this door's port (RFC 6455).
type Upgrade struct {
	// Serve runs one connection until that ends, and closes it. When ctx ends the process is stopping.
	Serve func(ctx context.Context, nc net.Conn)
	// Messages is there in place of Serve for a protocol whose messages are those of the WebSocket, all of them binary:
	// next waits for one of the client, of which no more need be read than is wanted, and each Write of nc is one for
	// it.
	Messages func(ctx context.Context, nc net.Conn, next func() (io.Reader, error))
	// Text tells that clients may also send messages of text. What they get is binary all the same: any octets, cut
	// anywhere.
	Text bool
	// Paths are where clients find it that name no subprotocol.
	Paths []string
}

// isUpgrade tells whether a request asks for a WebSocket. Go offers that over HTTP/1.1 only.
func isUpgrade(r *nethttp.Request) bool {
	return r.ProtoMajor == 1 && r.Method == nethttp.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// upgrade turns a request into a connection of the protocol that its client names, on whatever path, or else of the one
// that its path stands for. Messages are not compressed: a few bytes could become very many.
func (s *Server) upgrade(w nethttp.ResponseWriter, r *nethttp.Request) {
	name, ok := s.subprotocol(r)
	if !ok {
		s.refuse(w, r, router.Errorf(router.Malformed, "no subprotocol that is offered: %s", strings.Join(s.subprotocols, ", ")))
		return
	}
	if err := s.origins.checkUpgrade(r); err != nil {
		s.refuse(w, r, err)
		return
	}
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:       []string{name},
		InsecureSkipVerify: true, // the origin has been checked
	})
	if err != nil {
		return // Accept has answered
	}
	u := s.upgrades[name]
	ctx := context.WithoutCancel(r.Context())
	nc := websocket.NetConn(ctx, c, websocket.MessageBinary)
	m := &messages{Conn: nc, ctx: ctx, socket: c, text: u.Text}
	if u.Text {
		nc = m
	}
	if r.TLS != nil {
		nc = secured{nc, r.TLS}
	}
	if u.Messages != nil {
		u.Messages(stopping(r), nc, m.next)
		return
	}
	u.Serve(stopping(r), nc)
}

// messages is a WebSocket whose messages can be told apart. Reading has no deadline.
type messages struct {
	net.Conn
	ctx     context.Context
	socket  *websocket.Conn
	text    bool      // messages of text are taken too
	message io.Reader // what is being read; nil between two
}

// next waits for a message.
func (m *messages) next() (io.Reader, error) {
	kind, message, err := m.socket.Reader(m.ctx)
	if code := websocket.CloseStatus(err); code == websocket.StatusNormalClosure || code == websocket.StatusGoingAway {
		return nil, io.EOF
	}
	if err == nil && kind == websocket.MessageText && !m.text {
		err = errors.New("a message of text where only binary ones are taken")
		m.socket.Close(websocket.StatusUnsupportedData, err.Error())
	}
	return message, err
}

// Read gives what messages say, one after the other.
func (m *messages) Read(p []byte) (int, error) {
	for {
		if m.message == nil {
			next, err := m.next()
			if err != nil {
				return 0, err
			}
			m.message = next
		}
		n, err := m.message.Read(p)
		if err == io.EOF {
			m.message, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// secured is a WebSocket over TLS. It tells about TLS as a connection of that itself does.
type secured struct {
	net.Conn
	state *tls.ConnectionState
}

func (s secured) ConnectionState() tls.ConnectionState { return *s.state }

// subprotocol finds the first that a client asks for and that is offered. Who asks for none gets what is at the path.
func (s *Server) subprotocol(r *nethttp.Request) (string, bool) {
	asked := r.Header.Values("Sec-Websocket-Protocol")
	for _, line := range asked {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); slices.Contains(s.subprotocols, name) {
				return name, true
			}
		}
	}
	if len(asked) > 0 {
		return "", false
	}
	for _, name := range s.subprotocols {
		if slices.Contains(s.upgrades[name].Paths, r.URL.Path) {
			return name, true
		}
	}
	return "", false
}
