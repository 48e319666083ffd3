package dtls_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	pion "github.com/pion/dtls/v3"

	"github.com/manifoldmq/manifold/adapters/coap/internal/dtls"
)

// keys gives the key "secret" to everybody whose identity begins with "device".
func keys(identity string) ([]byte, bool) {
	return []byte("secret"), len(identity) >= 6 && identity[:6] == "device"
}

// withKey are a constrained client's options, unless later ones say otherwise.
func withKey(identity, key string) []pion.ClientOption {
	return []pion.ClientOption{
		pion.WithCipherSuites(pion.TLS_PSK_WITH_AES_128_CCM_8),
		pion.WithPSK(func([]byte) ([]byte, error) { return []byte(key), nil }),
		pion.WithPSKIdentityHint([]byte(identity)),
	}
}

// dial shakes hands with a lane over a socket, for as long as the test takes.
func dial(t testing.TB, l *lane, conn net.PacketConn, options ...pion.ClientOption) (*pion.Conn, error) {
	t.Helper()
	c, err := shakeHands(t, l, conn, options...)
	t.Cleanup(func() { c.Close() })
	return c, err
}

func shakeHands(t testing.TB, l *lane, conn net.PacketConn, options ...pion.ClientOption) (*pion.Conn, error) {
	t.Helper()
	c, err := pion.ClientWithOptions(conn, l.address(), options...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return c, c.HandshakeContext(ctx)
}

func socket(t testing.TB) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// echoes has a message come back.
func echoes(t testing.TB, c *pion.Conn, message string) {
	t.Helper()
	if _, err := c.Write([]byte(message)); err != nil {
		t.Fatal(err)
	}
	c.SetReadDeadline(time.Now().Add(time.Minute))
	p := make([]byte, 2000)
	n, err := c.Read(p)
	if err != nil || string(p[:n]) != message {
		t.Fatalf("%q came back as %q: %v", message, p[:n], err)
	}
}

func TestClientsAreServedInEachCipherSuite(t *testing.T) {
	a := newAuthority(t)
	curve, big := a.issue("server"), a.issueRSA("server")
	for _, id := range []pion.CipherSuiteID{
		pion.TLS_PSK_WITH_AES_128_CCM_8, pion.TLS_PSK_WITH_AES_128_CCM, pion.TLS_PSK_WITH_AES_128_GCM_SHA256,
		pion.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, pion.TLS_ECDHE_ECDSA_WITH_AES_128_CCM,
		pion.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, pion.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		pion.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, pion.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	} {
		for _, extended := range []pion.ExtendedMasterSecretType{pion.RequireExtendedMasterSecret, pion.DisableExtendedMasterSecret} {
			t.Run(fmt.Sprintf("%v/%d", id, extended), func(t *testing.T) {
				certificate := curve
				if id == pion.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 || id == pion.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 {
					certificate = big
				}
				l := listen(t, dtls.Config{PSK: keys, Hint: "manifold", Certificate: serving(certificate)})
				options := []pion.ClientOption{
					pion.WithExtendedMasterSecret(extended), pion.WithRootCAs(a.pool()), pion.WithServerName("server"),
				}
				if id == pion.TLS_PSK_WITH_AES_128_CCM_8 || id == pion.TLS_PSK_WITH_AES_128_CCM ||
					id == pion.TLS_PSK_WITH_AES_128_GCM_SHA256 {
					options = append(options, withKey("device-7@tenant", "secret")...)
				}
				c, err := dial(t, l, socket(t), append(options, pion.WithCipherSuites(id))...)
				if err != nil {
					t.Fatal(err)
				}
				echoes(t, c, "hello")
				echoes(t, c, "again")
			})
		}
	}
}

func TestPeerTellsWhoTheClientIs(t *testing.T) {
	a := newAuthority(t)
	l := listen(t, dtls.Config{PSK: keys, Certificate: serving(a.issue("server")), ClientCAs: a.pool})
	c, err := dial(t, l, socket(t), withKey("device-7@tenant", "secret")...)
	if err != nil {
		t.Fatal(err)
	}
	echoes(t, c, "hello")
	known := []pion.ClientOption{pion.WithRootCAs(a.pool()), pion.WithServerName("server")}
	if c, err = dial(t, l, socket(t), append(known, pion.WithCertificates(a.issue("device-8")))...); err != nil {
		t.Fatal(err)
	}
	echoes(t, c, "hello")
	if c, err = dial(t, l, socket(t), known...); err != nil {
		t.Fatal(err)
	}
	echoes(t, c, "hello")
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.opened[0].Peer(); !p.Secure || p.PSKIdentity != "device-7@tenant" || p.Certificates != nil {
		t.Errorf("with a key: %+v", p)
	}
	if p := l.opened[1].Peer(); p.Host != "server" || len(p.Certificates) != 2 || p.Certificates[0].Subject.CommonName != "device-8" {
		t.Errorf("with a certificate: %+v", p)
	}
	if p := l.opened[2].Peer(); p.Certificates != nil || p.PSKIdentity != "" {
		t.Errorf("without a certificate: %+v", p)
	}
}

func TestWhoCannotProveItIsRefused(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	trusting := []pion.ClientOption{pion.WithRootCAs(a.pool()), pion.WithServerName("server")}
	stolen := a.issue("device-8")
	stolen.PrivateKey = other.issue("device-8").PrivateKey
	for name, options := range map[string][]pion.ClientOption{
		"wrong key":              withKey("device-7", "guess"),
		"unknown identity":       withKey("nobody", "secret"),
		"foreign certificate":    append(trusting, pion.WithCertificates(other.issue("device-8"))),
		"somebody's certificate": append(trusting, pion.WithCertificates(stolen)),
		"no cipher suite":        append(withKey("device-7", "secret"), pion.WithCipherSuites(pion.TLS_PSK_WITH_AES_256_CCM_8)),
	} {
		t.Run(name, func(t *testing.T) {
			l := listen(t, dtls.Config{PSK: keys, Certificate: serving(a.issue("server")), ClientCAs: a.pool})
			if _, err := dial(t, l, socket(t), options...); err == nil {
				t.Fatal("the client was let in")
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			if len(l.opened) > 0 || len(l.failures) == 0 {
				t.Errorf("opened %d, failures %v", len(l.opened), l.failures)
			}
			t.Log(l.failures)
		})
	}
}

// TestChainThatIsNotGoodAllTheSameEndsTheHandshake: one that is revoked, for example.
func TestChainThatIsNotGoodAllTheSameEndsTheHandshake(t *testing.T) {
	a := newAuthority(t)
	errRevoked := errors.New("it is revoked")
	l := listen(t, dtls.Config{
		Certificate: serving(a.issue("server")), ClientCAs: a.pool,
		Verify: func(chain []*x509.Certificate) error {
			if len(chain) == 2 && chain[0].Subject.CommonName == "device-8" {
				return errRevoked
			}
			return nil
		},
	})
	trusting := []pion.ClientOption{pion.WithRootCAs(a.pool()), pion.WithServerName("server")}
	if _, err := dial(t, l, socket(t), append(trusting, pion.WithCertificates(a.issue("device-8")))...); err == nil {
		t.Error("the client was let in")
	}
	for _, options := range [][]pion.ClientOption{trusting, append(trusting, pion.WithCertificates(a.issue("device-9")))} {
		if _, err := dial(t, l, socket(t), options...); err != nil {
			t.Error(err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.failures) != 1 || !errors.Is(l.failures[0], errRevoked) {
		t.Errorf("failures %v", l.failures)
	}
}

// meddler changes the name of the server in what its client sends.
type meddler struct{ *net.UDPConn }

func (m *meddler) WriteTo(p []byte, to net.Addr) (int, error) {
	return m.UDPConn.WriteTo(bytes.Replace(p, []byte("server"), []byte("sesame"), 1), to)
}

func TestHandshakeThatWasMeddledWithIsRefused(t *testing.T) {
	l := listen(t, dtls.Config{PSK: keys})
	// Without the extended master secret only the Finished messages depend on everything that was said.
	_, err := dial(t, l, &meddler{socket(t)}, append(withKey("device-7", "secret"),
		pion.WithServerName("server"), pion.WithExtendedMasterSecret(pion.DisableExtendedMasterSecret))...)
	if err == nil {
		t.Fatal("the client was let in")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.opened) > 0 || len(l.failures) != 1 {
		t.Errorf("opened %d, failures %v", len(l.opened), l.failures)
	}
}

// wanderer is a client's socket that can be exchanged under it.
type wanderer struct {
	*net.UDPConn // the first
	mu           sync.Mutex
	now          *net.UDPConn
	server       net.Addr
}

func (w *wanderer) WriteTo(p []byte, to net.Addr) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now.WriteTo(p, to)
}

// ReadFrom has everything come from the server, whoever hands it on.
func (w *wanderer) ReadFrom(p []byte) (int, net.Addr, error) {
	n, _, err := w.UDPConn.ReadFrom(p)
	return n, w.server, err
}

// move goes on from another port; what comes there is handed to the first.
func (w *wanderer) move(t *testing.T) (port uint16) {
	next := socket(t)
	w.mu.Lock()
	w.now = next
	w.mu.Unlock()
	relay := socket(t)
	go func() {
		p := make([]byte, 2000)
		for {
			n, _, err := next.ReadFrom(p)
			if err != nil {
				return
			}
			relay.WriteTo(p[:n], w.LocalAddr())
		}
	}()
	return next.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

func TestClientWithConnectionIDComesBackFromAnotherPort(t *testing.T) {
	for name, id := range map[string]func() []byte{"both": pion.RandomCIDGenerator(6), "only ours": pion.OnlySendCIDGenerator()} {
		t.Run(name, func(t *testing.T) {
			l := listen(t, dtls.Config{PSK: keys})
			first := socket(t)
			w := &wanderer{UDPConn: first, now: first, server: l.address()}
			c, err := dial(t, l, w, append(withKey("device-7", "secret"), pion.WithConnectionIDGenerator(id))...)
			if err != nil {
				t.Fatal(err)
			}
			echoes(t, c, "at home")
			for range 3 {
				port := w.move(t)
				echoes(t, c, "elsewhere")
				l.mu.Lock()
				if len(l.opened) != 1 || l.server.Sessions() != 1 || l.opened[0].Address().Port() != port {
					t.Errorf("%d sessions were opened, the client is at %v, not at port %d",
						len(l.opened), l.opened[0].Address(), port)
				}
				l.mu.Unlock()
			}
		})
	}
}

func TestForgedAndReplayedRecordsMoveNobody(t *testing.T) {
	l := listen(t, dtls.Config{PSK: keys})
	tap := &tapped{UDPConn: socket(t)}
	c, err := dial(t, l, tap, append(withKey("device-7", "secret"), pion.WithConnectionIDGenerator(pion.RandomCIDGenerator(4)))...)
	if err != nil {
		t.Fatal(err)
	}
	echoes(t, c, "hello")
	record := tap.newest()
	l.mu.Lock()
	defer l.mu.Unlock()
	home, elsewhere := l.opened[0].Address(), netip.MustParseAddrPort("127.0.0.1:9")
	forged := bytes.Clone(record)
	forged[len(forged)-1] ^= 1
	forged[10]++ // a number that is not taken yet
	l.server.Receive(time.Now(), elsewhere, bytes.Clone(record), l)
	l.server.Receive(time.Now(), elsewhere, forged, l)
	if l.heard != 1 || l.opened[0].Address() != home {
		t.Errorf("heard %d messages; the client is at %v", l.heard, l.opened[0].Address())
	}
}

// tapped remembers what its client sent last.
type tapped struct {
	*net.UDPConn
	mu   sync.Mutex
	last []byte
}

func (c *tapped) WriteTo(p []byte, to net.Addr) (int, error) {
	c.mu.Lock()
	c.last = bytes.Clone(p)
	c.mu.Unlock()
	return c.UDPConn.WriteTo(p, to)
}

func (c *tapped) newest() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

func TestGoodbyeEndsASession(t *testing.T) {
	l := listen(t, dtls.Config{PSK: keys})
	c, err := dial(t, l, socket(t), withKey("device-7", "secret")...)
	if err != nil {
		t.Fatal(err)
	}
	echoes(t, c, "hello")
	c.Close()
	l.eventually(t, "the end", func() bool { return l.ended == 1 && l.server.Sessions() == 0 })
}

func TestNewHandshakeFromTheSameAddressReplacesTheSession(t *testing.T) {
	l := listen(t, dtls.Config{PSK: keys})
	conn := socket(t)
	address := conn.LocalAddr().(*net.UDPAddr)
	quiet := &silenced{UDPConn: conn}
	c, err := dial(t, l, quiet, withKey("device-7", "secret")...)
	if err != nil {
		t.Fatal(err)
	}
	echoes(t, c, "hello")
	quiet.mute.Store(true) // as a device that loses its power
	c.Close()
	if conn, err = net.ListenUDP("udp", address); err != nil {
		t.Fatal(err)
	}
	if c, err = dial(t, l, conn, withKey("device-7", "secret")...); err != nil {
		t.Fatal(err)
	}
	echoes(t, c, "I am back")
	l.eventually(t, "the end of the first", func() bool { return l.ended == 1 && l.server.Sessions() == 1 })
}

// silenced lets nothing out once it is mute.
type silenced struct {
	*net.UDPConn
	mute atomic.Bool
}

func (c *silenced) WriteTo(p []byte, to net.Addr) (int, error) {
	if c.mute.Load() {
		return len(p), nil
	}
	return c.UDPConn.WriteTo(p, to)
}

func TestLostFlightsAreSentAgain(t *testing.T) {
	a := newAuthority(t)
	for lost := range 4 {
		t.Run(fmt.Sprint(lost), func(t *testing.T) {
			limits := dtls.DefaultLimits()
			limits.RetransmitTimeout = 50 * time.Millisecond
			limits.MaxDatagram = 300
			l := listen(t, dtls.Config{Certificate: serving(a.issue("server")), Limits: limits})
			count := 0
			l.mu.Lock()
			l.drop = func(netip.AddrPort, []byte) bool {
				count++
				return count-1 == 2*lost || count-1 == 2*lost+1
			}
			l.mu.Unlock()
			c, err := dial(t, l, socket(t), pion.WithRootCAs(a.pool()), pion.WithServerName("server"),
				pion.WithFlightInterval(100*time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			echoes(t, c, "hello")
		})
	}
}

func TestLostFinishedIsSentAgain(t *testing.T) {
	for name, id := range map[string]func() []byte{"without an id": nil, "with an id": pion.RandomCIDGenerator(4)} {
		t.Run(name, func(t *testing.T) {
			l := listen(t, dtls.Config{PSK: keys})
			var dropped atomic.Bool
			l.mu.Lock()
			l.drop = func(_ netip.AddrPort, p []byte) bool {
				return p[0] == 20 && dropped.CompareAndSwap(false, true) // ChangeCipherSpec and Finished
			}
			l.mu.Unlock()
			options := append(withKey("device-7", "secret"), pion.WithFlightInterval(100*time.Millisecond))
			if id != nil {
				options = append(options, pion.WithConnectionIDGenerator(id))
			}
			c, err := dial(t, l, socket(t), options...)
			if err != nil || !dropped.Load() {
				t.Fatalf("dropped %v: %v", dropped.Load(), err)
			}
			echoes(t, c, "hello")
		})
	}
}

func TestNothingIsRememberedOfWhoHasNotProvenItsAddress(t *testing.T) {
	l := listen(t, dtls.Config{PSK: keys})
	tap := &tapped{UDPConn: socket(t)}
	ctx, cancel := context.WithCancel(context.Background())
	c, err := pion.ClientWithOptions(tap, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}, withKey("device-7", "secret")...)
	if err != nil {
		t.Fatal(err)
	}
	finished := make(chan struct{})
	go func() { defer close(finished); c.HandshakeContext(ctx) }()
	l.eventually(t, "a ClientHello", func() bool { return tap.newest() != nil })
	cancel()
	<-finished
	hello := tap.newest()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop = func(netip.AddrPort, []byte) bool { return true }
	for port := range uint16(10_000) {
		from := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port+1)
		l.server.Receive(time.Now(), from, bytes.Clone(hello), l)
	}
	if l.sent > 10_000*len(hello) {
		t.Errorf("%d octets were sent for %d", l.sent, 10_000*len(hello))
	}
	if !l.server.Deadline().IsZero() || len(l.failures) > 0 {
		t.Errorf("there are handshakes: %v, %v", l.server.Deadline(), l.failures)
	}
}

func TestCertificateIsAskedForAtEachHandshake(t *testing.T) {
	a := newAuthority(t)
	first, second := a.issue("server"), a.issue("server")
	served := 0
	l := listen(t, dtls.Config{Certificate: func(host string) (*tls.Certificate, error) {
		served++
		if served == 1 {
			return &first, nil
		}
		return &second, nil
	}})
	for _, want := range []tls.Certificate{first, second} {
		c, err := dial(t, l, socket(t), pion.WithRootCAs(a.pool()), pion.WithServerName("server"))
		if err != nil {
			t.Fatal(err)
		}
		state, _ := c.ConnectionState()
		if got, err := x509.ParseCertificate(state.PeerCertificates[0]); err != nil || !bytes.Equal(got.Raw, want.Certificate[0]) {
			t.Errorf("another certificate was served: %v", err)
		}
	}
}
