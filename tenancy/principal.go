package tenancy

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/tenancy/vhost"
)

// Principal is somebody who has been let in: one tenant's user, or its anonymous user. Who it is does not change; its
// rights are those of today, whenever its tenant is declared anew. It is safe to use from any goroutine.
type Principal struct {
	Tenant *Tenant // as it was when he came in
	User   string  // empty for the anonymous user
	Client string  // what the client calls itself in its protocol, such as an MQTT client id; empty for nothing

	// About is what the client has told of itself beside that, a map as AMQP encodes it; nil for nothing. It does not change
	// once the client has entered.
	About []byte

	// Policy says what he may do in place of his roles; nil for nothing. It does not change once the client has entered.
	Policy *vhost.Visit

	roles     []string   // that a token has given him; nil for who was not let in by a token
	issuer    string     // of that token; empty when it is not known any more
	authority string     // that has certified him although his tenant does not declare him; empty for none
	expires   time.Time  // when he is to leave; zero for never
	directory *Directory // that let him in; nil for who was made out of nothing
	allowance *Allowance // of his tenant; nil without a directory
	visit     uint64     // the number of his connection; 0 for none
	traffic   *traffic   // of that; nil for none
	standing  atomic.Pointer[standing]
	insider   bool
}

// standing is what somebody may do while his tenant is declared as it is.
type standing struct {
	tenant *Tenant
	grants grants // nil where the tenant declares no roles
	known  bool   // whether he is still let in
}

// newPrincipal gives a user whom a tenant knows, or its anonymous one.
func (d *Directory) newPrincipal(t *Tenant, user string) *Principal {
	return &Principal{Tenant: t, User: user, directory: d, allowance: d.Allowance(t.Name)}
}

// Recall gives somebody who was let in before, under the name that its client has in its protocol: a session that has
// outlived its connection goes on for its user. roles are those that he had then, by Principal.Roles. It is false when
// nobody is let in under that name any more.
func (d *Directory) Recall(tenant, user, client string, roles []string) (*Principal, bool) {
	t, ok := d.Lookup(tenant)
	if !ok {
		return nil, false
	}
	p := d.newPrincipal(t, user)
	p.Client, p.roles = client, roles
	return p, p.Known()
}

// Insider gives a part of the gateway itself that acts in a tenant, and may do everything there. Its name should be no
// user's (ParseUserName).
func Insider(t *Tenant, name string) *Principal {
	return &Principal{Tenant: t, User: name, insider: true}
}

// InsiderOver is Insider for one that has come over a connection with a number of its own (Directory.Number).
func InsiderOver(t *Tenant, name string, connection uint64) *Principal {
	p := Insider(t, name)
	p.visit = connection
	return p
}

// IsInsider tells whether p is a part of the gateway, who may do everything although nobody here has given him a right: such as
// who asks through another router, which has looked at his rights there.
func (p *Principal) IsInsider() bool { return p.insider }

// As gives the same principal under the name that the client has in its protocol.
func (p *Principal) As(client string) *Principal {
	return &Principal{
		Tenant: p.Tenant, User: p.User, Client: client, About: p.About, Policy: p.Policy,
		roles: p.roles, issuer: p.issuer, authority: p.authority, expires: p.expires, directory: p.directory, insider: p.insider,
		allowance: p.allowance, visit: p.visit, traffic: p.traffic,
	}
}

// Lasting gives the same principal for what goes on when its connection has ended, such as a session that is kept and
// the will of its client: it does not expire.
func (p *Principal) Lasting() *Principal {
	q := p.As(p.Client)
	q.expires = time.Time{}
	return q
}

// Expires is when p has to leave or show again who he is: his token is good until then. It is zero for never. From then
// on he may do nothing; a door ends his connection.
func (p *Principal) Expires() time.Time { return p.expires }

// isOver tells whether p should have left.
func (p *Principal) isOver() bool { return !p.expires.IsZero() && !time.Now().Before(p.expires) }

// Roles are the names of the roles that a token, or whoever else vouches for p, has given to him, and nil if nobody has:
// his roles are those that his tenant gives him. They belong to p.
func (p *Principal) Roles() []string { return p.roles }

// May tells whether p has right at every address that f selects. Where roles are declared, that is when one pattern of
// one of its roles has them all. Where none are, a user may send, receive and browse everywhere within its tenant, and
// so may the anonymous user of a tenant that allows one.
func (p *Principal) May(right Right, f addressing.Filter) bool {
	s := p.current()
	switch {
	case p.insider:
		return true
	case p.isOver():
		return false
	case p.Policy != nil:
		return s.known && p.underPolicy(right, f)
	case s.known && s.grants != nil:
		return s.grants.covers(right, f)
	}
	return s.known && Send <= right && right <= Browse
}

// underPolicy tells whether the policy gives p a right at all addresses that f selects. Who manages does so everywhere.
func (p *Principal) underPolicy(right Right, f addressing.Filter) bool {
	switch right {
	case Send:
		return p.Policy.MaySend(f)
	case Receive, Browse:
		return p.Policy.MayReceive(f)
	case Admin:
		return p.Policy.Manages() && !p.Policy.Group().DenyAdminStatusUpdates
	}
	return p.Policy.Manages()
}

// Known tells whether p would be let in today.
func (p *Principal) Known() bool { return p.current().known && !p.isOver() }

// MayStay tells why p may not be here over a protocol: ErrCredentials if he would not be let in today, ErrProtocol if his
// tenant may not use that.
func (p *Principal) MayStay(protocol string) error {
	switch s := p.current(); {
	case !s.known || p.isOver():
		return ErrCredentials
	case !s.tenant.Plan.speaks(protocol):
		return ErrProtocol
	}
	return nil
}

// Allowance is what his tenant may use and uses; nil, of which everything may be used, for who was made out of nothing.
func (p *Principal) Allowance() *Allowance { return p.allowance }

// Sent counts a message of so many bytes that p has sent, for his connection and his tenant.
func (p *Principal) Sent(size int) {
	if p.traffic != nil {
		p.traffic.in.add(1, size)
	}
	p.allowance.pass(MessagesIn, BytesIn, 1, size)
}

// SentMore counts so many bytes more of a message that was counted when it began.
func (p *Principal) SentMore(size int) {
	if p.traffic != nil {
		p.traffic.in.add(0, size)
	}
	p.allowance.pass(MessagesIn, BytesIn, 0, size)
}

// Received counts a message of so many bytes that p is given.
func (p *Principal) Received(size int) {
	if p.traffic != nil {
		p.traffic.out.add(1, size)
	}
	p.allowance.pass(MessagesOut, BytesOut, 1, size)
}

// ReceivedMore counts so many bytes more of a message that was counted when it began.
func (p *Principal) ReceivedMore(size int) {
	if p.traffic != nil {
		p.traffic.out.add(0, size)
	}
	p.allowance.pass(MessagesOut, BytesOut, 0, size)
}

// Visit is the number of the connection through which p has come in (Visit.ID); 0 for none.
func (p *Principal) Visit() uint64 { return p.visit }

// current gives the standing of today, which is worked out once for each declaration of the tenant.
func (p *Principal) current() *standing {
	t, users := p.Tenant, map[string]*account(nil)
	if p.directory != nil {
		r, ok := p.directory.roll.Load().realms[p.Tenant.Name]
		if !ok || r.Disabled {
			return new(standing)
		}
		t, users = r.Tenant, r.users
	}
	if s := p.standing.Load(); s != nil && s.tenant == t {
		return s
	}
	s := &standing{tenant: t}
	roles := p.roles
	switch a, declared := users[p.User]; {
	case p.authority != "":
		var a Authority
		a, s.known = t.authority(p.authority)
		roles, s.known = a.Roles, s.known && a.Any && !declared
	case roles != nil:
		s.known = t.takesWordOf(p.issuer)
	case declared:
		roles, s.known = a.Roles, true
	default:
		s.known = p.User == "" && t.Anonymous || p.User != "" && p.directory == nil
	}
	if len(t.Roles) > 0 {
		s.grants = grantsOf(p, t, roles)
	}
	p.standing.Store(s)
	return s
}

// takesWordOf tells whether a tenant still takes the word of somebody about users whom it does not declare: an issuer of
// tokens or its authenticator. Empty is for one who is not known any more.
func (t *Tenant) takesWordOf(who string) bool {
	if who == "" {
		return len(t.Issuers) > 0 || t.Authenticator != "" || t.takesUndeclared()
	}
	return slices.Contains(t.Issuers, who) || who == t.Authenticator
}
