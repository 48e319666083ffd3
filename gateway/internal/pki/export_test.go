package pki

import (
	"context"
	"time"
)

// StapleDue asks servers of OCSP for what is due.
func (k *Keyring) StapleDue(ctx context.Context, now time.Time) { k.stapleDue(ctx, now) }

// DecryptPKCS8 decrypts a private key, unless that takes more than so many rounds.
func DecryptPKCS8(der []byte, password string, rounds int) ([]byte, error) {
	e, err := parseEncryptedKey(der)
	if err != nil || e.Algorithm.Parameters.Derivation.Parameters.Iterations > rounds {
		return nil, err
	}
	return e.open(password)
}
