package client

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
	"github.com/manifoldmq/manifold/router/transport"
)

// secure opens the house for TLS too, until the test ends, and gives the URL.
func (h *house) secure(a *gatewaytest.Authority) (url string) {
	h.t.Helper()
	pair, err := tls.LoadX509KeyPair(a.Server())
	if err != nil {
		h.t.Fatal(err)
	}
	ln := tls.NewListener(listen(h.t), &tls.Config{Certificates: []tls.Certificate{pair}})
	ctx, stop := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		_ = transport.Accept(ctx, ln, func(ctx context.Context, nc net.Conn) {
			if nc.(*tls.Conn).HandshakeContext(ctx) != nil {
				nc.Close()
				return
			}
			h.door.ServeConn(ctx, nc)
		})
	})
	h.t.Cleanup(func() {
		stop()
		serving.Wait()
	})
	return "amqps://" + ln.Addr().String()
}

func TestUserAndPasswordComeFromTheURL(t *testing.T) {
	h := newHouse(t)
	user := strings.Replace(h.url, "amqp://", "amqp://ann%40closed:p%40ss@", 1)
	_, err := call(t.Context(), NewSendCommand(), strings.NewReader(""), "jobs", "hers", "--url", user)
	if err != nil {
		t.Fatal(err)
	}
	got, err := call(t.Context(), NewReceiveCommand(), strings.NewReader(""), "jobs", "--count", "1", "--url", user)
	if err != nil || got != "hers\n" {
		t.Errorf("printed %q, %v", got, err)
	}
	if got, err := h.receive("jobs", "--timeout", "50ms"); err != nil || got != "" {
		t.Errorf("another tenant printed %q, %v", got, err)
	}
}

func TestTLSTrustsTheAuthorityThatIsNamed(t *testing.T) {
	h, authority := newHouse(t), gatewaytest.New(t)
	url := h.secure(authority)
	args := []string{"jobs", "--url", strings.Replace(url, "amqps://", "amqps://ann%40closed:p%40ss@", 1)}
	send := func(more ...string) error {
		_, err := call(t.Context(), NewSendCommand(), strings.NewReader("over TLS"), append(args, more...)...)
		return err
	}
	wantError(t, send(), "shows a certificate that is not trusted", "--ca")
	wantError(t, send("--ca", gatewaytest.New(t).File), "shows a certificate that is not trusted")
	if err := send("--ca", authority.File); err != nil {
		t.Fatal(err)
	}
	got, err := call(t.Context(), NewReceiveCommand(), strings.NewReader(""),
		append(args, "--count", "1", "--ca", authority.File)...)
	if err != nil || got != "over TLS\n" {
		t.Errorf("printed %q, %v", got, err)
	}
}

func TestTLSWithAServerThatHasNone(t *testing.T) {
	h := newHouse(t)
	_, err := call(t.Context(), NewSendCommand(), strings.NewReader(""),
		"jobs", "x", "--url", strings.Replace(h.url, "amqp:", "amqps:", 1))
	wantError(t, err, "does not speak TLS")
}

func TestAuthoritiesAreReadFirst(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"--ca is for amqps:// only":          {"--ca", empty},
		"has no certificate in the form PEM": {"--ca", empty, "--url", "amqps://host"},
		"no/such/file: no such file":         {"--ca", "no/such/file", "--url", "amqps://host"},
	} {
		_, err := call(t.Context(), NewReceiveCommand(), strings.NewReader(""), append(args, "jobs")...)
		wantError(t, err, want)
	}
}
