package tenancy

import (
	"context"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
)

// registrar judges certificates by their common names.
type registrar map[string]Holder

// Judge implements CertificateJudge.
func (r registrar) Judge(certificates []*x509.Certificate) (Holder, error) {
	h, ok := r[certificates[0].Subject.CommonName]
	if !ok || h.User == "" {
		return h, errors.New("not good")
	}
	return h, nil
}

// sender is a role that may send to an address.
func sender(t *testing.T, name, address string) Role {
	t.Helper()
	p, err := ParsePattern(address)
	if err != nil {
		t.Fatal(err)
	}
	return Role{Name: name, Grants: map[Right][]Pattern{Send: {p}}}
}

func showing(name string) Visitor {
	c := new(x509.Certificate)
	c.Subject.CommonName = name
	return Visitor{Private: true, Certificates: []*x509.Certificate{c}}
}

// certified is a directory with tenants that have authorities of their own: acme, whose devices come in undeclared, and other.
func certified(t *testing.T) *Directory {
	t.Helper()
	acme := &Tenant{
		Name: "acme", Users: []User{{Name: "ann", Credential: cheap(SCRAMSHA256, "a")}, {Name: "pump"}},
		Roles:       []Role{sender(t, "device", "jobs")},
		Authorities: []Authority{{Name: "people"}, {Name: "devices", Any: true, Roles: []string{"device"}}},
		TokenUser:   "token",
	}
	d, err := NewDirectory(acme, &Tenant{Name: "other", Anonymous: true, Authorities: []Authority{{Name: "others"}}},
		&Tenant{Name: "default", Users: []User{{Name: "shared"}}})
	if err != nil {
		t.Fatal(err)
	}
	d.Certify(registrar{
		"pump": {"acme", "people", "pump"}, "nobody": {"acme", "people", "nobody"}, "ann": {"acme", "people", "ann"},
		"x1": {"acme", "devices", "x1"}, "declared": {"acme", "devices", "pump"}, "token": {"acme", "devices", "token"},
		"odd": {"acme", "devices", "a:b"}, "gone": {"acme", "former", "x1"}, "bad": {Tenant: "acme"},
		"shared": {User: "shared"}, "stolen": {User: "pump@acme"},
	})
	return d
}

func TestCertificateBindsToItsTenant(t *testing.T) {
	d := certified(t)
	for _, c := range []struct {
		name   string
		change func(*Credentials)
		tenant string // that it enters; empty for a refusal
		user   string
		fault  string
	}{
		{name: "pump", tenant: "acme", user: "pump"},
		{name: "x1", tenant: "acme", user: "x1"},
		{name: "declared", tenant: "acme", user: "pump"},
		{name: "shared", tenant: "default", user: "shared"},
		{name: "nobody", fault: "no such user"},
		{name: "ann", fault: "has a password"},
		{name: "token", fault: "no such user"},
		{name: "odd", fault: "no such user"},
		{name: "gone", fault: "no such user"},
		{name: "bad", fault: "not good"},
		{name: "stolen", fault: "its own authorities"},
		{name: "pump", change: func(c *Credentials) { c.Tenant = "other" }, fault: "another tenant"},
		{name: "pump", change: func(c *Credentials) { c.Visitor = c.At("other.example") }, fault: "another tenant"},
		{name: "pump", change: func(c *Credentials) { c.User, c.Password = "ann@other", []byte("a") }, fault: "another tenant"},
		{name: "bad", change: func(c *Credentials) { c.Tenant = "other" }, fault: "not good"},
		{name: "pump", change: func(c *Credentials) { c.User, c.Password = "ann", []byte("a") }, tenant: "acme", user: "ann"},
		{name: "shared", change: func(c *Credentials) { c.User, c.Password = "ann@acme", []byte("a") }, tenant: "acme", user: "ann"},
	} {
		shown := Credentials{Visitor: showing(c.name)}
		if c.change != nil {
			c.change(&shown)
		}
		p, err := d.Authenticate(t.Context(), shown)
		if (err == nil) != (c.tenant != "") || err == nil && (p.Tenant.Name != c.tenant || p.User != c.user) {
			t.Errorf("%s %+v: %+v, %v", c.name, shown.Hosts, p, err)
		}
		if err != nil && (!strings.Contains(err.Error(), c.fault) || !errors.Is(err, ErrCredentials)) {
			t.Errorf("%s: %v, want %s", c.name, err, c.fault)
		}
	}
}

func TestUndeclaredUserHasWhatHisAuthorityGivesToday(t *testing.T) {
	d := certified(t)
	p, err := d.Authenticate(t.Context(), Credentials{Visitor: showing("x1")})
	if err != nil {
		t.Fatal(err)
	}
	if !p.As("client").May(Send, filter(t, "jobs")) || p.May(Receive, filter(t, "jobs")) {
		t.Error("he has not the rights of a device")
	}
	acme := *p.Tenant
	replace := func(change func(*Tenant)) {
		next := acme
		change(&next)
		if err := d.Replace(&next); err != nil {
			t.Fatal(err)
		}
	}
	replace(func(t *Tenant) { t.Authorities = []Authority{{Name: "devices", Any: true}} })
	if p.May(Send, filter(t, "jobs")) || !p.Known() {
		t.Error("he keeps a role that is taken from him")
	}
	for name, change := range map[string]func(*Tenant){
		"no authority":       func(t *Tenant) { t.Authorities = nil },
		"only declared ones": func(t *Tenant) { t.Authorities = []Authority{{Name: "devices"}} },
		"a declaration":      func(t *Tenant) { t.Users = append(t.Users, User{Name: "x1"}) },
	} {
		if replace(change); p.Known() || p.May(Send, filter(t, "jobs")) {
			t.Errorf("with %s he is known", name)
		}
	}
}

// examiner judges passwords as others would: "right" is.
type examiner struct{ last Attempt }

// JudgePassword implements PasswordJudge.
func (e *examiner) JudgePassword(_ context.Context, a Attempt) (Identity, error) {
	e.last = a
	switch string(a.Password) {
	case "right":
		return Identity{Tenant: a.Tenant, Issuer: "them", User: a.User, Roles: []string{"device"}}, nil
	case "busy":
		return Identity{}, ErrBusy
	case "odd":
		return Identity{Tenant: a.Tenant, Issuer: "them", User: "a:b"}, nil
	case "stale":
		return Identity{Tenant: a.Tenant, Issuer: "former", User: a.User}, nil
	}
	return Identity{}, errors.New("no")
}

func TestOthersJudgePasswordsOfUndeclaredUsers(t *testing.T) {
	d, err := NewDirectory(&Tenant{
		Name: "default", Users: []User{{Name: "ann", Credential: cheap(SCRAMSHA256, "a")}}, Authenticator: "them", Anonymous: true,
		Roles: []Role{sender(t, "device", "jobs")},
	})
	if err != nil {
		t.Fatal(err)
	}
	e := new(examiner)
	d.Outsource(e)
	if offered := strings.Join(d.Mechanisms(Visitor{Private: true}), " "); !strings.Contains(offered, "PLAIN") {
		t.Errorf("offered %s", offered)
	}
	for _, c := range []struct {
		user, password string
		ok, busy       bool
	}{
		{"ben", "right", true, false}, {"ben", "wrong", false, false}, {"ben", "busy", false, true}, {"ben", "odd", false, false},
		{"ben", "stale", false, false}, {"ann", "right", false, false}, {"ann", "a", true, false}, {"", "", true, false},
	} {
		p, err := d.Authenticate(t.Context(), Credentials{User: c.user, Password: []byte(c.password), Client: "pump"})
		if (err == nil) != c.ok || errors.Is(err, ErrBusy) != c.busy {
			t.Errorf("%s with %s: %+v, %v", c.user, c.password, p, err)
		}
		if c.user == "ben" && (e.last.User != "ben" || e.last.Tenant != "default" || e.last.Client != "pump") {
			t.Errorf("asked %+v", e.last)
		}
		if c.user == "ben" && c.ok && !p.May(Send, filter(t, "jobs")) {
			t.Error("he has not the roles that they have given him")
		}
	}
	if n := d.Logins().Failed[TurnedDown]; n != 3 {
		t.Errorf("%d were turned down, want 3", n)
	}
	p, err := d.Authenticate(t.Context(), Credentials{User: "ben", Password: []byte("right")})
	if err != nil {
		t.Fatal(err)
	}
	next := *p.Tenant
	next.Authenticator = "others"
	if err := d.Replace(&next); err != nil || p.Known() {
		t.Errorf("who was vouched for by somebody that is not asked any more is known: %v", err)
	}
}
