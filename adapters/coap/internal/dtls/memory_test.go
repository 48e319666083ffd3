package dtls_test

import (
	"crypto/rand"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	pion "github.com/pion/dtls/v3"

	"github.com/manifoldmq/manifold/adapters/coap/internal/dtls"
)

// TestIdleSessionIsSmall shakes hands with many clients that then fall asleep.
func TestIdleSessionIsSmall(t *testing.T) {
	const sessions = 1000
	a := newAuthority(t)
	for name, c := range map[string]struct {
		most    int
		options []pion.ClientOption
	}{
		"with a key": {4 << 10, withKey("device-7@tenant", "secret")},
		"with a certificate": {16 << 10, []pion.ClientOption{
			pion.WithRootCAs(a.pool()), pion.WithServerName("server"), pion.WithCertificates(a.issue("device-8")),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			limits := dtls.DefaultLimits()
			limits.HandshakesPerSecond = 1 << 20
			l := listen(t, dtls.Config{
				PSK: keys, Certificate: serving(a.issue("server")), ClientCAs: a.pool, Limits: limits,
			})
			sleep := func(n int) {
				for range n {
					socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
					if err != nil {
						t.Fatal(err)
					}
					conn := &silenced{UDPConn: socket}
					client, err := shakeHands(t, l, conn, slices.Concat(c.options, []pion.ClientOption{
						pion.WithConnectionIDGenerator(pion.OnlySendCIDGenerator()),
					})...)
					if err != nil {
						t.Fatal(err)
					}
					echoes(t, client, "good night")
					conn.mute.Store(true)
					client.Close()
				}
			}
			sleep(10) // what is taken once
			before := heap()
			sleep(sessions)
			each := int(heap()-before) / sessions
			t.Logf("%d octets each", each)
			l.mu.Lock()
			defer l.mu.Unlock()
			if each > c.most || l.server.Sessions() != sessions+10 {
				t.Errorf("%d idle sessions take %d octets each", l.server.Sessions(), each)
			}
		})
	}
}

// heap tells how much is in use, stacks included.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

func BenchmarkSeal(b *testing.B) {
	for _, suite := range []pion.CipherSuiteID{pion.TLS_PSK_WITH_AES_128_CCM_8, pion.TLS_PSK_WITH_AES_128_GCM_SHA256} {
		b.Run(suite.String(), func(b *testing.B) {
			l := listen(b, dtls.Config{PSK: keys})
			options := append(withKey("device-7", "secret"), pion.WithCipherSuites(suite))
			if _, err := dial(b, l, socket(b), options...); err != nil {
				b.Fatal(err)
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			message, out := make([]byte, 64), make([]byte, 0, 200)
			rand.Read(message)
			b.ReportAllocs()
			for b.Loop() {
				out = l.opened[0].Seal(out[:0], message)
			}
		})
	}
}

// FuzzReceive gives a server what anybody might send to it, before and during handshakes.
func FuzzReceive(f *testing.F) {
	f.Add([]byte{22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte("\x16\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x39\x01\x00\x00\x2d\x00\x00\x00\x00\x00\x00\x00\x2d" +
		"\xfe\xfd01234567890123456789012345678901\x00\x00\x00\x02\xc0\xa8\x01\x00"))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		server := dtls.NewServer(dtls.Config{PSK: keys, Limits: dtls.DefaultLimits()})
		server.Receive(time.Now(), netip.MustParseAddrPort("192.0.2.1:5684"), datagram, nowhere{})
		server.Advance(time.Now().Add(time.Hour), nowhere{})
	})
}

type nowhere struct{}

func (nowhere) Send(netip.AddrPort, []byte)               {}
func (nowhere) Opened(time.Time, *dtls.Session)           {}
func (nowhere) Received(time.Time, *dtls.Session, []byte) {}
func (nowhere) Ended(time.Time, *dtls.Session)            {}
