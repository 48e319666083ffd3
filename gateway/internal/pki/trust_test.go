package pki_test

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
	"github.com/manifoldmq/manifold/gateway/internal/pki"
	"github.com/manifoldmq/manifold/tenancy"
)

func named(user string) *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{CommonName: user}}
}

// parsed gives what a client shows, as a handshake has it.
func parsed(t *testing.T, c tls.Certificate) (all []*x509.Certificate) {
	t.Helper()
	for _, der := range c.Certificate {
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parsed)
	}
	return all
}

func trusting(t *testing.T, all ...pki.Authority) *pki.Trust {
	t.Helper()
	trust := pki.NewTrust(slog.New(slog.DiscardHandler))
	anchors, err := trust.Prepare(all)
	if err != nil {
		t.Fatal(err)
	}
	trust.Use(anchors)
	return trust
}

// touch makes a file look as if it was changed then.
func touch(t *testing.T, file string, at time.Time) {
	t.Helper()
	if err := os.Chtimes(file, time.Time{}, at); err != nil {
		t.Fatal(err)
	}
}

func TestCertificateIsOfTheNearestAuthority(t *testing.T) {
	a, b, all, stranger := gatewaytest.New(t), gatewaytest.New(t), gatewaytest.New(t), gatewaytest.New(t)
	under, of := a.Below("under a"), all.Below("b's, under that of all")
	expired := named("late")
	expired.NotBefore, expired.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	server := named("server")
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	trust := trusting(t,
		pki.Authority{Setting: "all", CA: all.File},
		pki.Authority{Setting: "a", Tenant: "a", CA: a.PEM()},
		pki.Authority{Setting: "b", Tenant: "b", CA: b.File},
		pki.Authority{Setting: "b2", Tenant: "b", CA: of.File},
		pki.Authority{Setting: "c", Tenant: "c", CA: under.File},
	)
	for _, c := range []struct {
		name  string
		shown tls.Certificate
		want  tenancy.Holder
		fault string
	}{
		{"of a", a.Certify(named("x")), tenancy.Holder{Tenant: "a", Authority: a.PEM(), User: "x"}, ""},
		{"of b", b.Certify(named("x")), tenancy.Holder{Tenant: "b", Authority: b.File, User: "x"}, ""},
		{"of all", all.Certify(named("x@b")), tenancy.Holder{User: "x@b"}, ""},
		{"c's, under a", under.Certify(named("x")), tenancy.Holder{Tenant: "c", Authority: under.File, User: "x"}, ""},
		{"c's, with the way to a", under.Certify(named("x"), under, a), tenancy.Holder{Tenant: "c", Authority: under.File, User: "x"}, ""},
		{"b's, with the way to all", of.Certify(named("x"), of), tenancy.Holder{Tenant: "b", Authority: of.File, User: "x"}, ""},
		{"a stranger's", stranger.Certify(named("x")), tenancy.Holder{}, "its authority is not known"},
		{"a stranger's, with a beside it", stranger.Certify(named("x"), a), tenancy.Holder{}, "its authority is not known"},
		{"expired", a.Certify(expired), tenancy.Holder{Tenant: "a", Authority: a.PEM()}, "it has expired"},
		{"nobody's", a.Certify(&x509.Certificate{}), tenancy.Holder{Tenant: "a", Authority: a.PEM()}, "it names no user"},
		{"a server's", a.Certify(server), tenancy.Holder{}, "incompatible key usage"},
	} {
		for range 2 { // the second time it is remembered
			got, err := trust.Judge(parsed(t, c.shown))
			if got != c.want || (err == nil) != (c.fault == "") {
				t.Errorf("%s: got %+v, %v", c.name, got, err)
			}
			if err == nil {
				continue
			}
			if detail, certificate := pki.Explain(err); !strings.Contains(detail, c.fault) || !certificate {
				t.Errorf("%s: explained as %q, %v", c.name, detail, certificate)
			}
		}
	}
}

// TestClientCannotChooseBetweenTwoTenants by what it leaves out: an authority between that both have signed is of neither.
func TestClientCannotChooseBetweenTwoTenants(t *testing.T) {
	a, b := gatewaytest.New(t), gatewaytest.New(t)
	between := a.Below("between")
	other := between.CrossSigned(b)
	trust := trusting(t, pki.Authority{Setting: "a", Tenant: "a", CA: a.File}, pki.Authority{Setting: "b", Tenant: "b", CA: b.File})
	if h, err := trust.Judge(parsed(t, between.Certify(named("x"), between, other))); err == nil || h.Tenant != "" {
		t.Errorf("it is %+v, %v", h, err)
	}
}

func TestAuthorityIsOfOneTenant(t *testing.T) {
	a := gatewaytest.New(t)
	trust := pki.NewTrust(slog.New(slog.DiscardHandler))
	_, err := trust.Prepare([]pki.Authority{
		{Setting: "tenants[a].certificates[0]", Tenant: "a", CA: a.File}, {Setting: "tenants[b].certificates[0]", Tenant: "b", CA: a.PEM()},
	})
	if err == nil || !strings.Contains(err.Error(), "is declared in tenants[a].certificates[0] already") {
		t.Error(err)
	}
	client, _ := a.Client("x")
	for name, want := range map[string]string{client: "not one of an authority", "none.pem": "no such file", "/dev/null": "no certificate"} {
		_, err := trust.Prepare([]pki.Authority{{Setting: "s", Tenant: "a", CA: name}})
		if err == nil || !strings.HasPrefix(err.Error(), "s.ca: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCertificateNamesItsUserAsDeclared(t *testing.T) {
	a := gatewaytest.New(t)
	spiffe, _ := url.Parse("spiffe://acme/device/pump-7")
	shown := parsed(t, a.Certify(&x509.Certificate{
		Subject: pkix.Name{
			CommonName: "pump", Country: []string{"CH"}, Province: []string{"BE"}, Organization: []string{"Acme, Inc."},
			OrganizationalUnit: []string{"Water"},
		},
		DNSNames:       []string{"other.example", "pump-7.acme.example"},
		EmailAddresses: []string{"pump@acme.example"}, URIs: []*url.URL{spiffe},
	}))
	for _, c := range []struct {
		naming pki.Naming
		want   string
	}{
		{pki.Naming{Field: pki.Subject}, "pump"},
		{pki.Naming{Field: pki.DNS}, "other.example"},
		{pki.Naming{Field: pki.DNS, Pattern: "{user}.acme.example"}, "pump-7"},
		{pki.Naming{Field: pki.Email, Pattern: "{user}@acme.example"}, "pump"},
		{pki.Naming{Field: pki.URI, Pattern: "spiffe://acme/device/{user}"}, "pump-7"},
		{pki.Naming{Field: pki.Subject, Pattern: "{user}.acme.example"}, ""},
		{pki.Naming{Field: pki.Subject, Pattern: "pump{user}"}, ""},
		{pki.Naming{Field: pki.Email, Pattern: "pump@acme{user}acme.example"}, ""},
		{pki.Naming{Field: pki.DN}, `C=CH,ST=BE,O=Acme\, Inc.,OU=Water,CN=pump`},
		{pki.Naming{Field: pki.RFC2253}, `CN=pump,OU=Water,O=Acme\, Inc.,ST=BE,C=CH`},
		{pki.Naming{Field: pki.Country}, "CH"},
		{pki.Naming{Field: pki.City}, ""},
		{pki.Naming{Field: "unit;city;organization;country;state;commonName"}, "Water;Acme, Inc.;CH;BE;pump"},
		{pki.Naming{Field: pki.SHA1}, fmt.Sprintf("%x", sha1.Sum(shown[0].Raw))},
		{pki.Naming{Field: pki.SHA256}, fmt.Sprintf("%x", sha256.Sum256(shown[0].Raw))},
		{pki.Naming{Field: "sha512;country"}, fmt.Sprintf("%x;CH", sha512.Sum512(shown[0].Raw))},
	} {
		trust := trusting(t, pki.Authority{Setting: "a", Tenant: "a", CA: a.File, Naming: c.naming})
		if h, err := trust.Judge(shown); h.User != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%+v: %q, %v", c.naming, h.User, err)
		}
	}
	for _, pattern := range []string{"device", "{user}{user}"} {
		if pki.CheckPattern(pattern) == nil {
			t.Errorf("%s is taken", pattern)
		}
	}
}

// TestSeparatorInACertificateNamesNobody, as the joined name could be that of another certificate.
func TestSeparatorInACertificateNamesNobody(t *testing.T) {
	a := gatewaytest.New(t)
	shown := parsed(t, a.Certify(&x509.Certificate{Subject: pkix.Name{CommonName: "pump", Organization: []string{"Acme;Water"}}}))
	for naming, want := range map[pki.Field]string{pki.Organization: "Acme;Water", "organization;commonName": ""} {
		trust := trusting(t, pki.Authority{Setting: "a", Tenant: "a", CA: a.File, Naming: pki.Naming{Field: naming}})
		if h, err := trust.Judge(shown); h.User != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", naming, h.User, err)
		}
	}
}

func TestRevokedCertificateSpeaksForNobody(t *testing.T) {
	a, other := gatewaytest.New(t), gatewaytest.New(t)
	between := a.Below("between")
	good, bad := a.Certify(named("good")), a.Certify(named("bad"))
	late, soon := time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	behind := between.Certify(named("behind"), between)
	for _, c := range []struct {
		name  string
		list  func() string
		lax   bool
		shown tls.Certificate
		want  string
	}{
		{"a current list, not on it", func() string { return a.Revoke(soon, bad) }, false, good, ""},
		{"on a current list", func() string { return a.Revoke(soon, bad) }, false, bad, "it is revoked"},
		{"on a current list, lax", func() string { return a.Revoke(soon, bad) }, true, bad, "it is revoked"},
		{"a stale list", func() string { return a.Revoke(late, bad) }, false, good, "no current revocation list"},
		{"a stale list, lax", func() string { return a.Revoke(late, bad) }, true, good, ""},
		{"on a stale list, lax", func() string { return a.Revoke(late, bad) }, true, bad, "it is revoked"},
		{"a list of somebody else's", func() string { return other.Revoke(soon) }, false, good, "no current revocation list"},
		{"one between without a list", func() string { return a.Revoke(soon, bad) }, false, behind, "no current revocation list"},
		{
			"one between with a list", func() string { return a.Join("both.pem", a.Revoke(soon, bad), between.Revoke(soon)) },
			false, behind, "",
		},
		{
			"on the list of one between", func() string { return a.Join("both.pem", a.Revoke(soon, bad), between.Revoke(soon, behind)) },
			false, behind, "it is revoked",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			trust := trusting(t, pki.Authority{
				Setting: "a", Tenant: "a", CA: a.File, CRL: c.list(), LaxCRL: c.lax, Naming: pki.Naming{Field: pki.Subject},
			})
			h, err := trust.Judge(parsed(t, c.shown))
			if h.Tenant != "a" || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%+v, %v", h, err)
			}
		})
	}
}

func TestChangedFilesOfAuthoritiesAreReadAgain(t *testing.T) {
	a, b := gatewaytest.New(t), gatewaytest.New(t)
	x, y := a.Certify(named("x")), b.Certify(named("x"))
	soon, at := time.Now().Add(time.Hour), time.Now()
	list := a.Revoke(soon)
	trust := trusting(t, pki.Authority{Setting: "a", Tenant: "a", CA: a.File, CRL: list, Naming: pki.Naming{Field: pki.Subject}})
	check := func(when string, shown tls.Certificate, good bool) {
		t.Helper()
		at = at.Add(time.Second)
		touch(t, list, at)
		touch(t, a.File, at)
		trust.Look()
		if err := trust.Verify(parsed(t, shown)); (err == nil) != good {
			t.Errorf("%s: %v", when, err)
		}
	}
	write := func(file, text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check("at first", x, true)
	a.Revoke(soon, x)
	check("when it is revoked", x, false)
	write(list, "no list")
	check("when the list makes no sense", x, false)
	a.Revoke(soon)
	check("when it is not revoked any more", x, true)
	write(a.File, "nobody")
	check("when the authority makes no sense", x, true)
	write(a.File, b.PEM())
	check("when the authority is another one", x, false)
	b.Join("revoked.pem", b.Revoke(soon))
	text, err := os.ReadFile(b.Revoke(soon))
	if err != nil {
		t.Fatal(err)
	}
	write(list, string(text))
	check("of the other one", y, true)
}
