package engine

import "testing"

func TestPlainIsTakenApart(t *testing.T) {
	m := WithPlain("user", "pass")
	initial, err := m.Start()
	if err != nil || m.Name() != Plain {
		t.Fatalf("%s: %v", m.Name(), err)
	}
	if c, err := ParsePlain(initial); err != nil || c != (PlainCredentials{User: "user", Password: "pass"}) {
		t.Errorf("%+v: %v", c, err)
	}
	if c, err := ParsePlain([]byte("other\x00user\x00pass")); err != nil || c.Identity != "other" {
		t.Errorf("%+v: %v", c, err)
	}
	for _, bad := range []string{"", "user", "\x00user", "\x00\x00pass", "\x00a\x00b\x00c", "\x00\xff\x00pass"} {
		if c, err := ParsePlain([]byte(bad)); err == nil {
			t.Errorf("%q gives %+v", bad, c)
		}
	}
}

func TestIdentityIsText(t *testing.T) {
	if id, err := ParseIdentity([]byte("me")); err != nil || id != "me" {
		t.Errorf("%q: %v", id, err)
	}
	for _, bad := range []string{"a\x00b", "\xff"} {
		if id, err := ParseIdentity([]byte(bad)); err == nil {
			t.Errorf("%q gives %q", bad, id)
		}
	}
}
