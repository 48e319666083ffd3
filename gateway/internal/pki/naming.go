package pki

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
)

// Field is what of a certificate names its user.
type Field string

// The fields. Subject is the common name, or the first alternative name of a certificate that has none (RFC 5280 section
// 4.2.1.6); the others are alternative names of one kind.
const (
	Subject Field = "subject"
	DNS     Field = "dns"
	Email   Field = "email"
	URI     Field = "uri"
)

// Fields are all there are.
var Fields = []Field{Subject, DNS, Email, URI}

// Naming is how certificates name their users.
type Naming struct {
	Field   Field
	Pattern string // what the name looks like, with {user} for the part that is the user's; empty for all of it
}

const userMark = "{user}"

// CheckPattern looks at a pattern.
func CheckPattern(pattern string) error {
	if pattern != "" && strings.Count(pattern, userMark) != 1 {
		return fmt.Errorf("%.80q does not have %s in it once", pattern, userMark)
	}
	return nil
}

var errNoUser = errors.New("it names no user")

// userOf gives the user of the first name in a certificate that looks as it should.
func (n *Naming) userOf(c *x509.Certificate) (string, error) {
	for _, name := range n.Field.names(c) {
		if user, ok := n.cut(name); ok {
			return user, nil
		}
	}
	return "", errNoUser
}

// cut takes the user out of a name.
func (n *Naming) cut(name string) (user string, ok bool) {
	before, after, marked := strings.Cut(n.Pattern, userMark)
	if !marked {
		return name, name != ""
	}
	if user, ok = strings.CutPrefix(name, before); ok {
		user, ok = strings.CutSuffix(user, after)
	}
	return user, ok && user != ""
}

// names lists what a certificate has in a field.
func (f Field) names(c *x509.Certificate) []string {
	var uris []string
	for _, u := range c.URIs {
		uris = append(uris, u.String())
	}
	switch f {
	case DNS:
		return c.DNSNames
	case Email:
		return c.EmailAddresses
	case URI:
		return uris
	}
	for _, names := range [][]string{{c.Subject.CommonName}, c.DNSNames, c.EmailAddresses, uris} {
		if len(names) > 0 && names[0] != "" {
			return names[:1]
		}
	}
	return nil
}
