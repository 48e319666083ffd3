package prelude

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// heard is a failure that was told.
type heard struct {
	from string
	err  error
}

// listen begins to take connections on this machine, and gives the address and what is told of failures.
func listen(t *testing.T, s Steps) (l *Listener, failures chan heard) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	failures = make(chan heard, 16)
	s.Failed = func(nc net.Conn, err error) { failures <- heard{nc.RemoteAddr().String(), err} }
	if s.Patience == 0 {
		s.Patience = time.Minute
	}
	l = Listen(ln, s)
	t.Cleanup(func() { l.Close() })
	return l, failures
}

// say connects and says something.
func say(t *testing.T, l *Listener, text string) net.Conn {
	t.Helper()
	nc, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	if _, err := io.WriteString(nc, text); err != nil {
		t.Fatal(err)
	}
	return nc
}

// loopback is a network whose connections are proxies', and elsewhere one that has none here.
var (
	loopback  = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	elsewhere = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
)

func TestAddressIsThatOfTheClientBehindTheProxy(t *testing.T) {
	l, _ := listen(t, Steps{Proxies: loopback})
	for header, want := range map[string]string{
		"PROXY TCP4 192.0.2.7 198.51.100.1 50700 8080\r\n": "192.0.2.7:50700",
		"PROXY UNKNOWN\r\n": "127.0.0.1:",
	} {
		client := say(t, l, header+"hello")
		nc, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		client.(*net.TCPConn).CloseWrite()
		text, err := io.ReadAll(nc)
		if got := nc.RemoteAddr().String(); !strings.HasPrefix(got, want) || string(text) != "hello" || err != nil {
			t.Errorf("%q: from %s %q, %v", header, got, text, err)
		}
		nc.Close()
	}
}

func TestWhoIsNoProxyIsNotBelieved(t *testing.T) {
	l, failures := listen(t, Steps{Proxies: elsewhere})
	say(t, l, "PROXY TCP4 192.0.2.7 198.51.100.1 50700 8080\r\nhello")
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if n, err := nc.Read(make([]byte, 100)); err == nil || n > 0 {
		t.Errorf("it is read: %d, %v", n, err)
	}
	if f := <-failures; !strings.HasPrefix(f.from, "127.0.0.1:") || !strings.Contains(f.err.Error(), "proxy.from") {
		t.Errorf("told %+v", f)
	}
	say(t, l, "hello")
	other, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	text := make([]byte, 5)
	if _, err := io.ReadFull(other, text); err != nil || string(text) != "hello" || !strings.HasPrefix(other.RemoteAddr().String(), "127.0.0.1:") {
		t.Errorf("of itself it says %q, %v", text, err)
	}
}

func TestProxyAlwaysSaysWhoseConnectionItIs(t *testing.T) {
	l, failures := listen(t, Steps{Proxies: loopback, Patience: 50 * time.Millisecond})
	for _, text := range []string{"GET / HTTP/1.1\r\n\r\n", "PROXY TCP4 192.0.2.7", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\xff\xff", ""} {
		nc := say(t, l, text)
		if _, err := nc.Read(make([]byte, 1)); err == nil {
			t.Errorf("%q is answered", text)
		}
		if f := <-failures; f.err == nil {
			t.Errorf("%q: nothing is told", text)
		}
	}
	l, failures = listen(t, Steps{Proxies: loopback})
	say(t, l, "").Close() // who looks whether somebody is there is none to tell of
	say(t, l, "x").Close()
	if f := <-failures; !strings.Contains(f.err.Error(), "there is no PROXY header") {
		t.Errorf("told %v", f.err)
	}
}

func TestHandshakeComesBehindTheHeader(t *testing.T) {
	a := gatewaytest.New(t)
	pair, err := tls.LoadX509KeyPair(a.Server())
	if err != nil {
		t.Fatal(err)
	}
	l, failures := listen(t, Steps{Proxies: loopback, TLS: &tls.Config{Certificates: []tls.Certificate{pair}}})
	slow := say(t, l, "PROXY UNKNOWN\r\n") // nobody waits for it
	defer slow.Close()
	nc := say(t, l, "PROXY TCP4 192.0.2.7 198.51.100.1 50700 8080\r\n")
	client := tls.Client(nc, a.Dialer("localhost", ""))
	go client.HandshakeContext(t.Context())
	served, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer served.Close()
	if state := served.(*tls.Conn).ConnectionState(); !state.HandshakeComplete || served.RemoteAddr().String() != "192.0.2.7:50700" {
		t.Errorf("from %v with %+v", served.RemoteAddr(), state)
	}
	say(t, l, "PROXY TCP4 192.0.2.8 198.51.100.1 50700 8080\r\nGET / HTTP/1.1\r\n\r\n")
	if f := <-failures; f.from != "192.0.2.8:50700" {
		t.Errorf("told %+v", f)
	}
}

// TestHandshakeThatFailsAsTheListenerClosesIsTold: what was wrong with it, not that somebody closes.
func TestHandshakeThatFailsAsTheListenerClosesIsTold(t *testing.T) {
	a := gatewaytest.New(t)
	pair, err := tls.LoadX509KeyPair(a.Server())
	if err != nil {
		t.Fatal(err)
	}
	judging, closing := make(chan struct{}), make(chan struct{})
	l, failures := listen(t, Steps{TLS: &tls.Config{
		Certificates: []tls.Certificate{pair},
		VerifyConnection: func(tls.ConnectionState) error {
			close(judging)
			<-closing
			return errors.New("not you")
		},
	}})
	client := tls.Client(say(t, l, ""), a.Dialer("localhost", ""))
	go client.HandshakeContext(t.Context())
	<-judging
	context.AfterFunc(l.ctx, func() { close(closing) })
	l.Close()
	if len(failures) != 1 {
		t.Fatal("nothing is told")
	}
	if f := <-failures; !strings.Contains(f.err.Error(), "not you") {
		t.Errorf("told %v", f.err)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	l, failures := listen(t, Steps{Proxies: loopback})
	waits := say(t, l, "PROXY ")
	done := say(t, l, "PROXY UNKNOWN\r\n")
	ended := make(chan error, 1)
	go func() {
		nc, err := l.Accept()
		if err == nil {
			nc.Close()
			_, err = l.Accept()
		}
		ended <- err
	}()
	if _, err := done.Read(make([]byte, 1)); err == nil {
		t.Error("it is answered")
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept gives %v", err)
	}
	if _, err := waits.Read(make([]byte, 1)); err == nil {
		t.Error("what is under way goes on")
	}
	if l.Close(); len(failures) > 0 {
		t.Errorf("told %v", <-failures)
	}
	goleak.VerifyNone(t, before)
}

// TestClientDecidesWhetherItSpeaksTLS where both are taken; who says nothing is waited for no longer than anybody else.
func TestClientDecidesWhetherItSpeaksTLS(t *testing.T) {
	a := gatewaytest.New(t)
	pair, err := tls.LoadX509KeyPair(a.Server())
	if err != nil {
		t.Fatal(err)
	}
	steps := Steps{Either: true, TLS: &tls.Config{Certificates: []tls.Certificate{pair}}}
	l, _ := listen(t, steps)
	say(t, l, "AMQP")
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	text := make([]byte, 4)
	if _, err := io.ReadFull(nc, text); err != nil || string(text) != "AMQP" {
		t.Errorf("it says %q, %v", text, err)
	}
	if _, secured := nc.(interface{ ConnectionState() tls.ConnectionState }); secured {
		t.Error("it counts as one of TLS")
	}
	client := tls.Client(say(t, l, ""), a.Dialer("localhost", ""))
	go client.HandshakeContext(t.Context())
	served, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer served.Close()
	if secured, ok := served.(*tls.Conn); !ok || !secured.ConnectionState().HandshakeComplete {
		t.Errorf("who has shaken hands is a %T", served)
	}
	steps.Patience = 20 * time.Millisecond
	l, failures := listen(t, steps)
	silent := say(t, l, "")
	if _, err := silent.Read(make([]byte, 1)); err == nil {
		t.Error("who says nothing is answered")
	}
	if f := <-failures; !errors.Is(f.err, errTimeout) {
		t.Errorf("told %v", f.err)
	}
}
