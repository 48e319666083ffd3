package tenancy

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xdg-go/scram"
)

// cheap is a credential of SCRAM at the lowest cost, so that tests are quick.
func cheap(f Form, password string) Credential {
	return Credential{deriveSCRAM(f, password, scram.KeyFactors{Salt: "0123456789abcdef", Iters: minIterations})}
}

func TestOnlyWhatMayBeUsedIsOffered(t *testing.T) {
	sha256, sha512 := cheap(SCRAMSHA256, "a"), cheap(SCRAMSHA512, "a")
	argon := credential(t, Argon2id, "a")
	open := &Tenant{Name: "open", Anonymous: true}
	users := &Tenant{Name: "default", Users: []User{{Name: "a", Credential: sha256}, {Name: "b", Credential: sha512}, {Name: "c", Credential: argon}}}
	argons := &Tenant{Name: "argons", Users: []User{{Name: "c", Credential: argon}}}
	closed := &Tenant{Name: "closed"}
	for _, c := range []struct {
		name    string
		tenants []*Tenant
		visitor Visitor
		want    string
	}{
		{"anybody", []*Tenant{open}, Visitor{}, "PLAIN ANONYMOUS"},
		{"anybody over TLS", []*Tenant{open}, Visitor{Private: true, Certificate: "x"}, "EXTERNAL PLAIN ANONYMOUS"},
		{"users", []*Tenant{users}, Visitor{Private: true}, "SCRAM-SHA-512 SCRAM-SHA-256 PLAIN"},
		{"users in public", []*Tenant{users}, Visitor{}, "SCRAM-SHA-512 SCRAM-SHA-256"},
		{"users or anybody", []*Tenant{users, open}, Visitor{}, "SCRAM-SHA-512 SCRAM-SHA-256 ANONYMOUS"},
		{"users, by name", []*Tenant{users, open}, Visitor{Tenant: "default"}, "SCRAM-SHA-512 SCRAM-SHA-256"},
		{"users, by host", []*Tenant{users, open}, Visitor{Hosts: []string{"default.x"}}, "SCRAM-SHA-512 SCRAM-SHA-256"},
		{"anybody, by host", []*Tenant{users, open}, Visitor{Hosts: []string{"open.x"}}, "PLAIN ANONYMOUS"},
		{"argon2id", []*Tenant{argons}, Visitor{Private: true}, "PLAIN"},
		{"argon2id in public", []*Tenant{argons}, Visitor{}, "SCRAM-SHA-256"},
		{"nobody", []*Tenant{closed}, Visitor{Private: true}, "SCRAM-SHA-256"},
	} {
		d, err := NewDirectory(c.tenants...)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(d.Mechanisms(c.visitor), " "); got != c.want {
			t.Errorf("%s: offered %s, want %s", c.name, got, c.want)
		}
		for _, tenant := range c.tenants {
			tenant.Issuers = []string{issuer}
		}
		if err := d.Replace(c.tenants...); err != nil {
			t.Fatal(err)
		}
		withTokens := d.Mechanisms(c.visitor)
		for _, tenant := range c.tenants {
			tenant.Issuers = nil
		}
		if slices.Contains(withTokens, "OAUTHBEARER") != c.visitor.Private || slices.Contains(withTokens, "XOAUTH2") != c.visitor.Private {
			t.Errorf("%s: offered %s with tokens", c.name, withTokens)
		}
	}
}

// talk plays a client's part with fixed responses and gives the challenges.
func talk(t *testing.T, e Exchange, responses ...string) (challenges []string, p *Principal, err error) {
	t.Helper()
	for _, r := range responses {
		response := []byte(r)
		if r == "nothing" {
			response = nil
		}
		var challenge []byte
		challenge, p, err = e.Step(t.Context(), response)
		if err != nil || p != nil {
			return challenges, p, err
		}
		challenges = append(challenges, string(challenge))
	}
	return challenges, nil, nil
}

func TestPlainIsTakenApart(t *testing.T) {
	d, _ := guarded(t, nil)
	for _, response := range []string{"\x00ann\x00a", "ann\x00ann\x00a", "\x00ann@default\x00a"} {
		if _, p, err := talk(t, d.Begin("PLAIN", Visitor{}), "nothing", response); err != nil || p.User != "ann" {
			t.Errorf("%q: %v, %v", response, p, err)
		}
	}
	for _, response := range []string{
		"", "ann", "\x00ann", "\x00\x00a", "\x00ann\x00a\x00", "other\x00ann\x00a", "\x00ann\x00b", "\x00\xFF\x00a",
	} {
		if _, p, err := talk(t, d.Begin("PLAIN", Visitor{}), response); err == nil {
			t.Errorf("%q lets %v in", response, p)
		}
	}
}

func TestUnknownMechanismLetsNobodyIn(t *testing.T) {
	d, _ := guarded(t, nil)
	for _, name := range []string{"", "LOGIN", "plain", "SCRAM-SHA-1", "SCRAM-SHA-256-PLUS"} {
		if _, p, err := talk(t, d.Begin(name, Visitor{Tenant: "open"}), "\x00ann\x00a"); err == nil {
			t.Errorf("%s lets %v in", name, p)
		}
	}
	if _, p, err := talk(t, d.Begin("ANONYMOUS", Visitor{}), "trace"); err == nil {
		t.Errorf("ANONYMOUS lets %v in where there are users", p)
	}
}

// scramLogin plays a whole SCRAM exchange with the client of a library. The client must believe the server.
func scramLogin(t *testing.T, d *Directory, f Form, v Visitor, user, password, identity string) (*Principal, string, error) {
	t.Helper()
	hash, _ := scramHash(f)
	client, err := hash.NewClient(user, password, identity)
	if err != nil {
		t.Fatal(err)
	}
	conversation, exchange := client.NewConversation(), d.Begin(string(f), v)
	challenge, first := "", ""
	for range 3 {
		response, err := conversation.Step(challenge)
		if err != nil {
			t.Fatal(err)
		}
		answer, p, err := exchange.Step(t.Context(), []byte(response))
		if err != nil {
			return nil, first, err
		}
		if p != nil {
			if _, err := conversation.Step(string(answer)); err != nil || !conversation.Valid() {
				t.Errorf("the server does not prove itself: %v", err)
			}
			return p, first, nil
		}
		if challenge = string(answer); first == "" {
			first = challenge
		}
	}
	t.Fatal("the exchange does not end")
	return nil, "", nil
}

func TestSCRAMProvesThePassword(t *testing.T) {
	d, err := NewDirectory(
		&Tenant{Name: "default", Users: []User{
			{Name: "ann", Credential: cheap(SCRAMSHA256, "a")}, {Name: "ben", Credential: cheap(SCRAMSHA512, "b")},
			{Name: "cat", Credential: credential(t, Argon2id, "c")}, {Name: "a,b=c", Credential: cheap(SCRAMSHA256, "d")},
		}},
		&Tenant{Name: "acme", Users: []User{{Name: "ann", Credential: cheap(SCRAMSHA256, "other")}}},
	)
	if err != nil {
		t.Fatal(err)
	}
	acme := Visitor{Hosts: []string{"acme.example"}}
	for _, c := range []struct {
		form                     Form
		visitor                  Visitor
		user, password, identity string
		want                     string
	}{
		{SCRAMSHA256, Visitor{}, "ann", "a", "", "default/ann"},
		{SCRAMSHA256, Visitor{}, "ann", "a", "ann", "default/ann"},
		{SCRAMSHA256, Visitor{}, "ann@default", "a", "", "default/ann"},
		{SCRAMSHA512, Visitor{}, "ben", "b", "", "default/ben"},
		{SCRAMSHA256, Visitor{}, "a,b=c", "d", "", "default/a,b=c"},
		{SCRAMSHA256, Visitor{}, "ann@acme", "other", "", "acme/ann"},
		{SCRAMSHA256, acme, "ann", "other", "", "acme/ann"},
		{SCRAMSHA256, Visitor{}, "ann", "a", "ben", ""},
		{SCRAMSHA256, Visitor{}, "ann", "b", "", ""},
		{SCRAMSHA256, acme, "ann", "a", "", ""},
		{SCRAMSHA256, acme, "ann@default", "a", "", ""},
		{SCRAMSHA512, Visitor{}, "ann", "a", "", ""},
		{SCRAMSHA256, Visitor{}, "cat", "c", "", ""},
		{SCRAMSHA256, Visitor{}, "nobody", "a", "", ""},
		{SCRAMSHA256, Visitor{}, "ann@nobody", "a", "", ""},
	} {
		p, _, err := scramLogin(t, d, c.form, c.visitor, c.user, c.password, c.identity)
		got := ""
		if err == nil {
			got = p.Tenant.Name + "/" + p.User
		} else if !errors.Is(err, ErrCredentials) {
			t.Errorf("%s: %v", c.user, err)
		}
		if got != c.want {
			t.Errorf("%s with %q by %s: got %q, want %q", c.user, c.password, c.form, got, c.want)
		}
	}
}

// TestSCRAMAsksUnknownUsersTheSame: salt and iterations look like those of the others, and stay the same.
func TestSCRAMAsksUnknownUsersTheSame(t *testing.T) {
	d, err := NewDirectory(&Tenant{Name: "default", Users: []User{{Name: "ann", Credential: cheap(SCRAMSHA256, "a")}}})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(user string) (salt, iterations string) {
		_, challenge, err := scramLogin(t, d, SCRAMSHA256, Visitor{}, user, "wrong", "")
		parts := strings.Split(challenge, ",")
		if err == nil || len(parts) != 3 {
			t.Fatalf("%s: %q, %v", user, challenge, err)
		}
		return parts[1], parts[2]
	}
	knownSalt, knownIterations := ask("ann")
	salt, iterations := ask("nobody")
	again, _ := ask("nobody")
	other, _ := ask("somebody")
	if iterations != knownIterations || len(salt) != len(knownSalt) || salt != again || salt == other {
		t.Errorf("ann has %s %s, nobody %s %s, then %s, somebody %s", knownSalt, knownIterations, salt, iterations, again, other)
	}
}

func TestBrokenSCRAMIsRefused(t *testing.T) {
	d, err := NewDirectory(&Tenant{Name: "default", Users: []User{{Name: "ann", Credential: cheap(SCRAMSHA256, "a")}}})
	if err != nil {
		t.Fatal(err)
	}
	bind := base64.StdEncoding.EncodeToString([]byte("n,,"))
	for _, responses := range [][]string{
		{""}, {"n"}, {"n,,n=ann"}, {"p=tls-unique,,n=ann,r=x"}, {"n,,m=x,n=ann,r=x"}, {"n,,n=a=b,r=x"},
		{"n,,n=ann,r=x", ""}, {"n,,n=ann,r=x", "c=" + bind + ",r=x,p="}, {"n,,n=ann,r=x", "c=" + bind + ",r=x,p=AAAA"},
		{"n,,n=ann,r=x", "n,,n=ann,r=x"},
	} {
		if _, p, err := talk(t, d.Begin("SCRAM-SHA-256", Visitor{}), responses...); err == nil {
			t.Errorf("%q: %v was let in, or asked more", responses, p)
		}
	}
	if challenges, _, err := talk(t, d.Begin("SCRAM-SHA-256", Visitor{}), "nothing"); err != nil || challenges[0] != "" {
		t.Errorf("a client that waits is asked %q, %v", challenges, err)
	}
}

func FuzzSCRAM(f *testing.F) {
	d, err := NewDirectory(&Tenant{Name: "default", Users: []User{
		{Name: "ann", Credential: Credential{scramProof{SCRAMSHA256, scram.StoredCredentials{
			KeyFactors: scram.KeyFactors{Salt: "salt", Iters: minIterations}, StoredKey: random(32), ServerKey: random(32),
		}}}},
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("n,,n=ann,r=x", "c=biws,r=x,p=AAAA")
	f.Fuzz(func(t *testing.T, first, second string) {
		if _, p, _ := talk(t, d.Begin("SCRAM-SHA-256", Visitor{}), first, second); p != nil {
			t.Errorf("%q and %q let %v in", first, second, p)
		}
	})
}

// issuer is whose word the tenants of tests take.
const issuer = "https://id.example"

// judge knows the tokens "good" of ann, "acme" of ann at acme, "empty" of nobody, and some that are good for something else.
type judge struct{}

func (*judge) Judge(_ context.Context, tenant, token string) (Identity, error) {
	switch token {
	case "good":
		return Identity{Issuer: issuer, User: "ann"}, nil
	case "acme":
		return Identity{Tenant: "acme", Issuer: issuer, User: "ann"}, nil
	case "empty":
		return Identity{Issuer: issuer}, nil
	case "strange":
		return Identity{Issuer: "https://other.example", User: "ann"}, nil
	case "late":
		return Identity{Issuer: issuer, User: "ann", Expires: time.Unix(1, 0)}, nil
	case "hour":
		return Identity{Issuer: issuer, User: "eve", Expires: time.Now().Add(time.Hour), Roles: []string{"offline_access"}}, nil
	case "busy":
		return Identity{}, fmt.Errorf("no answer: %w", ErrBusy)
	}
	return Identity{}, errors.New("expired")
}

func TestTokensLetTheirUsersIn(t *testing.T) {
	d, _ := guarded(t, nil)
	d.Trust(new(judge))
	acme := Visitor{Tenant: "acme"}
	for _, c := range []struct {
		mechanism string
		visitor   Visitor
		response  string
		want      string // tenant/user; empty for a refusal
		told      bool   // the client is told why
	}{
		{"OAUTHBEARER", Visitor{}, "n,,\x01auth=Bearer good\x01\x01", "default/ann", false},
		{"OAUTHBEARER", Visitor{}, "n,a=ann,\x01host=h\x01port=1\x01auth=bearer good\x01\x01", "default/ann", false},
		{"OAUTHBEARER", Visitor{}, "y,a=ann@acme,\x01auth=Bearer good\x01\x01", "acme/ann", false},
		{"OAUTHBEARER", acme, "n,,\x01auth=Bearer good\x01\x01", "acme/ann", false},
		{"OAUTHBEARER", Visitor{}, "n,,\x01auth=Bearer acme\x01\x01", "acme/ann", false},
		{"XOAUTH2", Visitor{}, "user=ann\x01auth=Bearer acme\x01\x01", "acme/ann", false},
		{"XOAUTH2", Visitor{}, "auth=Bearer good\x01\x01", "default/ann", false},

		{"OAUTHBEARER", Visitor{Tenant: "default"}, "n,,\x01auth=Bearer acme\x01\x01", "", true},
		{"OAUTHBEARER", Visitor{}, "n,a=ben,\x01auth=Bearer good\x01\x01", "", true},
		{"OAUTHBEARER", Visitor{}, "n,,\x01auth=Bearer old\x01\x01", "", true},
		{"OAUTHBEARER", Visitor{}, "n,,\x01auth=Bearer empty\x01\x01", "", true},
		{"XOAUTH2", Visitor{}, "user=ann\x01auth=Bearer old\x01\x01", "", true},
		{"XOAUTH2", Visitor{}, "user=ben\x01auth=Bearer good\x01\x01", "", true},
		{"OAUTHBEARER", Visitor{}, "n,,\x01auth=Bearer strange\x01\x01", "", true},
		{"OAUTHBEARER", Visitor{}, "n,,\x01auth=Bearer late\x01\x01", "", true},
		{"OAUTHBEARER", Visitor{Tenant: "closed"}, "n,,\x01auth=Bearer good\x01\x01", "", true},

		{"OAUTHBEARER", Visitor{}, "", "", false},
		{"OAUTHBEARER", Visitor{}, "n,,\x01auth=Bearer \x01\x01", "", false},
		{"OAUTHBEARER", Visitor{}, "n,,\x01auth=Basic good\x01\x01", "", false},
		{"OAUTHBEARER", Visitor{}, "n,,\x01auth=Bearer good\x01", "", false},
		{"OAUTHBEARER", Visitor{}, "p=tls-unique,,\x01auth=Bearer good\x01\x01", "", false},
		{"OAUTHBEARER", Visitor{}, "n,ann,\x01auth=Bearer good\x01\x01", "", false},
		{"OAUTHBEARER", Visitor{}, "auth=Bearer good\x01\x01", "", false},
		{"XOAUTH2", Visitor{}, "n,,\x01auth=Basic good\x01\x01", "", false},
	} {
		e := d.Begin(c.mechanism, c.visitor)
		challenges, p, err := talk(t, e, c.response)
		got := ""
		if p != nil {
			got = p.Tenant.Name + "/" + p.User
		}
		if told := len(challenges) == 1 && challenges[0] == tokenFault; got != c.want || told != c.told {
			t.Errorf("%s %q: got %q (%v), told %q", c.mechanism, c.response, got, err, challenges)
		}
		if c.told {
			if _, p, err := talk(t, e, "\x01"); err == nil {
				t.Errorf("%s %q: %v was let in after the refusal", c.mechanism, c.response, p)
			}
		}
	}
	if p, err := d.Authenticate(t.Context(), Credentials{Token: "good"}); err != nil || p.User != "ann" {
		t.Errorf("a token by itself: %v, %v", p, err)
	}
	plain, _ := guarded(t, nil)
	if p, err := plain.Authenticate(t.Context(), Credentials{Token: "good"}); err == nil {
		t.Errorf("nobody judges tokens, and yet %v was let in", p)
	}
}
