package gateway

import (
	"context"
	"crypto/tls"
	"log/slog"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	piondtls "github.com/pion/dtls/v3"
	"github.com/plgd-dev/go-coap/v3/dtls"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/mux"
	"github.com/plgd-dev/go-coap/v3/options"
	"github.com/plgd-dev/go-coap/v3/tcp"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

func TestCoAPOverDTLSLetsTheRightOnesIn(t *testing.T) {
	each(t, func(a attempt, from *gatewaytest.Authority, doors map[string]string) error {
		conn, err := dtls.Dial(doors["coaps"], certified(from.Dialer(a.hostOr("localhost"), a.certificate)))
		if err != nil {
			t.Fatal(err)
		}
		return a.postCoAP(t, conn)
	})
}

func TestCoAPOverTLSLetsTheRightOnesIn(t *testing.T) {
	each(t, func(a attempt, from *gatewaytest.Authority, doors map[string]string) error {
		conn, err := tcp.Dial(doors["coaps+tcp"], options.WithTLS(from.Dialer(a.hostOr("localhost"), a.certificate)), unlogged)
		if err != nil {
			t.Fatal(err)
		}
		return a.postCoAP(t, conn)
	})
}

// unlogged has a client of go-coap print nothing: what goes wrong, its requests tell.
var unlogged = options.WithErrors(func(error) {})

// certified is a client of DTLS as it would be one of TLS.
func certified(c *tls.Config) dtls.DTLSClientOptions {
	with := []piondtls.ClientOption{piondtls.WithServerName(c.ServerName), piondtls.WithRootCAs(c.RootCAs)}
	if len(c.Certificates) > 0 {
		with = append(with, piondtls.WithCertificates(c.Certificates...))
	}
	return dtls.NewDTLSClientOptions(with...)
}

// postCoAP sends a message over a connection, and ends that.
func (a attempt) postCoAP(t *testing.T, conn mux.Conn) error {
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	request, err := coapRequest(ctx, conn, codes.POST, "a/jobs")
	if err != nil {
		return err
	}
	if a.user != "" {
		request.AddQuery("user=" + a.user)
		request.AddQuery("password=" + a.password)
	}
	_, err = doCoAP(conn, request, codes.Changed)
	return err
}

// TestPreSharedKeysLetTheRightOnesIn: an identity is a user of its tenant, wherever else the request or the handshake
// wants to go.
func TestPreSharedKeysLetTheRightOnesIn(t *testing.T) {
	declared, err := config.Parse("keys.yaml", []byte(`
tenants:
  - {name: default, users: [{name: sensor, preSharedKey: another}], addresses: [{name: jobs, kind: queue}]}
  - {name: acme, users: [{name: sensor, preSharedKey: sesame}], addresses: [{name: jobs, kind: queue}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	c := quickstart(t)
	c.Anonymous, c.Addresses, c.Tenants = false, nil, declared.Tenants
	c.TLS = gatewaytest.New(t).Settings("none")
	c.MQTT.TLSPort, c.AMQP.TLSPort, c.STOMP.TLSPort, c.HTTP.TLSPort, c.CoAP.TLSPort = 0, 0, 0, 0, 0
	doors := startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))
	for _, c := range []struct {
		identity, key   string
		server, uriHost string
		shakes, letsIn  bool
	}{
		{identity: "sensor@acme", key: "sesame", shakes: true, letsIn: true},
		{identity: "sensor", key: "another", shakes: true, letsIn: true},
		{
			identity: "sensor@acme", key: "sesame", server: "acme.gateway.example", uriHost: "acme.gateway.example",
			shakes: true, letsIn: true,
		},
		{identity: "sensor@acme", key: "sesame", uriHost: "default.gateway.example", shakes: true},
		{identity: "sensor@acme", key: "another"},
		{identity: "sensor", key: "sesame"},
		{identity: "nobody@acme", key: "sesame"},
		{identity: "sensor@nobody", key: "sesame"},
		{identity: "", key: "sesame"},
	} {
		t.Run(c.identity+" "+c.key+" "+c.server+" "+c.uriHost, func(t *testing.T) {
			t.Parallel()
			with := []piondtls.ClientOption{
				piondtls.WithPSK(func([]byte) ([]byte, error) { return []byte(c.key), nil }),
				piondtls.WithPSKIdentityHint([]byte(c.identity)),
				piondtls.WithCipherSuites(piondtls.TLS_PSK_WITH_AES_128_CCM_8),
			}
			if c.server != "" {
				with = append(with, piondtls.WithServerName(c.server))
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			conn, err := dtls.Dial(doors["coaps"], dtls.NewDTLSClientOptions(with...))
			if err == nil {
				defer conn.Close()
				var code codes.Code
				if code, err = postTo(ctx, conn, c.uriHost); err == nil && (code == codes.Changed) != c.letsIn {
					t.Errorf("it is answered %v", code)
				}
			}
			if (err == nil) != c.shakes { // of a wrong key a client hears when it shakes hands, or with the first request
				t.Errorf("the handshake gives %v", err)
			}
		})
	}
}

// postTo sends a message, with a Uri-Host unless that is empty.
func postTo(ctx context.Context, conn mux.Conn, host string) (codes.Code, error) {
	request, err := coapRequest(ctx, conn, codes.POST, "a/jobs")
	if err != nil {
		return 0, err
	}
	if host != "" {
		request.SetOptionString(message.URIHost, host)
	}
	answer, err := conn.Do(request)
	if err != nil {
		return 0, err
	}
	return answer.Code(), nil
}
