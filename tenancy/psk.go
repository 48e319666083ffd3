package tenancy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// PreSharedKey is a key that a user shares with the gateway, to prove who they are in a handshake of DTLS or TLS
// (RFC 4279). Unlike a password the gateway has to know it as it is. Printed it gives nothing away.
type PreSharedKey struct{ key string }

// The least and the greatest length of a key, in bytes.
const (
	minKeyLength = 4
	maxKeyLength = 64
)

// ParsePreSharedKey reads a key: its text, or behind "hex:" its bytes.
func ParsePreSharedKey(text string) (PreSharedKey, error) {
	key, err := keyBytes(text)
	switch {
	case err != nil:
		return PreSharedKey{}, err
	case len(key) < minKeyLength || len(key) > maxKeyLength:
		return PreSharedKey{}, fmt.Errorf("a pre-shared key has %d to %d bytes", minKeyLength, maxKeyLength)
	}
	return PreSharedKey{key}, nil
}

func keyBytes(text string) (string, error) {
	digits, coded := strings.CutPrefix(text, "hex:")
	if !coded {
		return text, nil
	}
	key, err := hex.DecodeString(digits)
	if err != nil {
		return "", errors.New("a pre-shared key behind hex: has pairs of hexadecimal digits")
	}
	return string(key), nil
}

// IsZero tells whether it is no key.
func (k PreSharedKey) IsZero() bool { return k.key == "" }

// String hides the key.
func (k PreSharedKey) String() string {
	if k.IsZero() {
		return "none"
	}
	return "hidden"
}

// Reveal gives the key as ParsePreSharedKey reads it. It is for where keys are kept.
func (k PreSharedKey) Reveal() string {
	if k.IsZero() {
		return ""
	}
	return "hex:" + hex.EncodeToString([]byte(k.key))
}

// GoString hides the key.
func (k PreSharedKey) GoString() string { return k.String() }

// UnmarshalText reads a key as ParsePreSharedKey does. Empty text is no key.
func (k *PreSharedKey) UnmarshalText(text []byte) (err error) {
	*k = PreSharedKey{}
	if len(text) > 0 {
		*k, err = ParsePreSharedKey(string(text))
	}
	return err
}

// PreSharedKey gives the key with which a client of an identity, user@tenant or user, proves that it is that user. For an
// identity that nobody has it gives one that nobody knows, so that a handshake does not tell who exists.
func (d *Directory) PreSharedKey(v Visitor, identity string) []byte {
	if _, a, err := d.byIdentity(v, identity); err == nil {
		return []byte(a.Key.key)
	}
	mac := hmac.New(sha256.New, d.key)
	mac.Write([]byte(identity))
	return mac.Sum(nil)
}

// ByPreSharedKey lets in the user of an identity whose key was proven.
func (d *Directory) ByPreSharedKey(v Visitor, identity string) (*Principal, error) {
	r, a, err := d.byIdentity(v, identity)
	if err != nil {
		d.note(v, identity, err)
		return nil, err
	}
	return d.newPrincipal(r.Tenant, a.Name), nil
}

// byIdentity finds the user of an identity, who has a key.
func (d *Directory) byIdentity(v Visitor, identity string) (*realm, *account, error) {
	r, user, err := d.realm(v, identity)
	if err != nil {
		return nil, nil, err
	}
	a, ok := r.users[user]
	if !ok || a.Key.IsZero() {
		return nil, nil, ErrCredentials
	}
	return r, a, nil
}
