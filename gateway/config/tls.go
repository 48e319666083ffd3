package config

import "crypto/tls"

// TLS is the gateway's certificate, and what it asks of those of its clients. Doors are open for TLS when there is a
// certificate. Files are in the form PEM and are read again when they change.
type TLS struct {
	Certificate string `yaml:"certificate"` // file: the gateway's own, and those between it and its authority
	Key         string `yaml:"key"`         // file: the private key of the certificate
	ClientCA    string `yaml:"clientCA"`    // file: authorities that certificates of clients must come from
	ClientAuth  string `yaml:"clientAuth"`  // whether clients show a certificate: none, optional or required
	MinVersion  string `yaml:"minVersion"`  // 1.2 or 1.3
}

func defaultTLS() TLS { return TLS{ClientAuth: "none", MinVersion: "1.2"} }

// Enabled tells whether doors are open for TLS.
func (t *TLS) Enabled() bool { return t.Certificate != "" }

// ClientAuthType gives the setting in the words of package tls.
func (t *TLS) ClientAuthType() tls.ClientAuthType {
	switch t.ClientAuth {
	case "required":
		return tls.RequireAndVerifyClientCert
	case "optional":
		return tls.VerifyClientCertIfGiven
	default:
		return tls.NoClientCert
	}
}

// LowestVersion gives the setting in the words of package tls.
func (t *TLS) LowestVersion() uint16 {
	if t.MinVersion == "1.3" {
		return tls.VersionTLS13
	}
	return tls.VersionTLS12
}

func (c *Config) validateTLS(k *check) {
	t := &c.TLS
	k.oneOf("tls.clientAuth", t.ClientAuth, "none", "optional", "required")
	k.oneOf("tls.minVersion", t.MinVersion, "1.2", "1.3")
	k.refuse(t.Certificate != "" && t.Key == "", "tls.certificate", "needs tls.key")
	k.refuse(t.Certificate == "" && t.Key != "", "tls.key", "needs tls.certificate")
	k.refuse(t.Certificate == "" && t.ClientAuth != "none", "tls.clientAuth", "needs tls.certificate")
	k.refuse(t.ClientAuth != "none" && t.ClientCA == "", "tls.clientAuth", "needs tls.clientCA")
	k.refuse(t.ClientAuth == "none" && t.ClientCA != "", "tls.clientCA", "needs tls.clientAuth to be optional or required")
}
