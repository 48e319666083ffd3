package tenancy

import (
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/addressing"
)

func pattern(t *testing.T, s string) Pattern {
	t.Helper()
	p, err := ParsePattern(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func filter(t *testing.T, s string) addressing.Filter {
	t.Helper()
	f, err := addressing.ParseFilter(s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// fleet is a tenant with roles; ann is a device, bob keeps the default role, root may do everything.
func fleet(t *testing.T) *Directory {
	t.Helper()
	d, err := NewDirectory(&Tenant{
		Name: "acme", Anonymous: true, Issuers: []string{issuer}, DefaultRoles: []string{"guest"},
		Roles: []Role{
			{Name: "device", Grants: map[Right][]Pattern{
				Send:    {pattern(t, "telemetry/{user}/#"), pattern(t, "{tenant}/{client}-up")},
				Receive: {pattern(t, "commands/{user}/*")},
			}},
			{Name: "guest", Grants: map[Right][]Pattern{Browse: {pattern(t, "news")}}},
			{Name: "boss", Grants: map[Right][]Pattern{Manage: {pattern(t, "#")}, Send: {pattern(t, "#")}}},
		},
		Users: []User{
			{Name: "ann", Roles: []string{"device"}}, {Name: "bob"}, {Name: "root", Roles: []string{"device", "boss"}},
			{Name: "*", Roles: []string{"device"}}, {Name: "a/b", Roles: []string{"device"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestRolesGrant asks for rights of users, and of clients that call themselves something.
func TestRolesGrant(t *testing.T) {
	d := fleet(t)
	for _, c := range []struct {
		user, client string
		right        Right
		at           string
		may          bool
	}{
		{"ann", "", Send, "telemetry/ann/a/b", true},
		{"ann", "", Send, "telemetry/ann", true},
		{"ann", "", Send, "telemetry/bob", false},
		{"ann", "", Receive, "telemetry/ann", false},
		{"ann", "", Receive, "commands/ann/x", true},
		{"ann", "", Receive, "commands/ann/*", true},
		{"ann", "", Receive, "commands/ann/#", false},
		{"ann", "", Receive, "commands/*/x", false},
		{"ann", "", Receive, "#", false},
		{"ann", "", Send, "acme/d1-up", false},
		{"ann", "d1", Send, "acme/d1-up", true},
		{"ann", "d1", Send, "acme/d2-up", false},
		{"ann", "*", Send, "acme/d1-up", false},
		{"ann", "{user}", Send, "acme/ann-up", false},
		{"ann", "x/y", Send, "acme/x/y-up", false},
		{"bob", "", Send, "telemetry/bob/a", false},
		{"bob", "", Browse, "news", true},
		{"", "", Browse, "news", true},
		{"", "", Receive, "news", false},
		{"", "", Send, "telemetry//a", false},
		{"root", "", Manage, "jobs", true},
		{"root", "", Send, "jobs/#", true},
		{"root", "", Receive, "commands/root/x", true},
		{"root", "", Admin, "jobs", false},
		{"*", "", Send, "telemetry/ann/a", false},
		{"*", "", Send, "telemetry/*/a", false},
		{"a/b", "", Send, "telemetry/a/b/c", false},
	} {
		p, ok := d.Recall("acme", c.user, c.client, nil)
		if !ok {
			t.Fatalf("%q is not known", c.user)
		}
		if got := p.May(c.right, filter(t, c.at)); got != c.may {
			t.Errorf("%q as %q: %v at %s is %v", c.user, c.client, c.right, c.at, got)
		}
	}
}

func TestWhoWasNotLetInHasNoRightsWhereThereAreRoles(t *testing.T) {
	tenant, _ := fleet(t).Lookup("acme")
	if (&Principal{Tenant: tenant, User: "root"}).May(Send, filter(t, "jobs")) {
		t.Error("a user out of nothing may send")
	}
	if !Insider(tenant, "gateway:webhook").May(Manage, filter(t, "jobs/#")) {
		t.Error("an insider may not manage")
	}
}

func TestRecallKnowsWhoMayStillComeIn(t *testing.T) {
	d := fleet(t)
	for _, c := range []struct{ tenant, user string }{{"acme", "gone"}, {"other", "ann"}} {
		if _, ok := d.Recall(c.tenant, c.user, "", nil); ok {
			t.Errorf("%s of %s is recalled", c.user, c.tenant)
		}
	}
	p, ok := d.Recall("acme", "gone", "", []string{"boss"})
	if !ok || !p.May(Manage, filter(t, "jobs")) {
		t.Error("a user of a token has lost his roles")
	}
	if _, ok := d.Recall("acme", "gone", "", nil); ok {
		t.Error("who was a user and is none any more is taken for one of a token")
	}
}

// TestRightsAreThoseOfToday declares a tenant anew while somebody is in.
func TestRightsAreThoseOfToday(t *testing.T) {
	d := fleet(t)
	ann, _ := d.Recall("acme", "ann", "", nil)
	own, news := filter(t, "telemetry/ann"), filter(t, "news")
	if !ann.May(Send, own) || ann.May(Browse, news) || !ann.Known() {
		t.Fatal("that is not ann as a device")
	}
	tenant, _ := d.Lookup("acme")
	other := *tenant
	other.Users = []User{{Name: "ann", Roles: []string{"guest"}}}
	if err := d.Replace(&other); err != nil {
		t.Fatal(err)
	}
	if ann.May(Send, own) || !ann.May(Browse, news) {
		t.Error("ann has not become a guest")
	}
	if err := d.Replace(&Tenant{Name: "acme", Users: []User{{Name: "bob"}}}); err != nil {
		t.Fatal(err)
	}
	if ann.May(Send, own) || ann.Known() {
		t.Error("ann is no user any more, and may send")
	}
	if d.Replace(&Tenant{Name: "acme"}, &Tenant{Name: "acme"}) == nil || ann.Known() {
		t.Error("a bad declaration has changed something")
	}
	if err := d.Replace(); err != nil {
		t.Fatal(err)
	}
	if ann.May(Send, own) || ann.Known() {
		t.Error("there is no tenant any more, and ann may send")
	}
}

func TestRolesAreDeclared(t *testing.T) {
	for want, tenant := range map[string]*Tenant{
		`no role "x" is declared; there are a`: {Name: "t", Roles: []Role{{Name: "a"}}, DefaultRoles: []string{"x"}},
		`user "ann": no role "b"`:              {Name: "t", Roles: []Role{{Name: "a"}}, Users: []User{{Name: "ann", Roles: []string{"b"}}}},
		`role "a" is declared twice`:           {Name: "t", Roles: []Role{{Name: "a"}, {Name: "a"}}},
		`role name "A"`:                        {Name: "t", Roles: []Role{{Name: "A"}}},
	} {
		if _, err := NewDirectory(tenant); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

func TestPatternsAreFilters(t *testing.T) {
	for text, good := range map[string]bool{
		"a/{user}/#": true, "{tenant}": true, "x-{client}-y/*": true, "#": true,
		"": false, "a/{usr}": false, "{": false, "a/#/{user}": false, "}": false, "{{user}}": false,
	} {
		p, err := ParsePattern(text)
		if (err == nil) != good || good && p.String() != text {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzNoNameWidensAPattern(f *testing.F) {
	for _, name := range []string{"*", "#", "a/b", "+", "", "{user}", "a\x00", "ä", "..", "a*", "%2F", "*/#"} {
		f.Add(name, name)
	}
	f.Fuzz(func(t *testing.T, user, client string) {
		tenant := &Tenant{Name: "acme"}
		got, ok := pattern(t, "a/{user}/{client}/b").For(&Principal{Tenant: tenant, User: user, Client: client})
		if !ok {
			return
		}
		a, literal := got.Literal()
		if !literal || string(a) != "a/"+user+"/"+client+"/b" || strings.Count(string(a), "/") != 3 {
			t.Errorf("%q and %q give %v", user, client, got)
		}
	})
}
