package webhook

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSignatureIsThatOfStandardWebhooks: the example of its reference libraries.
func TestSignatureIsThatOfStandardWebhooks(t *testing.T) {
	var s Secret
	if err := s.UnmarshalText([]byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")); err != nil {
		t.Fatal(err)
	}
	got := sign([]Secret{s}, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSecretsAreReadAndNotShown(t *testing.T) {
	long := "whsec_" + strings.Repeat("QUJD", 22)
	for _, bad := range []string{"", "secret", "whsec_", "whsec_QUJD", "whsec_!!!!", long, strings.Repeat("QUJD", 10)} {
		if err := new(Secret).UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		} else if bad != "" && bad != "whsec_" && bad != "secret" && strings.Contains(err.Error(), bad) {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
	file := filepath.Join(t.TempDir(), "secrets")
	good := "whsec_" + strings.Repeat("QUJD", 10)
	if err := os.WriteFile(file, []byte(good+"\n\n"+"whsec_"+strings.Repeat("REVG", 10)), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := ReadSecrets(file)
	if err != nil || len(all) != 2 || all[0].key != strings.Repeat("ABC", 10) || all[0].String() != "(secret)" {
		t.Errorf("%v, %v", all, err)
	}
	for _, text := range []string{"\n", "whsec_x\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadSecrets(file); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
