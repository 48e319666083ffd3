package pki

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// Names finds the users of certificates. It does not change.
type Names struct {
	naming Naming
	others map[string]string // by what the naming gives
}

// maxNames bounds a file of names, in octets.
const maxNames = 16 << 20

// OpenNames gives the users of certificates by a field. file, if there is one, has an object of JSON with other names for some of them.
func OpenNames(field Field, file string) (*Names, error) {
	n := &Names{naming: Naming{Field: field}}
	if file == "" {
		return n, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := json.NewDecoder(io.LimitReader(f, maxNames)).Decode(&n.others); err != nil {
		return nil, fmt.Errorf("%s: it is no object of JSON with texts: %w", file, err)
	}
	return n, nil
}

// UserOf gives the user of a certificate.
func (n *Names) UserOf(c *x509.Certificate) (string, error) {
	user, err := n.naming.userOf(c)
	if other := n.others[user]; other != "" {
		user = other
	}
	return user, err
}
