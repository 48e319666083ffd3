package http

import (
	"context"
	"crypto/tls"
	"net"
	nethttp "net/http"
	"slices"
	"strings"

	"github.com/coder/websocket"

	"github.com/manifoldmq/manifold/router"
)

// Upgrade serves another protocol over a WebSocket on this door's port (RFC 6455): it runs one connection until that
// ends, and closes it. When ctx ends the process is stopping.
type Upgrade func(ctx context.Context, nc net.Conn)

// isUpgrade tells whether a request asks for a WebSocket. Go offers that over HTTP/1.1 only.
func isUpgrade(r *nethttp.Request) bool {
	return r.ProtoMajor == 1 && r.Method == nethttp.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// upgrade turns a request into a connection of the protocol that its client names, on whatever path. Messages are not
// compressed: a few bytes could become very many.
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
	nc := websocket.NetConn(context.WithoutCancel(r.Context()), c, websocket.MessageBinary)
	if r.TLS != nil {
		nc = secured{nc, r.TLS}
	}
	s.upgrades[name](stopping(r), nc)
}

// secured is a WebSocket over TLS. It tells about TLS as a connection of that itself does.
type secured struct {
	net.Conn
	state *tls.ConnectionState
}

func (s secured) ConnectionState() tls.ConnectionState { return *s.state }

// subprotocol finds the first that a client asks for and that is offered.
func (s *Server) subprotocol(r *nethttp.Request) (string, bool) {
	for _, line := range r.Header.Values("Sec-Websocket-Protocol") {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); slices.Contains(s.subprotocols, name) {
				return name, true
			}
		}
	}
	return "", false
}
