package pki

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Field is what of a certificate names its user. Several of them, joined by semicolons, name him by what the certificate has of
// each, joined in the same way.
type Field string

// The fields. Subject is the common name, or the first alternative name of a certificate that has none (RFC 5280 section
// 4.2.1.6); then there are alternative names of one kind. DN is the whole subject, from the country on (RFC 2253, the other way
// round), of which the next ones are parts; RFC2253 is the same in the order of that. The last ones are fingerprints of the certificate, in hexadecimal digits.
const (
	Subject      Field = "subject"
	DNS          Field = "dns"
	Email        Field = "email"
	URI          Field = "uri"
	DN           Field = "dn"
	RFC2253      Field = "rfc2253"
	Country      Field = "country"
	State        Field = "state"
	City         Field = "city"
	Organization Field = "organization"
	Unit         Field = "unit"
	CommonName   Field = "commonName"
	SHA1         Field = "sha1"
	SHA256       Field = "sha256"
	SHA512       Field = "sha512"
)

// Fields are all there are.
var Fields = []Field{
	Subject, DNS, Email, URI, DN, RFC2253, Country, State, City, Organization, Unit, CommonName, SHA1, SHA256, SHA512,
}

// fieldSeparator is between several fields, and between what they name.
const fieldSeparator = ";"

// Valid tells whether f is one of the fields, or several of them.
func (f Field) Valid() bool {
	for part := range strings.SplitSeq(string(f), fieldSeparator) {
		if !slices.Contains(Fields, Field(part)) {
			return false
		}
	}
	return true
}

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
	if strings.Contains(string(f), fieldSeparator) {
		return f.joined(c)
	}
	switch f {
	case DNS:
		return c.DNSNames
	case Email:
		return c.EmailAddresses
	case URI:
		return uris(c)
	case DN:
		return distinguishedName(c, false)
	case RFC2253:
		return distinguishedName(c, true)
	case Country:
		return c.Subject.Country
	case State:
		return c.Subject.Province
	case City:
		return c.Subject.Locality
	case Organization:
		return c.Subject.Organization
	case Unit:
		return c.Subject.OrganizationalUnit
	case CommonName:
		return []string{c.Subject.CommonName}
	case SHA1:
		return []string{fmt.Sprintf("%x", sha1.Sum(c.Raw))}
	case SHA256:
		return []string{fmt.Sprintf("%x", sha256.Sum256(c.Raw))}
	case SHA512:
		return []string{fmt.Sprintf("%x", sha512.Sum512(c.Raw))}
	}
	for _, names := range [][]string{{c.Subject.CommonName}, c.DNSNames, c.EmailAddresses, uris(c)} {
		if len(names) > 0 && names[0] != "" {
			return names[:1]
		}
	}
	return nil
}

// joined gives the one name that several fields make. A certificate in which one of them has a separator has none, as that would be
// the name of others too.
func (f Field) joined(c *x509.Certificate) []string {
	var parts []string
	for part := range strings.SplitSeq(string(f), fieldSeparator) {
		names := Field(part).names(c)
		if len(names) == 0 || names[0] == "" {
			continue
		}
		if strings.Contains(names[0], fieldSeparator) {
			return nil
		}
		parts = append(parts, names[0])
	}
	return []string{strings.Join(parts, fieldSeparator)}
}

func uris(c *x509.Certificate) (all []string) {
	for _, u := range c.URIs {
		all = append(all, u.String())
	}
	return all
}

// distinguishedName writes a certificate's subject in the order in which it is there, or from its end.
func distinguishedName(c *x509.Certificate, fromEnd bool) []string {
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(c.RawSubject, &name); err != nil {
		return nil
	}
	if !fromEnd { // as String writes it
		slices.Reverse(name)
	}
	return []string{name.String()}
}
