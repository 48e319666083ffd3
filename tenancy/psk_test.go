package tenancy

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// withKeys gives a directory whose users have keys, but for ben.
func withKeys(t *testing.T) *Directory {
	t.Helper()
	key := func(text string) PreSharedKey {
		k, err := ParsePreSharedKey(text)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	d, err := NewDirectory(
		&Tenant{Name: "default", Users: []User{{Name: "sensor", Key: key("open")}}},
		&Tenant{Name: "acme", Users: []User{{Name: "sensor", Key: key("hex:00ff00ff")}, {Name: "ben"}}},
	)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestIdentityHasTheKeyOfItsUser(t *testing.T) {
	d := withKeys(t)
	for identity, want := range map[string]string{"sensor": "open", "sensor@default": "open", "sensor@acme": "\x00\xff\x00\xff"} {
		if got := d.PreSharedKey(Visitor{}, identity); string(got) != want {
			t.Errorf("%s has %q, want %q", identity, got, want)
		}
		p, err := d.ByPreSharedKey(Visitor{}, identity)
		if err != nil || p.User != "sensor" || strings.Contains(identity, "acme") != (p.Tenant.Name == "acme") {
			t.Errorf("%s is %+v, %v", identity, p, err)
		}
	}
	for _, identity := range []string{"", "nobody", "ben@acme", "sensor@nowhere", "sensor@acme@default"} {
		made := d.PreSharedKey(Visitor{}, identity)
		if len(made) < 16 || !bytes.Equal(made, d.PreSharedKey(Visitor{}, identity)) {
			t.Errorf("%q has %x, want a key that nobody knows, the same each time", identity, made)
		}
		if p, err := d.ByPreSharedKey(Visitor{}, identity); err == nil {
			t.Errorf("%q is let in as %+v", identity, p)
		}
	}
	if _, err := d.ByPreSharedKey(Visitor{Hosts: []string{"acme.example"}}, "sensor@default"); err == nil {
		t.Error("two tenants that disagree are let in")
	}
}

func TestUserWithAKeyEntersByNothingElse(t *testing.T) {
	d := withKeys(t)
	shown := Credentials{Visitor: Visitor{Certificate: "sensor", Private: true}}
	if p, err := d.Authenticate(t.Context(), shown); err == nil {
		t.Errorf("a certificate lets in %+v", p)
	}
	if p, err := d.Authenticate(t.Context(), Credentials{User: "sensor", Password: []byte("open")}); err == nil {
		t.Errorf("a password lets in %+v", p)
	}
}

func TestKeyIsOfAFewBytesAndNeverShown(t *testing.T) {
	for _, text := range []string{"abc", "hex:001122", "hex:0", "hex:xy", strings.Repeat("k", 65)} {
		if _, err := ParsePreSharedKey(text); err == nil || strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
	var none, some PreSharedKey
	if none.UnmarshalText(nil) != nil || !none.IsZero() || some.UnmarshalText([]byte("open")) != nil || some.IsZero() {
		t.Errorf("read %v and %v", none, some)
	}
	if shown := fmt.Sprintf("%v %+v %#v", some, some, some); strings.Contains(shown, "open") {
		t.Errorf("it is shown: %s", shown)
	}
}
