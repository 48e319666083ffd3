package config

import (
	"crypto/tls"
	"fmt"

	"github.com/manifoldmq/manifold/gateway/internal/pki"
)

// TLS is the gateway's certificates, and what it asks of those of its clients. Doors are open for TLS when there is a
// certificate. Files are in the form PEM and are read again when they change.
type TLS struct {
	KeyPair
	Certificates   []KeyPair `yaml:"certificates"`   // further ones, for the names that they have
	OCSPStapling   bool      `yaml:"ocspStapling"`   // whether they come with what their authority's server of OCSP says of them
	ClientCA       string    `yaml:"clientCA"`       // file: authorities that certificates of all tenants' clients may come from
	ClientCRL      string    `yaml:"clientCRL"`      // file: their revocation lists
	AcceptStaleCRL bool      `yaml:"acceptStaleCRL"` // whether certificates are good while there is no list that is current
	ClientAuth     string    `yaml:"clientAuth"`     // whether clients show a certificate: none, optional or required
	MinVersion     string    `yaml:"minVersion"`     // 1.2 or 1.3
}

// KeyPair is a certificate of the gateway's.
type KeyPair struct {
	Certificate     string `yaml:"certificate"`               // file: the gateway's own, and those between it and its authority
	Key             string `yaml:"key"`                       // file: the private key of the certificate
	KeyPassword     string `yaml:"keyPassword" secret:"true"` // of the private key, if it is encrypted
	KeyPasswordFile string `yaml:"keyPasswordFile"`           // a file with that password in its first line
}

// Pair gives the certificate in the words of package pki. setting says where it is declared.
func (p *KeyPair) Pair(setting string) pki.Pair {
	return pki.Pair{
		Setting: setting, Certificate: p.Certificate, Key: p.Key, Password: p.KeyPassword, PasswordFile: p.KeyPasswordFile,
	}
}

// validate looks at a certificate that is declared at a path.
func (p *KeyPair) validate(k *check, at string) {
	k.refuse(p.Certificate != "" && p.Key == "", at+".certificate", "needs %s.key", at)
	k.refuse(p.Certificate == "" && p.Key != "", at+".key", "needs %s.certificate", at)
	k.refuse(p.KeyPassword != "" && p.KeyPasswordFile != "", at+".keyPasswordFile", "there is a keyPassword already")
	k.refuse(p.Key == "" && p.KeyPassword+p.KeyPasswordFile != "", at+".keyPassword", "needs %s.key", at)
}

func defaultTLS() TLS { return TLS{OCSPStapling: true, ClientAuth: "none", MinVersion: "1.2"} }

// Enabled tells whether doors are open for TLS.
func (t *TLS) Enabled() bool { return t.Certificate != "" }

// Pairs gives the certificates in the words of package pki.
func (t *TLS) Pairs() []pki.Pair {
	pairs := []pki.Pair{t.Pair("tls")}
	for i := range t.Certificates {
		pairs = append(pairs, t.Certificates[i].Pair(fmt.Sprintf("tls.certificates[%d]", i)))
	}
	return pairs
}

// clientAuthTypes is clientAuth in the words of package tls. Who has signed a certificate is for package pki to find out: else
// clients would be told the authorities of all tenants.
var clientAuthTypes = map[string]tls.ClientAuthType{
	"none": tls.NoClientCert, "optional": tls.RequestClientCert, "required": tls.RequireAnyClientCert,
}

// ClientAuthOf gives what the door of a listener asks of its clients.
func (c *Config) ClientAuthOf(l Listener) tls.ClientAuthType {
	return clientAuthTypes[orElse(l.clientAuth, c.TLS.ClientAuth)]
}

// LowestVersion gives the setting in the words of package tls.
func (t *TLS) LowestVersion() uint16 {
	if t.MinVersion == "1.3" {
		return tls.VersionTLS13
	}
	return tls.VersionTLS12
}

// AsksForCertificates tells whether some door asks its clients for certificates.
func (c *Config) AsksForCertificates() bool {
	for _, l := range c.Listeners() {
		if l.Enabled && (c.TLS.Enabled() || l.Secured) && c.ClientAuthOf(l) != tls.NoClientCert {
			return true
		}
	}
	return false
}

func (c *Config) validateTLS(k *check) {
	t := &c.TLS
	k.oneOf("tls.clientAuth", t.ClientAuth, "none", "optional", "required")
	k.oneOf("tls.minVersion", t.MinVersion, "1.2", "1.3")
	t.KeyPair.validate(k, "tls")
	k.refuse(t.Certificate == "" && len(t.Certificates) > 0, "tls.certificates", "needs tls.certificate, for clients that ask for no name")
	for i := range t.Certificates {
		p, at := &t.Certificates[i], fmt.Sprintf("tls.certificates[%d]", i)
		k.refuse(*p == KeyPair{}, at, "needs certificate and key")
		p.validate(k, at)
	}
	k.refuse(t.ClientCRL != "" && t.ClientCA == "", "tls.clientCRL", "needs tls.clientCA")
	k.refuse(t.AcceptStaleCRL && t.ClientCRL == "", "tls.acceptStaleCRL", "needs tls.clientCRL")
	authorities := t.ClientCA != "" || c.hasAuthorities()
	needs := func(path, clientAuth string) {
		asks := clientAuth != "" && clientAuth != "none"
		k.refuse(asks && t.Certificate == "", path, "needs tls.certificate")
		k.refuse(asks && !authorities, path, "needs tls.clientCA, or a tenant with certificates")
	}
	needs("tls.clientAuth", t.ClientAuth)
	for _, d := range c.secureDoors() {
		path := d.setting + ".clientAuth"
		k.refuse(d.ClientAuth != "" && clientAuthTypes[d.ClientAuth] == 0 && d.ClientAuth != "none", path,
			"%.40q is not one of none, optional, required", d.ClientAuth)
		needs(path, d.ClientAuth)
	}
	k.refuse(t.Certificate != "" && t.ClientCA != "" && !c.AsksForCertificates(), "tls.clientCA",
		"needs tls.clientAuth to be optional or required")
}

// hasAuthorities tells whether some tenant has authorities of its own.
func (c *Config) hasAuthorities() bool {
	for i := range c.Tenants {
		if len(c.Tenants[i].Certificates) > 0 {
			return true
		}
	}
	return false
}
