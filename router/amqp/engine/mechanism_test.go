package engine

import (
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
)

func TestMechanismsBegin(t *testing.T) {
	for name, want := range map[string]string{
		"PLAIN":         "\x00user\x00secret",
		"ANONYMOUS":     "trace",
		"EXTERNAL":      "",
		"SCRAM-SHA-256": "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
		"SCRAM-SHA-512": "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
		"OAUTHBEARER":   "n,a=user,\x01auth=Bearer token\x01\x01",
		"XOAUTH2":       "user=user\x01auth=Bearer token\x01\x01",
	} {
		m := mechanismsOf(t, name)[0]
		initial, err := m.Start()
		if m.Name() != amqp.Symbol(name) || string(initial) != want || err != nil {
			t.Errorf("%s begins with %q (%v), want %q", m.Name(), initial, err, want)
		}
	}
}

func TestWhatNoMechanismCanSayIsRefused(t *testing.T) {
	for name, make := range map[string]func() (Mechanism, error){
		"no token":           func() (Mechanism, error) { return WithXOAuth2("user", "") },
		"token with a space": func() (Mechanism, error) { return WithOAuthBearer("user", "a b") },
		"token with an end":  func() (Mechanism, error) { return WithOAuthBearer("user", "a\x01") },
		"user with an end":   func() (Mechanism, error) { return WithXOAuth2("user\x01", "a") },
		"unprepared name":    func() (Mechanism, error) { return WithSCRAMSHA256("a\u0007", "x", "nonce") },
	} {
		if m, err := make(); err == nil {
			t.Errorf("%s: %v was made", name, m)
		}
	}
	if m, err := WithOAuthBearer("a,b=c", "token"); err != nil {
		t.Error(err)
	} else if initial, _ := m.Start(); string(initial) != "n,a=a=2Cb=3Dc,\x01auth=Bearer token\x01\x01" {
		t.Errorf("a name is written %q", initial)
	}
}

// TestSCRAMServerMustProveItself: a server that lets anybody in does not know the password.
func TestSCRAMServerMustProveItself(t *testing.T) {
	const challenge = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
	const proof = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
	for _, c := range []struct {
		challenges []string
		additional string
		want       bool
	}{
		{[]string{challenge}, proof, true},
		{[]string{challenge, proof}, "", true},
		{[]string{challenge}, "", false},
		{[]string{challenge}, "v=AAAA", false},
		{nil, proof, false},
		{nil, "", false},
	} {
		m := mechanismsOf(t, "SCRAM-SHA-256")[0]
		if _, err := m.Start(); err != nil {
			t.Fatal(err)
		}
		for _, challenge := range c.challenges {
			if _, err := m.Respond([]byte(challenge)); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Verify([]byte(c.additional)); (err == nil) != c.want {
			t.Errorf("%d challenges and %q: %v", len(c.challenges), c.additional, err)
		}
	}
	m := mechanismsOf(t, "SCRAM-SHA-256")[0]
	m.Start()
	if r, err := m.Respond([]byte("r=another,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")); err == nil {
		t.Errorf("a nonce that is not ours is answered with %q", r)
	}
	if r, err := mechanismsOf(t, "SCRAM-SHA-256")[0].Respond([]byte("r=rOprNGfwEbeRWgbNEkqOx,s=AAAA,i=1")); err == nil && len(r) > 0 && r[0] == 'c' {
		t.Errorf("one iteration is answered with %q", r)
	}
}
