package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/tenancy"
)

// Gate finds out who makes a request, and keeps out the web pages of others.
type Gate struct {
	// Operators are those who run the gateway and show a password: users of the default tenant of a directory of their
	// own. nil when there are none.
	Operators *tenancy.Directory
	Tokens    []Token            // of those who show a token
	Tenants   *tenancy.Directory // whose users may come too, as user@tenant
	Open      Openness           // to who shows nothing
	Hosts     []string           // names of this host, besides those of loopback, under which it is open
}

// Token lets in somebody who runs the gateway.
type Token struct {
	Name string
	Hash [sha256.Size]byte // of the token, which has so many random bits that it cannot be guessed
}

// Openness is which clients may do everything without showing who they are.
type Openness uint8

// The degrees of openness.
const (
	ToNobody   Openness = iota
	ToLoopback          // those on this machine
	ToAnybody           // whoever reaches the port
)

var (
	errUnknown = errors.New("say who you are: with a token, or as a user with a password (of a tenant: user@tenant)")
	errForeign = errors.New("this page is of another origin")
)

// check refuses what a web page of elsewhere sends: a browser adds what it knows of its user by itself. Hosts matter InTenant
// nothing has to be shown: a page could have the name of its own host lead here (DNS rebinding).
func (g *Gate) check(r *http.Request) error {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return errForeign
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return nil
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if !strings.EqualFold(origin, scheme+"://"+r.Host) {
		return errForeign
	}
	return nil
}

// enter finds out who makes a request. The error is errUnknown or tenancy.ErrBusy. It may come late: failures are slowed
// down.
func (g *Gate) enter(r *http.Request) (*Caller, error) {
	c := &Caller{Address: r.RemoteAddr}
	authorization := r.Header.Get("Authorization")
	if authorization == "" {
		return g.enterSilently(r, c)
	}
	v := visitor(r)
	if token, ok := tenancy.BearerToken(authorization); ok {
		if c.Name, ok = g.operatorOf(token); ok {
			return c, nil
		}
		v.Tenant = r.Header.Get("Manifold-Tenant")
		return g.enterTenant(r.Context(), c, tenancy.Credentials{Visitor: v, Token: token})
	}
	name, password, ok := r.BasicAuth()
	if !ok {
		return nil, errUnknown
	}
	credentials := tenancy.Credentials{Visitor: v, User: name, Password: []byte(password)}
	if strings.Contains(name, "@") {
		return g.enterTenant(r.Context(), c, credentials)
	}
	if g.Operators == nil {
		return nil, errUnknown
	}
	credentials.Hosts = nil // they name tenants
	p, err := g.Operators.Authenticate(r.Context(), credentials)
	if err != nil {
		return nil, asUnknown(err)
	}
	c.Name = p.User
	return c, nil
}

// enterSilently lets in who shows nothing but perhaps a certificate.
func (g *Gate) enterSilently(r *http.Request, c *Caller) (*Caller, error) {
	if g.Open == ToAnybody || g.Open == ToLoopback && isLocal(r.RemoteAddr) && g.knowsHost(r) && !isForwarded(r) {
		c.Name = "anonymous"
		return c, nil
	}
	if v := visitor(r); v.HasCertificate() {
		return g.enterTenant(r.Context(), c, tenancy.Credentials{Visitor: v})
	}
	return nil, errUnknown
}

// enterTenant lets in a user of a tenant, who has to have a name.
func (g *Gate) enterTenant(ctx context.Context, c *Caller, credentials tenancy.Credentials) (*Caller, error) {
	p, err := g.Tenants.Authenticate(ctx, credentials)
	switch {
	case err != nil:
		return nil, asUnknown(err)
	case p.User == "":
		return nil, errUnknown
	}
	c.Principal, c.Name = p, p.User
	return c, nil
}

// asUnknown hides why somebody was not let in.
func asUnknown(err error) error {
	if errors.Is(err, tenancy.ErrBusy) {
		return tenancy.ErrBusy
	}
	return errUnknown
}

// operatorOf gives the name of a token of those who run the gateway. It takes the same time for every token.
func (g *Gate) operatorOf(token string) (name string, ok bool) {
	hash := sha256.Sum256([]byte(token))
	for i := range g.Tokens {
		if subtle.ConstantTimeCompare(hash[:], g.Tokens[i].Hash[:]) == 1 {
			name, ok = g.Tokens[i].Name, true
		}
	}
	return name, ok
}

func visitor(r *http.Request) tenancy.Visitor {
	var v tenancy.Visitor
	if r.TLS != nil {
		v = tenancy.VisitorOver(r.TLS)
	}
	v = v.From(r.RemoteAddr).Through("admin")
	v.Private = v.Private || v.Address.Addr().IsLoopback()
	return v
}

// isLocal tells whether a client is on this machine.
func isLocal(address string) bool {
	at, err := netip.ParseAddrPort(address)
	return err == nil && at.Addr().Unmap().IsLoopback()
}

// isForwarded tells whether a proxy says that it asks for somebody else.
func isForwarded(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return false
}

// knowsHost tells whether the client has asked for this host by a name that nobody else can have.
func (g *Gate) knowsHost(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return strings.EqualFold(host, "localhost") || slices.ContainsFunc(g.Hosts, func(h string) bool { return strings.EqualFold(h, host) })
}
