package http

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"testing"

	"go.uber.org/goleak"
)

// TestTLSOffersHTTP2AndHTTP1 goes over loopback, as a handshake of crypto/tls needs a real clock's certificates.
func TestTLSOffersHTTP2AndHTTP1(t *testing.T) {
	defer goleak.VerifyNone(t)
	lender := httptest.NewUnstartedServer(nil) // which has a certificate for example.com
	lender.StartTLS()
	certificate, authority := lender.TLS.Certificates[0], lender.Certificate()
	lender.Close()
	pool := x509.NewCertPool()
	pool.AddCert(authority)

	d := newDoor(t, Config{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- d.server.ServeTLS(ctx, ln, &tls.Config{Certificates: []tls.Certificate{certificate}})
	}()
	for _, major := range []int{1, 2} {
		protocols := new(nethttp.Protocols)
		protocols.SetHTTP1(major == 1)
		protocols.SetHTTP2(major == 2)
		client := &nethttp.Client{Transport: &nethttp.Transport{
			Protocols:       protocols,
			TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "example.com"},
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", ln.Addr().String())
			},
		}}
		response, err := client.Post("https://door/v1/acme/jobs/a/messages", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 201 || response.ProtoMajor != major {
			t.Errorf("%s over %s", response.Status, response.Proto)
		}
		client.CloseIdleConnections()
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
