package tenancy

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestTokenMayBeShownAsThePasswordOfTheTokenUser(t *testing.T) {
	d, _ := guarded(t, nil)
	d.Trust(new(judge))
	for _, c := range []struct{ user, password, want string }{
		{"token", "good", "ann"}, {"token@default", "good", "ann"},
		{"token", "old", ""}, {"token", "", ""}, {"token@acme", "good", ""}, {"token", "acme", ""}, {"ann", "good", ""},
	} {
		p, err := d.Authenticate(t.Context(), Credentials{User: c.user, Password: []byte(c.password)})
		if got := nameOf(p); got != c.want {
			t.Errorf("%s with the password %q: %q, %v", c.user, c.password, got, err)
		}
	}
	if _, err := NewDirectory(&Tenant{Name: "x", TokenUser: "token", Users: []User{{Name: "token"}}}); err == nil {
		t.Error("a user has the name under which tokens are shown")
	}
}

func nameOf(p *Principal) string {
	if p == nil {
		return ""
	}
	return p.User
}

func TestJudgeThatCannotTellIsNoRefusalOfTheToken(t *testing.T) {
	d, _ := guarded(t, nil)
	d.Trust(new(judge))
	if _, err := d.Authenticate(t.Context(), Credentials{Token: "busy"}); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v", err)
	}
	_, _, err := talk(t, d.Begin("OAUTHBEARER", Visitor{}), "n,,\x01auth=Bearer busy\x01\x01")
	if !errors.Is(err, ErrBusy) {
		t.Errorf("over SASL: got %v", err)
	}
}

func TestExpiredPrincipalMayDoNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := fleet(t)
		d.Trust(new(judge))
		eve, err := d.Authenticate(t.Context(), Credentials{Token: "hour", Visitor: Visitor{Tenant: "acme"}})
		if err != nil {
			t.Fatal(err)
		}
		eve = eve.As("client")
		news := filter(t, "news")
		if !eve.Known() || !eve.May(Browse, news) {
			t.Error("a role that nobody declares takes the default ones away")
		}
		time.Sleep(time.Until(eve.Expires()))
		if eve.Known() || eve.May(Browse, news) {
			t.Error("who has expired may still browse")
		}
		if kept := eve.Lasting(); !kept.Known() || !kept.May(Browse, news) || kept.Client != "client" {
			t.Error("what outlives the connection has lost its rights")
		}
	})
}

func TestWhoseIssuerIsNotTakenAnyMoreIsNotKnown(t *testing.T) {
	d := fleet(t)
	d.Trust(new(judge))
	eve, err := d.Authenticate(t.Context(), Credentials{Token: "hour", Visitor: Visitor{Tenant: "acme"}})
	if err != nil {
		t.Fatal(err)
	}
	tenant, _ := d.Lookup("acme")
	other := *tenant
	other.Issuers = []string{"https://other.example"}
	if err := d.Replace(&other); err != nil {
		t.Fatal(err)
	}
	if eve.Known() || eve.May(Browse, filter(t, "news")) {
		t.Error("still known")
	}
}
