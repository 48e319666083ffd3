package tenancy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/xdg-go/stringprep"
)

// Form is a way to keep a password.
type Form string

// The forms, which are also the names by which a person chooses one. Those of SCRAM serve SCRAM and passwords that are
// sent as they are; argon2id serves the latter only, and is the hardest to guess from.
const (
	SCRAMSHA256 Form = "SCRAM-SHA-256" // RFC 7677
	SCRAMSHA512 Form = "SCRAM-SHA-512"
	Argon2id    Form = "argon2id" // RFC 9106
)

// Credential proves a password without giving it away. It is immutable. The zero value proves none.
type Credential struct{ proof proof }

// proof is one form of a credential.
type proof interface {
	form() Form
	text() string                 // as a person copies it into a configuration
	matches(password string) bool // in constant time, as far as the proof is concerned
	decoy() proof                 // one of the same cost that nobody knows the password of
}

// NewCredential makes the credential of a password, in a form and at a cost that suit logins over a network.
func NewCredential(f Form, password string) (Credential, error) {
	if password == "" {
		return Credential{}, errors.New("the password is empty")
	}
	switch f {
	case SCRAMSHA256, SCRAMSHA512:
		return Credential{newSCRAMProof(f, prepared(password))}, nil
	case Argon2id:
		return Credential{newArgonProof(prepared(password))}, nil
	}
	return Credential{}, fmt.Errorf("%.40q is not one of %s, %s, %s", string(f), SCRAMSHA256, SCRAMSHA512, Argon2id)
}

// ParseCredential reads what MarshalText gives: SCRAM-SHA-256$iterations:salt$stored-key:server-key with base64 (the
// form of RFC 5803), or $argon2id$v=19$m=...,t=...,p=...$salt$hash. Its errors do not repeat the text.
func ParseCredential(text string) (Credential, error) {
	var p proof
	var err error
	switch {
	case strings.HasPrefix(text, "SCRAM-"):
		p, err = parseSCRAMProof(text)
	case strings.HasPrefix(text, "$argon2id$"):
		p, err = parseArgonProof(text)
	default:
		err = errors.New("not a credential; `manifold passwd` makes one from a password")
	}
	return Credential{p}, err
}

// UnmarshalText implements encoding.TextUnmarshaler with ParseCredential.
func (c *Credential) UnmarshalText(text []byte) (err error) {
	*c, err = ParseCredential(string(text))
	return err
}

// MarshalText implements encoding.TextMarshaler. The text is as good as a password to somebody who has time.
func (c Credential) MarshalText() ([]byte, error) {
	if c.proof == nil {
		return nil, nil
	}
	return []byte(c.proof.text()), nil
}

// String gives the form only, so that a credential that is printed is not given away.
func (c Credential) String() string { return string(c.Form()) }

// Form tells how the password is kept; empty for the zero value.
func (c Credential) Form() Form {
	if c.proof == nil {
		return ""
	}
	return c.proof.form()
}

// IsZero tells whether there is no password.
func (c Credential) IsZero() bool { return c.proof == nil }

// Verify tells whether password is the right one. It takes tens of milliseconds, and memory: bound how often it runs at
// the same time.
func (c Credential) Verify(password []byte) bool {
	return c.proof != nil && c.proof.matches(prepared(string(password)))
}

func (c Credential) decoy() Credential { return Credential{c.proof.decoy()} }

// prepared gives a password in the one spelling that SCRAM clients hash (RFC 4013). One that has characters which that
// rule does not know, such as emoji, is taken as it is.
func prepared(password string) string {
	if p, err := stringprep.SASLprep.Prepare(password); err == nil {
		return p
	}
	return password
}
