package tenancy

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

// User is somebody whom a tenant knows by name. It is immutable.
type User struct {
	Name       string
	Credential Credential   // the zero value for a user who shows a certificate, and has no password
	Key        PreSharedKey // likewise for who has none
	Roles      []string     // of the tenant's; none for its default ones
}

// MaxUserLength is the greatest length of a user's name, in bytes.
const MaxUserLength = 255

// ParseUserName checks a user's name: 1 to 255 bytes of printable UTF-8 without "@", which separates a user's name from
// that of the tenant, and without ":", which HTTP Basic cannot carry (RFC 7617 section 2).
func ParseUserName(s string) (string, error) {
	switch {
	case s == "" || len(s) > MaxUserLength || !utf8.ValidString(s):
		return "", fmt.Errorf("user name %.40q: 1 to %d bytes of UTF-8", s, MaxUserLength)
	case strings.ContainsAny(s, "@:"):
		return "", fmt.Errorf("user name %q: no @ or : in it", s)
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) }):
		return "", fmt.Errorf("user name %q: printable characters only", s)
	}
	return s, nil
}

// account is a user with what was found out about them since the process began.
type account struct {
	User
	proven atomic.Pointer[seal] // of the password that was right the last time; nil for none
}

// seal is a fingerprint of a password that is worth nothing outside of this process.
type seal [sha256.Size]byte

// seal makes the fingerprint that recognises a password which was found right before. It is keyed, so that it cannot
// be looked up in a table of common passwords.
func (d *Directory) seal(password []byte) seal {
	mac := hmac.New(sha256.New, d.key)
	mac.Write(password)
	return seal(mac.Sum(nil))
}

// isProven tells whether a password is the one that was right the last time.
func (a *account) isProven(s seal) bool {
	known := a.proven.Load()
	return known != nil && hmac.Equal(known[:], s[:])
}
