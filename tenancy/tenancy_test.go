package tenancy

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/addressing"
)

func directory(t *testing.T) *Directory {
	t.Helper()
	d, err := NewDirectory(
		&Tenant{Name: "default", Anonymous: true},
		&Tenant{Name: "acme", Anonymous: true},
		&Tenant{Name: "closed"},
		&Tenant{Name: "127", Anonymous: true},
	)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTenantIsFoundFromFieldOrUserNameAndTheyMustAgree(t *testing.T) {
	d := directory(t)
	for _, c := range []struct {
		name string
		show Credentials
		want string // the tenant; empty for a refusal
		err  error
	}{
		{"nothing", Credentials{}, "default", nil},
		{"user only", Credentials{User: "ann", Password: []byte("x")}, "default", nil},
		{"field", Credentials{Visitor: Visitor{Tenant: "acme"}}, "acme", nil},
		{"host", Credentials{Visitor: Visitor{Hosts: []string{"acme.example.org"}}}, "acme", nil},
		{"host in capitals", Credentials{Visitor: Visitor{Hosts: []string{"ACME"}}}, "acme", nil},
		{"host of nobody", Credentials{Visitor: Visitor{Hosts: []string{"localhost", "", "gateway.example"}}}, "default", nil},
		{"number of the host", Credentials{Visitor: Visitor{Hosts: []string{"127.0.0.1"}}}, "default", nil},
		{"two hosts agree", Credentials{Visitor: Visitor{Hosts: []string{"acme", "acme.example"}}}, "acme", nil},
		{"two hosts disagree", Credentials{Visitor: Visitor{Hosts: []string{"acme", "closed"}}}, "", errDisagree},
		{"host and field disagree", Credentials{Visitor: Visitor{Tenant: "default", Hosts: []string{"acme"}}}, "", errDisagree},
		{"host and user disagree", Credentials{Visitor: Visitor{Hosts: []string{"acme"}}, User: "ann@default"}, "", errDisagree},
		{"user@tenant", Credentials{User: "ann@acme"}, "acme", nil},
		{"the last @ counts", Credentials{User: "ann@example.org@acme"}, "acme", nil},
		{"both agree", Credentials{Visitor: Visitor{Tenant: "acme"}, User: "ann@acme"}, "acme", nil},
		{"they disagree", Credentials{Visitor: Visitor{Tenant: "default"}, User: "ann@acme"}, "", errDisagree},
		{"unknown", Credentials{Visitor: Visitor{Tenant: "nobody"}}, "", ErrNoSuchTenant},
		{"case counts", Credentials{Visitor: Visitor{Tenant: "ACME"}}, "", ErrNoSuchTenant},
		{"not anonymous", Credentials{Visitor: Visitor{Tenant: "closed"}}, "", ErrCredentials},
		{"empty after @", Credentials{User: "ann@"}, "default", nil},
	} {
		p, err := d.Authenticate(t.Context(), c.show)
		if !errors.Is(err, c.err) || err == nil && p.Tenant.Name != c.want {
			t.Errorf("%s: got %v, %v", c.name, p, err)
		}
	}
}

func TestUnverifiedUserNameIsNotTakenOver(t *testing.T) {
	p, err := directory(t).Authenticate(t.Context(), Credentials{User: "root"})
	if err != nil || p.User != "" {
		t.Errorf("the anonymous user is called %q (%v)", p.User, err)
	}
}

func TestNamesAreLabels(t *testing.T) {
	for name, good := range map[string]bool{
		"a": true, "a-1": true, "0": true, strings.Repeat("a", 63): true,
		"": false, "-a": false, "a-": false, "A": false, "a.b": false, "a/b": false, "ä": false, "a b": false,
		strings.Repeat("a", 64): false, "a\x00": false, "..": false,
	} {
		if _, err := ParseName(name); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestTenantsDifferInName(t *testing.T) {
	if _, err := NewDirectory(&Tenant{Name: "a"}, &Tenant{Name: "a"}); err == nil {
		t.Error("two tenants of one name were taken")
	}
	if _, err := NewDirectory(&Tenant{Name: "No"}); err == nil {
		t.Error("a bad name was taken")
	}
	if got := directory(t).Names(); !slices.Equal(got, []string{"127", "acme", "closed", "default"}) {
		t.Errorf("names %v", got)
	}
}

func TestWithoutRolesEverybodySendsReceivesAndBrowses(t *testing.T) {
	f := addressing.Address("a").Filter()
	open, closed := &Principal{Tenant: &Tenant{Anonymous: true}}, &Principal{Tenant: &Tenant{}}
	if !open.May(Send, f) || !open.May(Receive, f) || !open.May(Browse, f) || open.May(Manage, f) {
		t.Error("an anonymous user may send, receive and browse, and nothing else")
	}
	if ann := (&Principal{Tenant: closed.Tenant, User: "ann"}); !ann.May(Send, f) || ann.May(Manage, f) {
		t.Error("a user may send, receive and browse, and nothing else")
	}
	if closed.May(Send, f) || closed.May(Receive, f) {
		t.Error("where nobody may be anonymous, such a user may do nothing")
	}
}
