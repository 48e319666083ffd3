package pki_test

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/gateway/internal/pki"
)

// keyPair gives one whose key OpenSSL 3.0 has written, encrypted as the name of its file says. The password is "secret".
func keyPair(key string) pki.Pair {
	return pki.Pair{Certificate: "testdata/keys/certificate.pem", Key: filepath.Join("testdata/keys", key), Password: "secret"}
}

func TestEncryptedKeysAreRead(t *testing.T) {
	files, err := filepath.Glob("testdata/keys/*.pem")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		if name == "certificate.pem" {
			continue
		}
		encrypted, unknown := name != "plain.pem", strings.HasPrefix(name, "unknown")
		pair := keyPair(name)
		if _, err := pair.Load(); (err != nil) != unknown {
			t.Errorf("%s: %v", name, err)
		}
		for _, wrong := range []string{"", "Secret"} {
			pair.Password = wrong
			_, err := pair.Load()
			if (err == nil) == encrypted {
				t.Errorf("%s with the password %q: %v", name, wrong, err)
			}
			if err != nil && wrong != "" && strings.Contains(err.Error(), wrong) {
				t.Errorf("%s: %v tells the password", name, err)
			}
		}
	}
}

func TestPasswordOfAKeyIsTheFirstLineOfAFile(t *testing.T) {
	pair := keyPair("aes256.pem")
	pair.Password, pair.PasswordFile = "", filepath.Join(t.TempDir(), "password")
	if _, err := pair.Load(); err == nil {
		t.Error("a file that is not there has the password")
	}
	if err := os.WriteFile(pair.PasswordFile, []byte("secret\r\nof the key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := pair.Load(); err != nil {
		t.Error(err)
	}
}

// FuzzDecryptPKCS8: whatever is in a file of a key, it is refused or a key, and nothing else happens.
func FuzzDecryptPKCS8(f *testing.F) {
	for _, name := range []string{"aes256", "aes128-sha512", "des3-sha1", "unknown-scrypt", "unknown-pbes1"} {
		text, err := os.ReadFile("testdata/keys/" + name + ".pem")
		if err != nil {
			f.Fatal(err)
		}
		block, _ := pem.Decode(text)
		f.Add(block.Bytes)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		_, _ = pki.DecryptPKCS8(der, "secret", 1<<12)
	})
}
