package tenancy

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// line is a connection that hears that it is to end.
type line struct{ told []Dismissal }

func (l *line) Dismiss(why Dismissal) { l.told = append(l.told, why) }

// hotel is a directory of one tenant with these users, and the plan p.
func hotel(t *testing.T, p Plan, users ...string) *Directory {
	t.Helper()
	d, err := NewDirectory(declaration(p, users...))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func declaration(p Plan, users ...string) *Tenant {
	tenant := &Tenant{Name: "acme", Anonymous: true, Plan: p}
	for _, name := range users {
		tenant.Users = append(tenant.Users, User{Name: name})
	}
	return tenant
}

// come has a user come in from an address.
func come(d *Directory, user, from string) (*Visit, *line, error) {
	tenant, _ := d.Lookup("acme")
	l := new(line)
	v, err := d.Enter(Visitor{}.From(from).Through("MQTT"), d.newPrincipal(tenant, user).As(user+"'s"), l)
	return v, l, err
}

func TestVisitsAreListedInPages(t *testing.T) {
	d := hotel(t, Plan{}, "ann", "ben")
	var visits []*Visit
	for i := range 5 {
		v, _, err := come(d, "ann", fmt.Sprintf("192.0.2.%d:1", i))
		if err != nil {
			t.Fatal(err)
		}
		visits = append(visits, v)
	}
	visits[1].Leave()
	first := d.Visits("acme", 0, 2)
	rest := d.Visits("acme", first[1].ID(), 10)
	if len(first) != 2 || first[0] != visits[0] || first[1] != visits[2] || len(rest) != 2 || rest[1] != visits[4] {
		t.Errorf("the pages are %v and %v", first, rest)
	}
	if v, ok := d.Visit("acme", visits[3].ID()); !ok || v.User() != "ann" || v.Client() != "ann's" || v.Protocol() != "MQTT" ||
		v.Address().String() != "192.0.2.3:1" || v.Tenant() != "acme" {
		t.Errorf("the fourth is %+v", v)
	}
	if _, ok := d.Visit("acme", visits[1].ID()); ok || d.Present("acme") != 4 {
		t.Errorf("who has left is there; %d are", d.Present("acme"))
	}
	if d.Visits("nobody", 0, 1) != nil || fmt.Sprint(d.Occupied()) != "[acme]" {
		t.Errorf("occupied are %v", d.Occupied())
	}
}

func TestLastDeliveryIsNoted(t *testing.T) {
	v, l, err := come(hotel(t, Plan{}, "ann"), "ann", "192.0.2.1:1")
	if err != nil {
		t.Fatal(err)
	}
	v.Note()
	if at, ok := v.LastDelivery(); ok {
		t.Errorf("a message has passed at %v", at)
	}
	for _, pass := range []func(int){v.principal.Sent, v.principal.Received} {
		pass(7)
		before := time.Now()
		v.Note()
		first, ok := v.LastDelivery()
		if !ok || first.Before(before) {
			t.Errorf("the message has passed at %v, %t, not after %v", first, ok, before)
		}
		v.Note() // nothing more has
		if again, _ := v.LastDelivery(); !again.Equal(first) {
			t.Errorf("it has passed at %v and %v", first, again)
		}
	}
	if v.Dismissed() {
		t.Error("she has been sent away")
	}
	if v.Dismiss(ByAdministrator); !v.Dismissed() || len(l.told) != 1 {
		t.Errorf("she is told %v", l.told)
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	for _, c := range []struct {
		limit   Limit
		user    string // of the third, who is one too many
		address string
	}{
		{MaxConnections, "ben", "192.0.2.9:1"},
		{MaxConnectionsPerUser, "ann", "192.0.2.9:1"},
		{MaxConnectionsPerAddress, "ben", "192.0.2.1:9"},
	} {
		t.Run(c.limit.String(), func(t *testing.T) {
			d := hotel(t, Plan{}, "ann", "ben", "eve")
			first, _, err := come(d, "ann", "192.0.2.1:1")
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Replace(declaration(*planOf(c.limit, 2), "ann", "ben", "eve")); err != nil { // it counts who is there
				t.Fatal(err)
			}
			if _, _, err := come(d, "ann", "192.0.2.1:2"); err != nil {
				t.Fatal(err)
			}
			_, _, err = come(d, c.user, c.address)
			if e, ok := errors.AsType[*Exceeded](err); !ok || e.Limit != c.limit {
				t.Errorf("one too many: %v", err)
			}
			if _, _, err := come(d, "eve", "192.0.2.7:1"); (err == nil) != (c.limit != MaxConnections) {
				t.Errorf("somebody from elsewhere: %v", err)
			}
			first.Leave()
			if _, _, err := come(d, c.user, c.address); err != nil {
				t.Errorf("after one has left: %v", err)
			}
		})
	}
}

func TestWhoIsNotWelcomeIsSentAway(t *testing.T) {
	for name, c := range map[string]struct {
		next *Tenant
		gone string
	}{
		"nothing has changed": {declaration(Plan{}, "ann", "ben"), ""},
		"a user has gone":     {declaration(Plan{}, "ben"), "ann"},
		"a protocol has":      {declaration(Plan{Protocols: []string{"amqp"}}, "ann", "ben"), "ann ben"},
		"the tenant has":      {&Tenant{Name: "other"}, "ann ben"},
	} {
		t.Run(name, func(t *testing.T) {
			d := hotel(t, Plan{}, "ann", "ben")
			lines := make(map[string]*line)
			for _, user := range []string{"ann", "ben"} {
				var err error
				if _, lines[user], err = come(d, user, "192.0.2.1:1"); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.Replace(c.next); err != nil {
				t.Fatal(err)
			}
			gone := ""
			for _, user := range []string{"ann", "ben"} {
				if fmt.Sprint(lines[user].told) == fmt.Sprint([]Dismissal{NotWelcome}) {
					gone += " " + user
				}
			}
			if gone != "" {
				gone = gone[1:]
			}
			if gone != c.gone {
				t.Errorf("%q are sent away, want %q", gone, c.gone)
			}
		})
	}
}

// TestDisabledTenantIsAsNone: nobody enters it, and its users are told what those of none are.
func TestDisabledTenantIsAsNone(t *testing.T) {
	tenant := declaration(Plan{}, "ann")
	tenant.Disabled = true
	d, err := NewDirectory(tenant)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Anonymous(Visitor{Tenant: "acme"}, ""); !errors.Is(err, ErrNoSuchTenant) {
		t.Errorf("entering gives %v", err)
	}
	if _, _, err := come(d, "ann", "192.0.2.1:1"); !errors.Is(err, ErrCredentials) {
		t.Errorf("who has shown before who he is: %v", err)
	}
}
