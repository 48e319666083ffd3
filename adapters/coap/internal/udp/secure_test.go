package udp

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	pion "github.com/pion/dtls/v3"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/dtls"
)

// secure makes the server one for coaps, with the key "secret" for each identity but "nobody".
func secure(o *Options) {
	limits := dtls.DefaultLimits()
	limits.RetransmitTimeout = 100 * time.Millisecond
	o.Security = dtls.NewServer(dtls.Config{
		PSK:    func(identity string) ([]byte, bool) { return []byte("secret"), identity != "nobody" },
		Limits: limits,
	})
}

// nomad is a socket that can be exchanged for another one.
type nomad struct {
	hears net.IP // whose datagrams it hears

	mu sync.Mutex // guards what is below
	net.PacketConn
}

func (n *nomad) current() net.PacketConn {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.PacketConn
}

func (n *nomad) WriteTo(p []byte, to net.Addr) (int, error) { return n.current().WriteTo(p, to) }

// ReadFrom goes on with the next socket when one is closed.
func (n *nomad) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		conn := n.current()
		size, from, err := conn.ReadFrom(p)
		switch {
		case err != nil && conn == n.current():
			return 0, nil, err
		case err == nil && from.(*net.UDPAddr).IP.Equal(n.hears):
			return size, from, nil
		}
	}
}

// move goes to another port.
func (n *nomad) move(t testing.TB) {
	next := openSocket(t)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.PacketConn.Close()
	n.PacketConn = next
}

func openSocket(t testing.TB) net.PacketConn {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// dialSecure shakes hands as an identity.
func dialSecure(t testing.TB, s *Server, identity string) (*caller, *nomad) {
	t.Helper()
	return dialSecureAt(t, net.UDPAddrFromAddrPort(s.Address()), identity)
}

func dialSecureAt(t testing.TB, to *net.UDPAddr, identity string) (*caller, *nomad) {
	t.Helper()
	n := &nomad{hears: to.IP, PacketConn: openSocket(t)}
	conn, err := pion.ClientWithOptions(n, to,
		pion.WithPSK(func([]byte) ([]byte, error) { return []byte("secret"), nil }), pion.WithPSKIdentityHint([]byte(identity)),
		pion.WithCipherSuites(pion.TLS_PSK_WITH_AES_128_CCM_8),
		pion.WithConnectionIDGenerator(pion.OnlySendCIDGenerator()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		t.Fatal(err)
	}
	return callOver(t, conn), n
}

func TestSecurePeerIsWhoItHasProven(t *testing.T) {
	h := newHouse()
	s, _ := serve(t, h, secure)
	c, _ := dialSecure(t, s, "lamp@acme")
	for i := range 20 {
		c.send(request(codes.POST, []string{"now", "later"}[i%2], fmt.Sprint(i), nil))
		c.response(fmt.Sprint(i))
	}
	if p := h.client(0).peer; !p.Secure || p.PSKIdentity != "lamp@acme" {
		t.Errorf("peer %+v", p)
	}
}

// A device with a connection id comes back from another port, and neither it nor its observation begins anew.
func TestSecurePeerMovesToAnotherPort(t *testing.T) {
	h := newHouse()
	s, _ := serve(t, h, secure)
	c, n := dialSecure(t, s, "lamp@acme")
	c.send(request(codes.GET, "watch", "w", nil, message.Option{ID: message.Observe}))
	c.response("w")
	n.move(t)
	c.send(request(codes.POST, "now", "a", nil))
	c.response("a")
	observer := h.client(0)
	observer.notify("w", "moved")
	if m := c.response("w"); string(m.Payload) != "moved" {
		t.Error(m.String())
	}
	if len(h.clients) != 1 {
		t.Errorf("%d clients", len(h.clients))
	}
}

func TestSecurePeerIsAnsweredFromWhereItSends(t *testing.T) {
	if !sharesPorts {
		t.Log("the system has one loopback address")
		return
	}
	h := newHouse()
	h.address = "0.0.0.0:0"
	s, _ := serve(t, h, secure)
	c, _ := dialSecureAt(t, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2), Port: int(s.Address().Port())}, "lamp@acme")
	c.send(request(codes.GET, "watch", "w", nil, message.Option{ID: message.Observe}))
	c.response("w")
	h.client(0).notify("w", "from elsewhere")
	c.response("w")
}

func TestSecurePeerSleepsAndWakes(t *testing.T) {
	h := newHouse()
	s, _ := serve(t, h, func(o *Options) {
		secure(o)
		o.Shared.Limits.ExchangeLifetime = time.Millisecond
	})
	c, _ := dialSecure(t, s, "lamp@acme")
	for i := range 3 {
		c.send(request(codes.POST, "now", fmt.Sprint(i), nil))
		c.response(fmt.Sprint(i))
		<-h.gone
		if n := s.Figures().Peers; n != 1 {
			t.Fatalf("%d peers while one sleeps", n)
		}
	}
}

func TestSecurePeerThatSleepsTooLongIsForgotten(t *testing.T) {
	h := newHouse()
	s, _ := serve(t, h, func(o *Options) {
		secure(o)
		o.Shared.Limits.ExchangeLifetime, o.SessionTimeout = time.Millisecond, time.Second // which a handshake may take to end
	})
	c, _ := dialSecure(t, s, "lamp@acme")
	if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.conn.Read(make([]byte, 100)); err == nil {
		t.Error("the session is not closed")
	}
}

func TestSecurePeersThatSleepMakeRoom(t *testing.T) {
	h := newHouse()
	s, _ := serve(t, h, func(o *Options) {
		secure(o)
		o.MaxPeers = 1
	})
	dialSecure(t, s, "one@acme")
	c, _ := dialSecure(t, s, "two@acme")
	c.send(request(codes.POST, "now", "a", nil))
	c.response("a")
	if p := h.client(0).peer; p.PSKIdentity != "two@acme" {
		t.Errorf("peer %+v", p)
	}
}

func TestSecurePeerIsToldWhenTheServerStops(t *testing.T) {
	h := newHouse()
	s, stop := serve(t, h, secure)
	c, _ := dialSecure(t, s, "lamp@acme")
	c.send(request(codes.POST, "now", "a", nil))
	c.response("a")
	stop()
	<-h.gone
	if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.conn.Read(make([]byte, 100)); err == nil {
		t.Error("the session is not closed")
	}
}

// Somebody on the way can divert a record, so that a new address gets little before it is proven (RFC 9146 section 6).
func TestSecurePeerThatHasMovedProvesItsAddress(t *testing.T) {
	for name, sleeps := range map[string]bool{"awake": false, "asleep": true} {
		t.Run(name, func(t *testing.T) {
			h := newHouse()
			s, _ := serve(t, h, func(o *Options) {
				secure(o)
				if sleeps {
					o.Shared.Limits.ExchangeLifetime, o.Shared.Limits.Block.KeepTimeout = time.Millisecond, time.Millisecond
				}
			})
			c, n := dialSecure(t, s, "lamp@acme")
			ask := func(token string) (pinged bool) {
				defer func() {
					if sleeps {
						<-h.gone
					}
				}()
				for c.send(request(codes.GET, "large", token, nil)); ; {
					m := c.receive()
					switch {
					case m.Type == message.Confirmable && m.Code == codes.Empty:
						pinged = true
						c.send(message.Message{Type: message.Reset, MessageID: m.MessageID})
					case m.Type == message.Confirmable:
						c.send(message.Message{Type: message.Acknowledgement, MessageID: m.MessageID})
					}
					if string(m.Token) == token && m.Code == codes.Content {
						return pinged
					}
				}
			}
			if ask("a") {
				t.Error("it has to prove its address at home")
			}
			n.move(t)
			if !ask("b") {
				t.Error("it need not prove its new address")
			}
			if !sleeps && ask("c") {
				t.Error("it has to prove it twice")
			}
		})
	}
}
