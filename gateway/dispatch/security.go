package dispatch

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/gateway/config"
)

// profile is what secures connections.
type profile struct {
	line                 int
	ca, certificate, key string
}

// sslProfile keeps what secures connections until one refers to it.
func (t *translator) sslProfile(e *entity) error {
	t.profiles[e.text("name")] = profile{
		line: e.Line, ca: e.text("caCertFile", "certDb"), certificate: e.text("certFile"), key: e.text("privateKeyFile", "keyFile"),
	}
	e.lacks("ciphers", "those of Go's TLS are offered")
	e.lacks("protocols", "tls.minVersion is that of all listeners")
	e.lacks("password", "private keys are read as they are: openssl pkey writes one without a password")
	e.lacks("passwordFile", "private keys are read as they are: openssl pkey writes one without a password")
	e.lacks("uidFormat", "a user is who the common name of his certificate says")
	e.lacks("uidNameMappingFile", "a user is who the common name of his certificate says")
	e.lacks("displayNameFile", "a user is who the common name of his certificate says")
	return nil
}

// security translates how clients of a listener show who they are, and whether others can read what they say.
func (t *translator) security(e *entity, l *config.AMQPListener) error {
	authenticate, err1 := e.flag(false, "authenticatePeer")
	requireTLS, err2 := e.flag(false, "requireSsl")
	encrypt, err3 := e.flag(false, "requireEncryption")
	if err := firstError(err1, err2, err3); err != nil {
		return err
	}
	if authenticate {
		l.Mechanisms = slices.DeleteFunc(l.Mechanisms, func(name string) bool { return name == "ANONYMOUS" })
		if len(l.Mechanisms) == 0 {
			l.Mechanisms = []string{"EXTERNAL", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"}
		}
	}
	if (l.Role == config.InterRouterRole || l.Role == config.EdgeRole) && !authenticate {
		t.out.Config.Network.Router.Anonymous = true
	}
	e.lacks("saslPlugin", "a tenant's authenticator judges passwords")
	e.lacks("trustedCertsFile", "authorities are those of tls.clientCA")
	e.lacks("trustedCerts", "authorities are those of tls.clientCA")
	e.lacks("policyVhost", "what somebody may do is said by the roles of its tenant")
	name := e.text("sslProfile")
	p, ok := t.profiles[name]
	switch {
	case name == "" && (requireTLS || encrypt):
		t.remark(e.Line, e.Type, "requireSsl", "without an sslProfile nobody can come in; the listener is without TLS")
		return nil
	case name == "":
		return nil
	case !ok:
		return fmt.Errorf("SSL Profile %q not found", name)
	}
	if !requireTLS && !encrypt {
		t.remark(e.line("sslProfile"), e.Type, "sslProfile", "clients without TLS are not let in here: a listener speaks TLS or does not")
	}
	l.TLS = true
	if slices.Contains(l.Mechanisms, "EXTERNAL") || authenticate {
		l.ClientAuth = "optional"
	}
	t.useProfile(p)
	return nil
}

// useProfile has the gateway show a certificate, and trust an authority.
func (t *translator) useProfile(p profile) {
	s := &t.out.Config.TLS
	pair := config.KeyPair{Certificate: p.certificate, Key: p.key}
	switch {
	case s.Certificate == "":
		s.Certificate, s.Key = p.certificate, p.key
	case s.Certificate != p.certificate && !slices.Contains(s.Certificates, pair):
		s.Certificates = append(s.Certificates, pair)
	}
	if s.ClientCA == "" {
		s.ClientCA = p.ca
	} else if s.ClientCA != p.ca && p.ca != "" {
		t.remark(p.line, "sslProfile", "caCertFile", "tls.clientCA is one file: put the authorities of both into it")
	}
}

// password translates that of a connector: "pass:" goes before one, "env:" before a variable that has it, "file:" before a
// file that has it in its first line.
func (t *translator) password(e *entity, c *config.Connector) {
	text := e.text("saslPassword")
	kind, rest, _ := strings.Cut(text, ":")
	rest = strings.TrimSpace(rest)
	switch kind {
	case "pass", "literal":
		c.Password = rest
	case "env":
		c.Password = os.Getenv(rest)
		t.remark(e.line("saslPassword"), e.Type, "saslPassword", "the password is what the variable %s has now", rest)
	case "file":
		c.PasswordFile = rest
	default:
		c.Password = text
	}
}
