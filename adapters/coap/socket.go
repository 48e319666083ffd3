package coap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"

	"github.com/manifoldmq/manifold/adapters/coap/internal/datagram"
	"github.com/manifoldmq/manifold/adapters/coap/internal/dtls"
	"github.com/manifoldmq/manifold/adapters/coap/internal/udp"
	"github.com/manifoldmq/manifold/tenancy"
)

// Security is what handshakes of DTLS go by, besides the pre-shared keys of users.
type Security struct {
	// Certificate gives the server's certificate for a name that a client asks for, empty for none. Nil leaves certificates out.
	Certificate func(host string) (*tls.Certificate, error)
	// ClientCAs gives who may have signed the certificates of clients. Nil, or nil from it, asks for none.
	ClientCAs func() *x509.CertPool
	// Verify tells why a chain that one of them has signed is not good, such as one that is revoked. Nil takes all.
	Verify func(chain []*x509.Certificate) error
	// Failed hears of handshakes that went wrong after the client's address was proven; nil for nobody.
	Failed func(from netip.AddrPort, err error)
	// Required refuses requests of clients that have shown neither a certificate nor a key.
	Required bool
}

// Socket is an open port of the door, for UDP or DTLS.
type Socket struct {
	front  *front
	cancel context.CancelFunc
	udp    *udp.Server
	served atomic.Bool
}

// Listen opens a port for UDP. The address is host:port, as of package net; with port 0 the system chooses one.
func (s *Server) Listen(address string) (*Socket, error) {
	return s.listen(address, func(o *udp.Options) { o.Lanes = runtime.GOMAXPROCS(0) })
}

// ListenDTLS opens a port for DTLS.
func (s *Server) ListenDTLS(address string, c Security) (*Socket, error) {
	security := dtls.NewServer(dtls.Config{
		PSK: func(identity string) ([]byte, bool) {
			return s.config.Directory.PreSharedKey(tenancy.Visitor{}, identity), true
		},
		Certificate: c.Certificate,
		ClientCAs:   c.ClientCAs,
		Verify:      c.Verify,
		Failed: func(from netip.AddrPort, err error) {
			s.log.Debug("DTLS handshake failed", "peer", from, "err", err)
			if c.Failed != nil {
				c.Failed(from, err)
			}
		},
		Limits: s.limits.DTLS,
	})
	opened, err := s.listen(address, func(o *udp.Options) {
		o.Security, o.SessionTimeout = security, s.limits.SessionTimeout
	})
	if err == nil {
		opened.front.proof = c.Required
	}
	return opened, err
}

func (s *Server) listen(address string, change func(*udp.Options)) (*Socket, error) {
	base, cancel := context.WithCancel(context.Background())
	f := &front{server: s, ctx: base}
	options := udp.Options{
		Open: f.open,
		Shared: datagram.Shared{
			Limits: s.limits.Datagram, Budget: s.budget, EchoKey: s.echoKey, Random: rand.Uint64,
		},
		MaxPeers:     s.limits.MaxPeers,
		MaxDatagram:  s.limits.MaxDatagram,
		DrainTimeout: s.limits.DrainTimeout,
	}
	change(&options)
	opened, err := udp.Listen(address, options)
	if err != nil {
		cancel()
		return nil, err
	}
	return &Socket{front: f, cancel: cancel, udp: opened}, nil
}

// Addr is where the socket listens.
func (k *Socket) Addr() net.Addr { return net.UDPAddrFromAddrPort(k.udp.Address()) }

// Serve serves the socket until ctx ends; then peers are told, and it returns when what they wait for has been answered or
// the drain timeout is over. It closes the socket.
func (k *Socket) Serve(ctx context.Context) error {
	k.served.Store(true)
	k.front.server.serving.Add(1)
	defer k.front.server.served()
	err := k.udp.Serve(ctx)
	k.cancel()
	k.front.checking.Wait()
	return err
}

// Close closes a socket that is not served. It does nothing to one that is, or was.
func (k *Socket) Close() error {
	if k.served.Load() {
		return nil
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	return k.Serve(over)
}
