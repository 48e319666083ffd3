package config

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/gateway/internal/pki"
)

func TestCertificatesSayWhoseAuthoritiesThereAre(t *testing.T) {
	c, err := Parse("f.yaml", []byte(`
tls: {certificate: c, key: k, certificates: [{certificate: c1, key: k1}], clientCA: ca, clientCRL: crl, clientAuth: optional}
tenants:
  - name: acme
    certificates:
      - {ca: file.pem}
      - {ca: other.pem, user: dns, pattern: "{user}.x", anyUser: true, crl: list, acceptStaleCRL: true}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []pki.Authority{
		{Setting: "tls.clientCA", CA: "ca", CRL: "crl", Naming: pki.Naming{Field: pki.Subject}},
		{Setting: "tenants[acme].certificates[0]", Tenant: "acme", CA: "file.pem", Naming: pki.Naming{Field: pki.Subject}},
		{
			Setting: "tenants[acme].certificates[1]", Tenant: "acme", CA: "other.pem", CRL: "list", LaxCRL: true,
			Naming: pki.Naming{Field: pki.DNS, Pattern: "{user}.x"},
		},
	}
	got := c.Authorities(c.Tenants)
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got  %+v\nwant %+v", got[i], want[i])
		}
	}
	if pairs := c.TLS.Pairs(); len(pairs) != 2 || pairs[1] != (pki.Pair{Setting: "tls.certificates[0]", Certificate: "c1", Key: "k1"}) {
		t.Errorf("got %+v", pairs)
	}
}

func TestDoorsAskForCertificatesEachItsOwnWay(t *testing.T) {
	c, err := Parse("f.yaml", []byte(`
tls: {certificate: c, key: k, clientCA: ca, clientAuth: optional}
amqp: {clientAuth: required, proxy: {from: [10.0.0.0/8, "2001:db8::/32"]}}
mqtt: {webSocket: {clientAuth: none}}
coap: {clientAuth: required, proxy: {from: [10.0.0.0/8]}}
`))
	if err != nil {
		t.Fatal(err)
	}
	auth := map[string]tls.ClientAuthType{
		"amqps": tls.RequireAnyClientCert, "mqtts": tls.RequestClientCert, "wss": tls.NoClientCert,
		"coaps": tls.RequireAnyClientCert, "coaps+tcp": tls.RequireAnyClientCert, "https": tls.RequestClientCert,
	}
	proxies := map[string]int{"amqp": 2, "amqps": 2, "coap+tcp": 1, "coaps+tcp": 1}
	for _, l := range c.Listeners() {
		if want, ok := auth[l.Name]; ok && (c.ClientAuthOf(l) != want || !l.Secured) {
			t.Errorf("%s asks %v", l.Name, c.ClientAuthOf(l))
		}
		if len(l.Proxies) != proxies[l.Name] {
			t.Errorf("%s believes %v", l.Name, l.Proxies)
		}
	}
}

func TestWrongCertificateSettingsAreRefused(t *testing.T) {
	const secured = "tls: {certificate: c, key: k, "
	tenant := func(rest string) string { return "tenants: [{name: acme, " + rest + "}]" }
	for _, c := range []struct{ text, want string }{
		{"tls: {certificates: [{certificate: c, key: k}]}", "tls.certificates: needs tls.certificate"},
		{secured + "certificates: [{certificate: c}]}", "tls.certificates[0].certificate: needs tls.certificates[0].key"},
		{secured + "clientCRL: crl}", "tls.clientCRL: needs tls.clientCA"},
		{secured + "clientCA: ca, clientAuth: optional, acceptStaleCRL: true}", "tls.acceptStaleCRL: needs tls.clientCRL"},
		{secured + "clientAuth: optional}", "tls.clientAuth: needs tls.clientCA, or a tenant with certificates"},
		{secured + "clientCA: ca}", "tls.clientCA: needs tls.clientAuth to be optional or required"},
		{"amqp: {clientAuth: required}", "amqp.clientAuth: needs tls.certificate"},
		{"mqtt: {webSocket: {clientAuth: always}}", `mqtt.webSocket.clientAuth: "always" is not one of none, optional, required`},
		{"amqp: {proxy: {from: [proxy.example]}}", "amqp.proxy.from[0]: "},
		{tenant("certificates: [{user: dns}]"), "tenants[0].certificates[0].ca: is missing"},
		{tenant("certificates: [{ca: a}, {ca: a}]"), "tenants[0].certificates[1].ca: is declared in certificates[0] already"},
		{tenant("certificates: [{ca: a, user: serial}]"), `tenants[0].certificates[0].user: "serial" is not one of [subject dns email uri dn rfc2253 country state city organization unit commonName sha1 sha256 sha512]`},
		{tenant("certificates: [{ca: a, pattern: x}]"), `tenants[0].certificates[0].pattern: "x" does not have {user} in it once`},
		{tenant("roles: [{name: r}], certificates: [{ca: a, roles: [r]}]"), "tenants[0].certificates[0].roles: are of users that are not declared"},
		{tenant("certificates: [{ca: a, anyUser: true, roles: [r]}]"), `tenants[0].certificates[0].roles: no role "r" is declared`},
		{tenant("certificates: [{ca: a, acceptStaleCRL: true}]"), "tenants[0].certificates[0].acceptStaleCRL: needs crl"},
		{tenant("authenticator: {url: id.example}"), "tenants[0].authenticator.url: is not a URL"},
		{tenant(`authenticator: {url: "https://me:secret@id.example"}`), "tenants[0].authenticator.url: is not a URL"},
		{"login: {authenticator: {timeout: 0s}}", "login.authenticator.timeout: "},
		{"login: {authenticator: {maxConcurrent: 0}}", "login.authenticator.maxConcurrent: "},
		{"login: {authenticator: {rememberNo: -1s}}", "login.authenticator.rememberNo: "},
		{"login: {authenticator: {maxRemembered: 0}}", "login.authenticator.maxRemembered: "},
	} {
		_, err := Parse("f.yaml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\n%v\nwant %s", c.text, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error has the secret in it", c.text)
		}
	}
}
