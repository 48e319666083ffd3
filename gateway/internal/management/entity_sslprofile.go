package management

import (
	"context"
	"iter"
)

// SSLProfile is files of the gateway's machine that secure connections: what is shown, and whom is trusted.
type SSLProfile struct {
	Names
	CACertFile     string  `attr:"caCertFile" about:"The authorities that the certificate of the other side of a connector may come from; none are the system's." set:"create"`
	CertFile       string  `about:"The certificate that the gateway shows." set:"create"`
	PrivateKeyFile string  `about:"Its private key." set:"create"`
	Password       *string `about:"Of the private key, or where it is: env: or file: goes before that. It is never told." set:"create"`
	PasswordFile   string  `about:"A file with it in its first line." set:"create"`

	Ciphers            string `about:"Always empty: those of Go's TLS are offered." set:"create"`
	Protocols          string `about:"Always empty: the lowest version is in the configuration (tls.minVersion)." set:"create"`
	UIDFormat          string `attr:"uidFormat" about:"Always empty: how certificates name users is in the configuration." set:"create"`
	UIDNameMappingFile string `attr:"uidNameMappingFile" about:"Likewise." set:"create"`
}

var sslProfileType = changeable(newType(entityType{
	name: "sslProfile", base: configurationEntity, about: "Files that secure connections.",
}, func(m Model, offset int) iter.Seq[SSLProfile] { return slice(m.SSLProfiles(), offset) }, nil), changes[SSLProfile]{
	create: func(ctx context.Context, m Model, p SSLProfile, _ saying) (SSLProfile, error) {
		if err := p.check(); err != nil {
			return p, err
		}
		made, err := m.AddSSLProfile(ctx, p)
		made.Password = nil
		return made, err
	},
	remove: func(ctx context.Context, m Model, p SSLProfile) error { return m.RemoveSSLProfile(ctx, p.Name) },
})

// check refuses what a profile cannot say here.
func (p *SSLProfile) check() error {
	switch {
	case p.Name == "":
		return faultf(statusBadRequest, "an SSL profile has a name")
	case p.Ciphers != "":
		return faultf(statusNotImplemented, "ciphers cannot be chosen: those of Go's TLS are offered")
	case p.Protocols != "":
		return faultf(statusNotImplemented, "the lowest version of TLS is in the configuration (tls.minVersion)")
	case p.UIDFormat != "" || p.UIDNameMappingFile != "":
		return faultf(statusNotImplemented, "how certificates name users is in the configuration (tenants[].certificates)")
	}
	return nil
}
