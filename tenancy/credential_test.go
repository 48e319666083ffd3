package tenancy

import (
	"fmt"
	"strings"
	"testing"
)

// forms are all of them.
var forms = []Form{SCRAMSHA256, SCRAMSHA512, Argon2id}

func credential(t testing.TB, f Form, password string) Credential {
	t.Helper()
	c, err := NewCredential(f, password)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCredentialProvesItsPasswordOnly(t *testing.T) {
	for _, f := range forms {
		c := credential(t, f, "correct horse")
		text, err := c.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		read, err := ParseCredential(string(text))
		if err != nil || read.Form() != f {
			t.Fatalf("%s: %v, %v", text, read, err)
		}
		if !read.Verify([]byte("correct horse")) {
			t.Errorf("%s: the password is refused", f)
		}
		for _, wrong := range []string{"", "Correct horse"} {
			if read.Verify([]byte(wrong)) {
				t.Errorf("%s: %q is taken", f, wrong)
			}
		}
		if again, _ := credential(t, f, "correct horse").MarshalText(); string(again) == string(text) {
			t.Errorf("%s: two credentials of one password are the same", f)
		}
		if decoy := read.decoy(); decoy.Verify([]byte("correct horse")) || decoy.Form() != f {
			t.Errorf("%s: a decoy takes the password, or is of form %q", f, decoy.Form())
		}
	}
	if (Credential{}).Verify(nil) {
		t.Error("no credential takes no password")
	}
}

func TestCredentialsOfOthersAreRead(t *testing.T) {
	for text, password := range map[string]string{
		// RFC 7677 section 3, whose keys follow from its salt and password.
		"SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:" +
			"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=": "pencil",
		// From the reference implementation of argon2.
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc": "password",
	} {
		if c, err := ParseCredential(text); err != nil || !c.Verify([]byte(password)) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestPasswordIsOneInAllItsSpellings(t *testing.T) {
	// RFC 4013 section 3: a ligature, a soft hyphen, a space of another kind.
	if !cheap(SCRAMSHA256, "fi x").Verify([]byte("\uFB01\u00AD\u00A0x")) {
		t.Error("the same password in another spelling is refused")
	}
	if !cheap(SCRAMSHA256, "\U0001F511").Verify([]byte("\U0001F511")) {
		t.Error("a password that cannot be prepared is refused")
	}
}

func TestPrintedCredentialGivesNothingAway(t *testing.T) {
	u := User{Name: "ann", Credential: cheap(SCRAMSHA256, "x")}
	for verb, want := range map[string]string{"%v": "{ann SCRAM-SHA-256 none []}", "%+v": "{Name:ann Credential:SCRAM-SHA-256 Key:none Roles:[]}"} {
		if shown := fmt.Sprintf(verb, u); shown != want {
			t.Errorf("%s shows %q", verb, shown)
		}
	}
}

func TestWrongCredentialIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "secret", "SCRAM-SHA-1$4096:AA==$AA==:AA==", "SCRAM-SHA-256", "SCRAM-SHA-256$4096:AA==$AA==:AA==",
		"SCRAM-SHA-256$1:" + strings.Repeat("A", 24) + "$" + strings.Repeat("A", 43) + "=:" + strings.Repeat("A", 43) + "=",
		"SCRAM-SHA-256$4096:$" + strings.Repeat("A", 43) + "=:" + strings.Repeat("A", 43) + "=",
		"SCRAM-SHA-512$4096:AAAA$" + strings.Repeat("A", 43) + "=:" + strings.Repeat("A", 43) + "=",
		"$argon2id$", "$argon2id$v=18$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=65536,t=0,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=65536,t=2,p=1x$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=65536,t=2,p=1$$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFh", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFh",
	} {
		c, err := ParseCredential(text)
		if err == nil || !c.IsZero() {
			t.Errorf("%q was taken", text)
		} else if len(text) > 20 && strings.Contains(err.Error(), text) {
			t.Errorf("the error repeats the credential: %v", err)
		}
	}
	if _, err := NewCredential("md5", "x"); err == nil {
		t.Error("a form that does not exist was taken")
	}
	if _, err := NewCredential(Argon2id, ""); err == nil {
		t.Error("an empty password was taken")
	}
}

func FuzzParseCredential(f *testing.F) {
	f.Add("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:" +
		"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=")
	f.Add("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCredential(text)
		if err != nil {
			return
		}
		again, _ := c.MarshalText()
		if back, err := ParseCredential(string(again)); err != nil || back.decoy().IsZero() {
			t.Errorf("%q becomes %q: %v", text, again, err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	for _, f := range forms {
		c := credential(b, f, "correct horse")
		b.Run(string(f), func(b *testing.B) {
			for b.Loop() {
				c.Verify([]byte("wrong"))
			}
		})
	}
}
