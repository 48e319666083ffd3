package tenancy

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"strings"
)

// Visitor is what is known of a client before it has proved who it is.
type Visitor struct {
	// Hosts are the names of the host that the client believes it talks to: that of TLS SNI (RFC 6066 section 3) and
	// that of the protocol's own field, such as hostname in AMQP's open. The first label of each may name a tenant.
	Hosts []string
	// Tenant was named outright, by the path of an HTTP request or the settings of a listener; empty when it was not.
	Tenant string
	// Certificate is the user whom a certificate names that was verified, perhaps as user@tenant; empty without one.
	Certificate string
	// Certificates are what the client has shown in the handshake, its own first, whose key it has; none without one. It is for
	// a CertificateJudge to say what they are worth.
	Certificates []*x509.Certificate
	// UserOf, if it is set, names the user of a certificate in place of the judge: some listeners have names of their own.
	UserOf func(*x509.Certificate) (string, error)
	// Private tells that nobody can listen: a password or token that travels as it is stays secret.
	Private bool
	// Protocol is what the client speaks, such as "MQTT"; empty when it is not known.
	Protocol string
	// Address is where the client is, as far as the connection tells; zero when it does not.
	Address netip.AddrPort
	// TLS is the version of TLS, as crypto/tls has it; 0 without.
	TLS uint16
}

// Through gives the visitor at the door of a protocol.
func (v Visitor) Through(protocol string) Visitor {
	v.Protocol = protocol
	return v
}

// From gives the visitor at a network address, host:port.
func (v Visitor) From(address string) Visitor {
	if at, err := netip.ParseAddrPort(address); err == nil {
		v.Address = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	}
	return v
}

// At gives the visitor with one more host that it has named.
func (v Visitor) At(host string) Visitor {
	if host != "" {
		v.Hosts = append(v.Hosts[:len(v.Hosts):len(v.Hosts)], host)
	}
	return v
}

// VisitorOn gives what a connection tells of its client. One of TLS, or around one, has shaken hands already.
func VisitorOn(nc net.Conn) Visitor {
	if secured, ok := nc.(interface{ ConnectionState() tls.ConnectionState }); ok {
		state := secured.ConnectionState()
		return VisitorOver(&state).From(nc.RemoteAddr().String())
	}
	v := Visitor{}.From(nc.RemoteAddr().String())
	v.Private = v.Address.Addr().IsLoopback()
	return v
}

// VisitorOver gives what a TLS connection tells of its client, after the handshake.
func VisitorOver(state *tls.ConnectionState) Visitor {
	v := Visitor{Private: true, TLS: state.Version, Certificates: state.PeerCertificates}
	if len(state.VerifiedChains) > 0 {
		v.Certificate = subjectOf(state.VerifiedChains[0][0])
	}
	return v.At(state.ServerName)
}

// subjectOf gives the user that a certificate names: its common name, or the first alternative name of a certificate
// that has none (RFC 5280 section 4.2.1.6).
func subjectOf(c *x509.Certificate) string {
	switch {
	case c.Subject.CommonName != "":
		return c.Subject.CommonName
	case len(c.DNSNames) > 0:
		return c.DNSNames[0]
	case len(c.EmailAddresses) > 0:
		return c.EmailAddresses[0]
	case len(c.URIs) > 0:
		return c.URIs[0].String()
	}
	return ""
}

// errDisagree refuses a client that names two tenants.
var errDisagree = errors.New("two tenants are named")

// TenantOf gives the name of the tenant that a host is of: its first label, if a tenant is called so. A client that was
// given no virtual host says the name or number of the machine it connects to, which says nothing: then it is empty.
func (d *Directory) TenantOf(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	label, _, _ := strings.Cut(host, ".")
	label = strings.Map(lower, label)
	if _, ok := d.roll.Load().realms[label]; ok {
		return label
	}
	return ""
}

// lower gives a letter of a host name in lower case: they are the same (RFC 4343 section 2), but for ASCII only.
func lower(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		r += 'a' - 'A'
	}
	return r
}

// SplitUser takes the tenant off a user name of the form user@tenant; there may be none.
func SplitUser(name string) (user, tenant string) {
	if at := strings.LastIndexByte(name, '@'); at >= 0 {
		return name[:at], name[at+1:]
	}
	return name, ""
}

// naming is what a tenant was called, perhaps several times.
type naming struct {
	name     string
	disagree bool // two different ones were named
}

func (n *naming) add(name string) {
	switch {
	case name == "" || name == n.name:
	case n.name == "":
		n.name = name
	default:
		n.disagree = true
	}
}

// naming gathers what a visitor calls its tenant, beginning with what its user name said. Its certificate may have a word too.
func (d *Directory) naming(v Visitor, tenant string) naming {
	n := naming{name: tenant}
	n.add(v.Tenant)
	for _, host := range v.Hosts {
		n.add(d.TenantOf(host))
	}
	n.add(d.tenantOfCertificate(v))
	return n
}

// realm finds the tenant that a visitor wants, who may have given a user name, and the bare name of that user.
func (d *Directory) realm(v Visitor, name string) (r *realm, user string, err error) {
	user, tenant := SplitUser(name)
	n := d.naming(v, tenant)
	if n.disagree {
		return nil, user, d.disagreement(v)
	}
	if n.name == "" {
		n.name = DefaultTenant
	}
	r, ok := d.roll.Load().realms[n.name]
	if !ok || r.Disabled {
		return nil, user, ErrNoSuchTenant
	}
	return r, user, nil
}

// disagreement is why a visitor is refused that has named two tenants.
func (d *Directory) disagreement(v Visitor) error {
	if d.tenantOfCertificate(v) != "" {
		return errOtherTenant
	}
	return errDisagree
}
