package coap

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
	"github.com/manifoldmq/manifold/adapters/coap/internal/stream"
	"github.com/manifoldmq/manifold/adapters/coap/internal/websocket"
	"github.com/manifoldmq/manifold/router/transport"
)

// Serve takes connections of TCP from ln until ctx ends; then clients are told goodbye, and it returns when all have gone
// or the driver's drain timeout has cut them off. It closes ln.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	return transport.Accept(ctx, ln, s.ServeConn)
}

// ServeConn runs one connection of TCP or TLS until it ends, and hangs up as transport.Driver does. If it is one of TLS, it has
// shaken hands.
func (s *Server) ServeConn(ctx context.Context, nc net.Conn) { s.run(ctx, nc, nc) }

// ServeWebSocket is ServeConn for a WebSocket, of which each call of next gives what the client says in one message
// (RFC 8323 section 4).
func (s *Server) ServeWebSocket(ctx context.Context, nc net.Conn, next func() (io.Reader, error)) {
	s.run(ctx, nc, websocket.New(nc, next, s.limits.Stream.MaxMessage))
}

// run runs the conversation of a connection over what carries it.
func (s *Server) run(ctx context.Context, nc, carrier net.Conn) {
	err := s.serve(ctx, func(open session.Open) error {
		var engine *stream.Engine
		err := s.config.Driver.Serve(ctx, carrier, func(wake func()) transport.Engine {
			engine = stream.New(&s.streams, open(peerOn(nc), wake))
			return engine
		})
		engine.Lost(time.Now())
		return err
	})
	if err != nil && !errors.Is(err, io.EOF) {
		s.log.Debug("CoAP connection ended", "peer", nc.RemoteAddr(), "err", err)
	}
}

// peerOn gives who is at the other end of a connection.
func peerOn(nc net.Conn) session.Peer {
	var p session.Peer
	p.Address, _ = netip.ParseAddrPort(nc.RemoteAddr().String()) // it stays unknown in memory
	if secured, ok := nc.(interface{ ConnectionState() tls.ConnectionState }); ok {
		state := secured.ConnectionState()
		p.Secure, p.Host = true, state.ServerName
		p.Certificates = state.PeerCertificates
	}
	return p
}
