package config

import (
	"crypto/tls"
	"fmt"
	"slices"

	"github.com/manifoldmq/manifold/gateway/internal/pki"
)

// ListenerTLS is what TLS is at one listener. What it leaves out is as tls has it. Its files are in the form PEM.
type ListenerTLS struct {
	Optional  bool     `yaml:"optional"` // clients that do not speak TLS come in as well, as at a port without
	KeyPair            // its own certificate
	CA        string   `yaml:"ca"`        // file: of the authorities that are trusted, those whose certificates are good here; none is all
	Versions  []string `yaml:"versions"`  // of 1.0 to 1.3, or none, with which nobody comes in; empty is those from tls.minVersion on
	User      string   `yaml:"user"`      // what of a certificate names its user, in place of what is declared for its authority: see pki.Field
	UserNames string   `yaml:"userNames"` // file, in JSON: an object that has other names for what that gives
}

// IsZero tells whether it says nothing.
func (t *ListenerTLS) IsZero() bool {
	return !t.Optional && t.KeyPair == KeyPair{} && t.CA+t.User+t.UserNames == "" && len(t.Versions) == 0
}

// versions are those of TLS that a listener may speak.
var versions = map[string]uint16{
	"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13, noVersion: 0,
}

// noVersion is for a listener that shakes hands with nobody.
const noVersion = "none"

// Spoken gives the versions in the words of package tls, the lowest first; none if nothing is said of them.
func (t *ListenerTLS) Spoken() (all []uint16) {
	for _, name := range t.Versions {
		all = append(all, versions[name])
	}
	slices.Sort(all)
	return all
}

// Authority gives the authorities in the words of package pki; none of a listener for all that are trusted. setting says where they are
// declared.
func (t *ListenerTLS) Authority(setting string) (all []pki.Authority) {
	if t.CA != "" {
		all = append(all, pki.Authority{Setting: setting, CA: t.CA})
	}
	return all
}

// validate looks at the settings of a listener that are declared at a path.
func (t *ListenerTLS) validate(k *check, at string, secured bool) {
	k.refuse(!secured && !t.IsZero(), at, "needs tls")
	t.KeyPair.validate(k, at)
	for i, name := range t.Versions {
		k.oneOf(fmt.Sprintf("%s.versions[%d]", at, i), name, "1.0", "1.1", "1.2", "1.3", noVersion)
	}
	k.refuse(slices.Contains(t.Versions, noVersion) && len(t.Versions) > 1, at+".versions", "has %s, and others", noVersion)
	k.refuse(t.User != "" && !pki.Field(t.User).Valid(), at+".user", "%.40q is not one of %v", t.User, pki.Fields)
	k.refuse(t.UserNames != "" && t.User == "", at+".userNames", "needs user")
}
