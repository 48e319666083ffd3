package dispatch

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/dispatchconf"
	"github.com/manifoldmq/manifold/gateway/internal/pki"
)

// profile is what secures connections.
type profile struct {
	line int
	ca   string
	user string // how certificates of the authority name their users
	pair config.KeyPair

	names    string   // file with other names of users
	versions []string // of TLS
}

// sslProfile keeps what secures connections until one refers to it.
func (t *translator) sslProfile(e *entity) error {
	p := profile{
		line: e.Line, ca: e.text("caCertFile", "certDb"),
		pair: config.KeyPair{Certificate: e.text("certFile"), Key: e.text("privateKeyFile", "keyFile")},
	}
	password := t.secret(e, "password")
	p.pair.KeyPassword, p.pair.KeyPasswordFile = password.In(os.Getenv), password.File
	if file := e.text("passwordFile"); password == (dispatchconf.Secret{}) {
		p.pair.KeyPasswordFile = file
	} else if file != "" {
		t.remark(e.line("passwordFile"), e.Type, "passwordFile", "there is a password already")
	}
	p.user, p.names, p.versions = t.userFormat(e), e.text("uidNameMappingFile", "displayNameFile"), t.versions(e)
	t.profiles[e.text("name")] = p
	e.lacks("ciphers", "those of Go's TLS are offered")
	return nil
}

// userParts are the letters of uidFormat.
var userParts = map[rune]pki.Field{
	'c': pki.Country, 's': pki.State, 'l': pki.City, 'o': pki.Organization, 'u': pki.Unit, 'n': pki.CommonName,
	'1': pki.SHA1, '2': pki.SHA256, '5': pki.SHA512,
}

// userFormat gives what of a certificate names its user: without a format that makes sense it is the whole subject.
func (t *translator) userFormat(e *entity) string {
	var parts []string
	for _, letter := range e.text("uidFormat") {
		part, known := userParts[letter]
		if !known {
			e.lacks("uidFormat", "has a letter that means nothing: a user is called as the whole subject of his certificate")
			return string(pki.RFC2253)
		}
		parts = append(parts, string(part))
	}
	return cmp.Or(strings.Join(parts, ";"), string(pki.RFC2253))
}

// spoken are the versions of TLS, as Qpid Dispatch has them.
var spoken = map[string]string{"TLSv1": "1.0", "TLSv1.1": "1.1", "TLSv1.2": "1.2", "TLSv1.3": "1.3"}

// versions gives those of TLS that a profile allows: without a word those that are allowed elsewhere, and with words that are all
// unknown none, as nobody comes in at the router either.
func (t *translator) versions(e *entity) (all []string) {
	text := e.text("protocols")
	for _, name := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' }) {
		if v, ok := spoken[name]; ok {
			all = append(all, v)
		} else {
			t.remark(e.line("protocols"), e.Type, "protocols", "%q is no version of TLS", name)
		}
	}
	if text != "" && len(all) == 0 {
		return []string{"none"}
	}
	return all
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
		l.Authenticate()
	}
	if (l.Role == config.InterRouterRole || l.Role == config.EdgeRole) && !authenticate {
		t.out.Config.Network.Router.Anonymous = true
	}
	e.lacks("saslPlugin", "a tenant's authenticator judges passwords")
	e.lacks("trustedCertsFile", "authorities are those of tls.clientCA")
	e.lacks("trustedCerts", "authorities are those of tls.clientCA")
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
	l.TLS = true
	l.Secure = config.ListenerTLS{Optional: !requireTLS && !encrypt, Versions: p.versions}
	l.AskForCertificates()
	t.show(p, l)
	switch {
	case l.ClientAuth == "" || p.ca == "":
	case l.Role == config.InterRouterRole || l.Role == config.EdgeRole: // whose users are not those of a tenant
		t.trustForAll(p)
		t.out.Config.Network.Router.Certified = true
	default:
		t.trust(p, l)
	}
	return nil
}

// show has a listener show a certificate. That of the first one is the gateway's.
func (t *translator) show(p profile, l *config.AMQPListener) {
	switch s := &t.out.Config.TLS; {
	case s.Certificate == "":
		s.KeyPair = p.pair
	case s.KeyPair != p.pair:
		l.Secure.KeyPair = p.pair
	}
}

// trust has clients come in at a listener with certificates of an authority, and of no other one.
func (t *translator) trust(p profile, l *config.AMQPListener) {
	l.Secure.CA = p.ca
	i := slices.IndexFunc(t.authorities, func(other profile) bool { return other.ca == p.ca })
	if i < 0 {
		t.authorities = append(t.authorities, p)
	}
	if p.names != "" || i >= 0 && t.authorities[i].user != p.user { // else they are called so anywhere
		l.Secure.User, l.Secure.UserNames = p.user, p.names
	}
}

// trustForAll has an authority be one of no tenant in particular.
func (t *translator) trustForAll(p profile) {
	switch ca := &t.out.Config.TLS.ClientCA; *ca {
	case "", p.ca:
		*ca = p.ca
	default:
		t.remark(p.line, "sslProfile", "caCertFile", "tls.clientCA is one file: put the authorities of both into it, "+
			"but not with network.router.certified, as then all of them would be those of routers; declare network.router.users instead")
	}
}

// placeAuthorities declares the authorities, now that the tenants are known. The router lets in whoever has a certificate, unless
// a policy says who comes in.
func (t *translator) placeAuthorities() {
	if len(t.authorities) == 1 && t.out.Config.TLS.ClientCA == "" { // the only one that is trusted
		for i := range t.out.Config.AMQP.Listeners {
			t.out.Config.AMQP.Listeners[i].Secure.CA = ""
		}
	}
	for _, p := range t.authorities {
		t.tenant.Certificates = append(t.tenant.Certificates, config.Certificates{CA: p.ca, User: p.user, AnyUser: true})
	}
}

// secret reads a password. One that is in a variable is what that has now.
func (t *translator) secret(e *entity, name string) dispatchconf.Secret {
	s := dispatchconf.ParseSecret(e.text(name))
	if s.Variable != "" {
		t.remark(e.line(name), e.Type, name, "the password is what the variable %s has now", s.Variable)
	}
	return s
}
