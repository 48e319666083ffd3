package tenancy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// countingProof is a password in the clear that counts how often it is looked at.
type countingProof struct {
	password string
	looks    *atomic.Int32
	gate     chan struct{} // matches waits for it; nil for no wait
}

func (p countingProof) form() Form   { return Argon2id }
func (p countingProof) text() string { return "" }
func (p countingProof) decoy() proof { return countingProof{"\xFF", p.looks, p.gate} }
func (p countingProof) matches(password string) bool {
	p.looks.Add(1)
	if p.gate != nil {
		<-p.gate
	}
	return password == p.password
}

// guarded is a directory of tenants with users; looks counts how often a password is hashed.
func guarded(t *testing.T, gate chan struct{}) (d *Directory, looks *atomic.Int32) {
	t.Helper()
	looks = new(atomic.Int32)
	secret := func(password string) Credential { return Credential{countingProof{password, looks, gate}} }
	d, err := NewDirectory(
		&Tenant{Name: "default", Users: []User{{Name: "ann", Credential: secret("a")}, {Name: "device", Credential: Credential{}}}, Issuers: []string{issuer}, TokenUser: "token"},
		&Tenant{Name: "acme", Users: []User{{Name: "ann", Credential: secret("b")}, {Name: "ben", Credential: secret("c")}}, Issuers: []string{issuer}},
		&Tenant{Name: "open", Anonymous: true},
		&Tenant{Name: "mixed", Anonymous: true, Users: []User{{Name: "ann", Credential: secret("d")}}},
		&Tenant{Name: "closed"},
	)
	if err != nil {
		t.Fatal(err)
	}
	return d, looks
}

func TestUsersEnterTheirOwnTenantOnly(t *testing.T) {
	d, _ := guarded(t, nil)
	for _, c := range []struct {
		tenant, user, password string
		want                   string // tenant/user; empty for a refusal
	}{
		{"", "ann", "a", "default/ann"},
		{"default", "ann@default", "a", "default/ann"},
		{"", "ann@acme", "b", "acme/ann"},
		{"acme", "ben", "c", "acme/ben"},
		{"", "ann", "b", ""},
		{"", "ann@acme", "a", ""},
		{"", "ben", "c", ""},
		{"", "ann", "", ""},
		{"", "ann", "A", ""},
		{"", "", "", ""},
		{"", "", "a", ""},
		{"", "device", "", ""},
		{"", "device", "\xFF", ""},
		{"", "nobody", "\xFF", ""},
		{"", "ann@closed", "a", ""},
		{"", "ann@nobody", "a", ""},
		{"open", "ann", "whatever", "open/"},
		{"open", "", "", "open/"},
		{"mixed", "", "", "mixed/"},
		{"mixed", "ann", "d", "mixed/ann"},
		{"mixed", "ann", "wrong", ""},
		{"mixed", "nobody", "", ""},
	} {
		p, err := d.Authenticate(t.Context(), Credentials{
			Visitor: Visitor{Tenant: c.tenant}, User: c.user, Password: []byte(c.password),
		})
		got := ""
		if err == nil {
			got = p.Tenant.Name + "/" + p.User
		}
		if got != c.want || err == nil == (p == nil) {
			t.Errorf("%s with %q in %q: got %q (%v), want %q", c.user, c.password, c.tenant, got, err, c.want)
		}
	}
}

// TestRefusalsCostTheSame: whoever is refused has had exactly one password hashed, so that time tells nothing.
func TestRefusalsCostTheSame(t *testing.T) {
	d, looks := guarded(t, nil)
	for _, user := range []string{"ann", "nobody", "device", "ann@acme", "x@acme", "ann@closed", "ann@nobody", "x@mixed", ""} {
		before := looks.Load()
		_, err := d.Authenticate(t.Context(), Credentials{User: user, Password: []byte("wrong")})
		if cost := looks.Load() - before; err == nil || cost != 1 {
			t.Errorf("%q: %v after %d hashes", user, err, cost)
		}
	}
}

func TestRightPasswordIsHashedOnce(t *testing.T) {
	d, looks := guarded(t, nil)
	for _, c := range []struct {
		user, password string
		right          bool
		hashes         int32 // so far
	}{
		{"ann", "a", true, 1}, {"ann", "a", true, 1}, {"ann", "wrong", false, 2}, {"ann", "wrong", false, 3},
		{"ann", "a", true, 3}, {"ann@acme", "a", false, 4}, {"ann@acme", "b", true, 5}, {"ben@acme", "b", false, 6},
	} {
		_, err := d.Authenticate(t.Context(), Credentials{User: c.user, Password: []byte(c.password)})
		if (err == nil) != c.right || looks.Load() != c.hashes {
			t.Errorf("%s with %q: %v after %d hashes, want %d", c.user, c.password, err, looks.Load(), c.hashes)
		}
	}
}

func TestFewPasswordsAreHashedAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		d, looks := guarded(t, gate)
		places := int32(cap(d.hashing))
		login := func(ctx context.Context, want error) {
			_, err := d.Authenticate(ctx, Credentials{User: "ann", Password: []byte("wrong")})
			if !errors.Is(err, want) {
				t.Errorf("a client was told %v, want %v", err, want)
			}
		}
		var first, others sync.WaitGroup
		for range places {
			first.Go(func() { login(t.Context(), ErrCredentials) })
		}
		synctest.Wait()
		for range 5 {
			others.Go(func() { login(t.Context(), ErrBusy) })
		}
		gone, leave := context.WithCancel(t.Context())
		others.Go(func() { login(gone, ErrBusy) })
		synctest.Wait()
		leave()
		others.Wait()
		if looks.Load() != places {
			t.Errorf("%d passwords were hashed at a time, where there are %d places", looks.Load(), places)
		}
		close(gate)
		first.Wait()
		login(t.Context(), ErrCredentials)
	})
}

func TestUsersDifferInName(t *testing.T) {
	for _, users := range [][]User{
		{{Name: "ann"}, {Name: "ann"}}, {{Name: ""}}, {{Name: "ann@acme"}}, {{Name: "a:b"}}, {{Name: "a\nb"}}, {{Name: "\xFF"}},
	} {
		if _, err := NewDirectory(&Tenant{Name: "default", Users: users}); err == nil {
			t.Errorf("%v were taken", users)
		}
	}
}

func TestCertificateNamesItsUser(t *testing.T) {
	spiffe, _ := url.Parse("spiffe://house/device")
	for _, c := range []struct {
		certificate x509.Certificate
		want        string
	}{
		{x509.Certificate{Subject: pkix.Name{CommonName: "device"}, DNSNames: []string{"other"}}, "device"},
		{x509.Certificate{DNSNames: []string{"device", "other"}}, "device"},
		{x509.Certificate{EmailAddresses: []string{"device@acme"}}, "device@acme"},
		{x509.Certificate{URIs: []*url.URL{spiffe}}, "spiffe://house/device"},
		{x509.Certificate{}, ""},
	} {
		v := VisitorOver(&tls.ConnectionState{
			ServerName: "acme.example", VerifiedChains: [][]*x509.Certificate{{&c.certificate}},
		})
		if v.Certificate != c.want || !v.Private || len(v.Hosts) != 1 || v.Hosts[0] != "acme.example" {
			t.Errorf("got %+v, want user %q", v, c.want)
		}
	}
	shown := &x509.Certificate{Subject: pkix.Name{CommonName: "device"}}
	if v := VisitorOver(&tls.ConnectionState{PeerCertificates: []*x509.Certificate{shown}}); v.Certificate != "" {
		t.Error("a certificate that nobody has verified names a user")
	}
}

func TestUserOfCertificateEntersWithoutPassword(t *testing.T) {
	d, _ := guarded(t, nil)
	for _, c := range []struct {
		visitor  Visitor
		identity string
		want     bool
	}{
		{Visitor{Certificate: "device"}, "", true},
		{Visitor{Certificate: "device@default"}, "", true},
		{Visitor{Certificate: "device"}, "device", true},
		{Visitor{Certificate: "device"}, "device@default", true},
		{Visitor{Certificate: "device"}, "ann", false},
		{Visitor{Certificate: "device", Hosts: []string{"acme"}}, "", false},
		{Visitor{Certificate: "device@default", Hosts: []string{"acme"}}, "", false},
		{Visitor{Certificate: "ann"}, "", false}, // who has a password
		{Visitor{Certificate: "nobody"}, "", false},
		{Visitor{}, "device", false},
	} {
		if _, p, err := d.Begin(MechanismExternal, c.visitor).Step(t.Context(), []byte(c.identity)); (err == nil) != c.want {
			t.Errorf("%+v as %q: %v, %v", c.visitor, c.identity, p, err)
		}
		if p, err := d.Authenticate(t.Context(), Credentials{Visitor: c.visitor}); c.want && (err != nil || p.User != "device") {
			t.Errorf("%+v without a word: %v, %v", c.visitor, p, err)
		}
	}
	p, err := d.Authenticate(t.Context(), Credentials{Visitor: Visitor{Certificate: "device", Tenant: "open"}})
	if err != nil || p.User != "" {
		t.Errorf("a certificate of nobody keeps an anonymous client out: %v, %v", p, err)
	}
}
