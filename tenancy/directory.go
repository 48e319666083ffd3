package tenancy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/manifoldmq/manifold/tenancy/register"
)

// Errors of a refusal. A door answers all of them as Unauthenticated, except ErrBusy, and tells nobody which it was.
var (
	ErrNoSuchTenant = errors.New("no such tenant")
	ErrCredentials  = errors.New("credentials are required or wrong")
	// ErrBusy refuses a client of whom it could not be found out in time who it is: too many log in, or an issuer of
	// tokens does not answer. It may try again.
	ErrBusy = errors.New("who you are cannot be found out now: too many clients log in, or an issuer does not answer")
)

// Directory holds the tenants of this process and lets their users in.
type Directory struct {
	roll    atomic.Pointer[roll]
	tokens  TokenJudge
	outside PasswordJudge
	key     []byte // random: of seals, and of what is made up for users that do not exist
	hashing hashing

	certificates CertificateJudge // nil leaves it to their names

	allowances sync.Map         // of *Allowance, by the name of the tenant
	numbers    register.Numbers // of visits

	witness  Witness // nil for nobody
	throttle *throttle
	failed   tally
}

// roll is all tenants as they are declared at one time. It does not change.
type roll struct {
	realms map[string]*realm
	ways   ways     // of all tenants together
	decoy  *account // judged in place of the users of a tenant that has none; nil when no tenant has
}

// realm is a tenant with its users at hand.
type realm struct {
	*Tenant
	users map[string]*account
	ways  ways
	decoy *account // judged in place of a user that does not exist; nil when no user has a password
}

// ways are how a tenant can be entered.
type ways struct {
	anonymous bool
	tokens    bool
	tokenUser bool          // a token may be shown as a password
	outside   bool          // others judge passwords of users who are not declared
	forms     map[Form]bool // of passwords
}

// NewDirectory gives a directory of tenants, whose names must differ.
func NewDirectory(tenants ...*Tenant) (*Directory, error) {
	d := &Directory{key: random(32), hashing: newHashing(), throttle: newThrottle(Throttle{})}
	d.roll.Store(new(roll))
	return d, d.Replace(tenants...)
}

// Trust lets in whoever shows a token that judge finds good, where a tenant takes the word of its issuer. It comes before
// anybody is let in.
func (d *Directory) Trust(judge TokenJudge) { d.tokens = judge }

// Replace declares all tenants anew. Who has been let in keeps what he has, and has the rights of today from now on; who
// would not be let in any more is sent away. With an error nothing has changed.
func (d *Directory) Replace(tenants ...*Tenant) error {
	realms := make(map[string]*realm, len(tenants))
	if err := addRealms(realms, tenants); err != nil {
		return err
	}
	names := d.Names()
	d.roll.Store(newRoll(realms))
	names = append(names, d.Names()...)
	slices.Sort(names)
	d.enact(slices.Compact(names)...)
	return nil
}

// Update declares some tenants anew, or for the first time, and those that are gone no more. For the others nothing
// changes, and they cost next to nothing. Otherwise it is like Replace.
func (d *Directory) Update(changed []*Tenant, gone []string) error {
	realms := maps.Clone(d.roll.Load().realms)
	var names []string
	for _, t := range changed {
		delete(realms, t.Name)
		names = append(names, t.Name)
	}
	for _, name := range gone {
		delete(realms, name)
		names = append(names, name)
	}
	if err := addRealms(realms, changed); err != nil {
		return err
	}
	d.roll.Store(newRoll(realms))
	d.enact(names...)
	return nil
}

// Check tells why a tenant cannot be declared, if it cannot.
func (t *Tenant) Check() error {
	return addRealms(make(map[string]*realm, 1), []*Tenant{t})
}

// addRealms makes the realms of tenants.
func addRealms(realms map[string]*realm, tenants []*Tenant) error {
	for _, t := range tenants {
		if _, err := ParseName(t.Name); err != nil {
			return err
		}
		if realms[t.Name] != nil {
			return fmt.Errorf("tenant %q is declared twice", t.Name)
		}
		r, err := newRealm(t)
		if err != nil {
			return fmt.Errorf("tenant %q: %w", t.Name, err)
		}
		realms[t.Name] = r
	}
	return nil
}

// newRoll gives the roll of realms.
func newRoll(realms map[string]*realm) *roll {
	all := &roll{realms: realms, ways: ways{forms: make(map[Form]bool)}}
	for _, name := range slices.Sorted(maps.Keys(realms)) {
		r := realms[name]
		all.ways.anonymous = all.ways.anonymous || r.Anonymous
		all.ways.tokens = all.ways.tokens || r.ways.tokens
		all.ways.tokenUser = all.ways.tokenUser || r.ways.tokenUser
		all.ways.outside = all.ways.outside || r.ways.outside
		maps.Copy(all.ways.forms, r.ways.forms)
		if all.decoy == nil {
			all.decoy = r.decoy
		}
	}
	return all
}

// enact has what is declared of tenants now hold for those who are in.
func (d *Directory) enact(names ...string) {
	for _, name := range names {
		if t, ok := d.Lookup(name); ok {
			d.Allowance(name).declare(&t.Plan)
		}
		d.expel(name)
	}
}

func newRealm(t *Tenant) (*realm, error) {
	if err := t.checkRoles(); err != nil {
		return nil, err
	}
	takesTokens := len(t.Issuers) > 0
	r := &realm{
		Tenant: t, users: make(map[string]*account, len(t.Users)),
		ways: ways{
			anonymous: t.Anonymous, forms: make(map[Form]bool),
			tokens: takesTokens, tokenUser: takesTokens && t.TokenUser != "", outside: t.Authenticator != "",
		},
	}
	for _, u := range t.Users {
		if _, err := ParseUserName(u.Name); err != nil {
			return nil, err
		}
		if u.Name == t.TokenUser {
			return nil, fmt.Errorf("user %q: under this name clients show tokens (tokenUser)", u.Name)
		}
		if r.users[u.Name] != nil {
			return nil, fmt.Errorf("user %q is declared twice", u.Name)
		}
		r.users[u.Name] = &account{User: u}
		if u.Credential.IsZero() {
			continue
		}
		r.ways.forms[u.Credential.Form()] = true
		if r.decoy == nil {
			r.decoy = &account{User: User{Credential: u.Credential.decoy()}}
		}
	}
	return r, nil
}

// Credentials are what a client showed of itself at a door, all at once.
type Credentials struct {
	Visitor
	User     string // as sent, perhaps in the form user@tenant
	Password []byte // valid during the call only
	Token    string // a bearer token (RFC 6750), in place of user and password
	Client   string // what it calls itself in its protocol, such as an MQTT client id; empty when it has not said so yet
}

// Authenticate finds out whose credentials these are. It may take long, up to the end of ctx: passwords are hashed, a
// few at a time.
//
// A client that shows nothing is the user of its certificate, or else the anonymous user where there is one. So is one
// that names a user where a tenant has only the anonymous one: unmodified clients often carry a name that nobody checks.
//
// An error comes late where failures are slowed down.
func (d *Directory) Authenticate(ctx context.Context, c Credentials) (*Principal, error) {
	p, err := d.authenticate(ctx, c)
	if err != nil {
		shown := c.User != "" || len(c.Password) > 0 || c.Token != ""
		d.refuse(ctx, c.Visitor, c.User, shown, err)
	}
	return p, err
}

func (d *Directory) authenticate(ctx context.Context, c Credentials) (*Principal, error) {
	if c.Token != "" {
		return d.judgeToken(ctx, c.Visitor, "", c.Token)
	}
	var refusal error // of the certificate that a client leaves it to who it is
	if c.User == "" && len(c.Password) == 0 && c.HasCertificate() {
		var p *Principal
		if p, refusal = d.byCertificate(c.Visitor, ""); refusal == nil {
			return p, nil
		}
	}
	if r, user, err := d.realm(c.Visitor, c.User); err == nil && r.ways.tokenUser && user == r.TokenUser {
		c.Tenant = r.Name
		return d.judgeToken(ctx, c.Visitor, "", string(c.Password))
	}
	if p, err := d.anonymous(c.Visitor, c.User); err == nil {
		return p, nil
	}
	p, err := d.byPassword(ctx, c)
	if err != nil && refusal != nil {
		return nil, refusal
	}
	return p, err
}

// Anonymous lets in a client that proves nothing, as the anonymous user of its tenant. It may have named a user where
// the tenant has none that are known. Unlike Authenticate it takes no time.
func (d *Directory) Anonymous(v Visitor, name string) (*Principal, error) {
	p, err := d.anonymous(v, name)
	if err != nil {
		d.note(v, name, err)
	}
	return p, err
}

func (d *Directory) anonymous(v Visitor, name string) (*Principal, error) {
	r, user, err := d.realm(v, name)
	if err != nil {
		return nil, err
	}
	if !r.Anonymous || user != "" && (len(r.users) > 0 || r.ways.outside) {
		return nil, ErrCredentials
	}
	return d.newPrincipal(r.Tenant, ""), nil // the user name was not verified, so it is not taken over
}

// byPassword lets in a user who has a password. Whoever cannot be let in costs the time of one who nearly was.
func (d *Directory) byPassword(ctx context.Context, c Credentials) (*Principal, error) {
	r, user, refusal := d.realm(c.Visitor, c.User)
	if refusal == nil && r.ways.outside && user != "" && r.users[user] == nil {
		return d.byOutside(ctx, r, user, c)
	}
	a, known := d.account(r, user)
	if a == nil {
		return nil, orCredentials(refusal)
	}
	right, err := d.prove(ctx, a, c)
	switch {
	case err != nil:
		return nil, err
	case !right || !known:
		return nil, orCredentials(refusal)
	}
	return d.newPrincipal(r.Tenant, user), nil
}

func orCredentials(refusal error) error {
	if refusal != nil {
		return refusal
	}
	return ErrCredentials
}

// account finds the account of a user who has a password, or a decoy to judge instead; nil when there is not even that.
func (d *Directory) account(r *realm, user string) (a *account, known bool) {
	if r == nil {
		return d.roll.Load().decoy, false
	}
	if a, ok := r.users[user]; ok && !a.Credential.IsZero() {
		return a, true
	}
	if r.decoy != nil {
		return r.decoy, false
	}
	return d.roll.Load().decoy, false
}

// prove tells whether a password is that of an account. One that was right before is recognised without being hashed
// again, so that a client may show it with each request.
func (d *Directory) prove(ctx context.Context, a *account, c Credentials) (bool, error) {
	s := d.seal(c.Password)
	if a.isProven(s) {
		return true, nil
	}
	if d.throttle.isCrowded(c.Address.Addr()) {
		return false, ErrBusy
	}
	release, err := d.hashing.enter(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	if !a.Credential.Verify(c.Password) {
		return false, nil
	}
	a.proven.Store(&s)
	return true, nil
}
