package coap

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// login finds out whose the requests of a peer are. A password may take long to check, so that runs in a goroutine of its
// own, which leaves the verdict for the connection's owner.
type login struct {
	front   *front
	psk     string // the identity that was proven; empty for none
	visitor tenancy.Visitor
	waiting int // requests that wait for a verdict

	ctx    context.Context // of the checks; nil before the first, ends with the session
	cancel context.CancelFunc
}

func (l *login) init(f *front, p session.Peer) {
	l.front, l.psk, l.cancel = f, p.PSKIdentity, func() {}
	state := tls.ConnectionState{ServerName: p.Host}
	if len(p.Certificates) > 0 {
		state.PeerCertificates, state.VerifiedChains = p.Certificates, [][]*x509.Certificate{p.Certificates}
	}
	l.visitor = tenancy.VisitorOver(&state).Through("CoAP")
	l.visitor.Address = netip.AddrPortFrom(p.Address.Addr().Unmap(), p.Address.Port())
	l.visitor.Private = p.Secure || p.Address.Addr().Unmap().IsLoopback()
}

// account is somebody for whom a peer speaks, and the links of that user's messages.
type account struct {
	conn    *conn
	shown   shown
	user    *tenancy.Principal
	visit   *tenancy.Visit
	expired bool               // what was under way has been ended
	senders map[string]*sender // by address
}

// shown is what a request showed of its client, without secrets.
type shown struct {
	host   string
	tenant string            // that the path names
	proof  [sha256.Size]byte // of the credentials in the query; zero for none
}

// verdict is who a client turned out to be.
type verdict struct {
	request *request
	shown   shown
	user    *tenancy.Principal
	err     error
}

// identify finds out whose a request is. Where that takes time, the request is kept, has no account yet, and is handled
// when the verdict has come.
func (c *conn) identify(now time.Time, r *request) error {
	if c.login.front.proof && c.login.psk == "" && !c.login.visitor.HasCertificate() {
		return errUnknown
	}
	credentials, err := c.credentials(r)
	if err != nil {
		return err
	}
	secret := credentials.User != "" || len(credentials.Password) > 0 || credentials.Token != ""
	is := shown{tenant: honoTenant(r.path)}
	if secret {
		is.proof = sha256.Sum256([]byte(credentials.User + "\x00" + string(credentials.Password) + "\x00" + credentials.Token))
	}
	if r.account = c.account(r.host, &is); r.account != nil {
		return nil
	}
	l := &c.login
	is.host = string(r.host)
	credentials.Visitor = l.visitor.At(is.host)
	credentials.Tenant = is.tenant
	if !secret && (l.psk != "" || !credentials.HasCertificate()) { // nothing that takes time
		user, err := l.known(credentials.Visitor)
		if err != nil {
			return errUnknown
		}
		r.account, err = c.admit(is, user)
		return err
	}
	l.check(&c.mail, verdict{request: r.keep(), shown: is}, credentials)
	return nil
}

var errUnknown = router.Errorf(router.Unauthenticated, "credentials are required or wrong")

// credentials reads from the query who the client says it is.
func (c *conn) credentials(r *request) (shown tenancy.Credentials, err error) {
	if len(r.query.list) == 0 {
		return shown, nil
	}
	user, named := r.query.take("user")
	password, proven := r.query.take("password")
	token, borne := r.query.take("token")
	if (named || proven || borne) && !c.server.config.QueryCredentials {
		return shown, router.Errorf(router.Unauthenticated, "credentials in the query are not taken here (coap.queryCredentials)")
	}
	return tenancy.Credentials{User: user, Password: []byte(password), Token: token}, nil
}

// known gives the user of a peer whose proof is that of its handshake, or who needs none.
func (l *login) known(v tenancy.Visitor) (*tenancy.Principal, error) {
	if l.psk != "" {
		return l.front.server.config.Directory.ByPreSharedKey(v, l.psk)
	}
	return l.front.server.config.Directory.Anonymous(v, "")
}

// check has credentials judged.
func (l *login) check(m *mail, v verdict, credentials tenancy.Credentials) {
	if l.ctx == nil {
		l.ctx, l.cancel = context.WithCancel(l.front.ctx)
	}
	l.waiting++
	l.front.checking.Go(func() {
		v.user, v.err = l.front.server.config.Directory.Authenticate(l.ctx, credentials)
		m.verdicts.Put(v)
	})
}

// judge goes on with a request that has waited for a verdict.
func (c *conn) judge(now time.Time, v verdict) {
	c.login.waiting--
	r := v.request
	switch {
	case errors.Is(v.err, tenancy.ErrBusy):
		c.refuse(now, r.exchange, router.Errorf(router.Unroutable, "%v", tenancy.ErrBusy))
	case v.err != nil:
		c.refuse(now, r.exchange, errUnknown)
	case c.draining:
		c.refuse(now, r.exchange, errStopping)
	default:
		if r.account = c.account(r.host, &v.shown); r.account == nil {
			var err error
			if r.account, err = c.admit(v.shown, v.user); err != nil {
				c.refuse(now, r.exchange, err)
				return
			}
		}
		c.handle(now, r)
	}
}

// account finds who showed the same before, but for the host, which is given apart, and would still be let in.
func (c *conn) account(host []byte, is *shown) *account {
	for _, a := range c.accounts {
		if a.shown.host == string(host) && a.shown.tenant == is.tenant && a.shown.proof == is.proof && a.user.Known() {
			return a
		}
	}
	return nil
}

// admit remembers an account, in place of the oldest if there are too many. The error is why its tenant does not let it in.
func (c *conn) admit(is shown, user *tenancy.Principal) (*account, error) {
	if len(c.accounts) >= c.server.limits.MaxUsers {
		c.accounts[0].closeSenders()
		c.accounts[0].visit.Leave()
		copy(c.accounts, c.accounts[1:])
		c.accounts = c.accounts[:len(c.accounts)-1]
	}
	a := &account{conn: c, shown: is, user: user}
	var err error
	if a.visit, err = c.server.config.Directory.Enter(c.login.visitor, user, a); err != nil {
		return nil, err
	}
	c.accounts = append(c.accounts, a)
	return a, nil
}

// Dismiss implements tenancy.Connection.
func (a *account) Dismiss(why tenancy.Dismissal) { a.conn.mail.dismissals.Put(dismissal{a, why}) }

// dismissal is of an account that is sent away.
type dismissal struct {
	account *account
	why     tenancy.Dismissal
}

// dismiss ends what is under way for an account, and forgets it.
func (c *conn) dismiss(now time.Time, d dismissal) {
	at := slices.Index(c.accounts, d.account)
	if at < 0 {
		return
	}
	c.accounts = slices.Delete(c.accounts, at, at+1)
	d.account.closeSenders()
	d.account.visit.Leave()
	reason := router.Stopping
	if d.why == tenancy.NotWelcome {
		reason = router.Unauthenticated
	}
	for _, s := range c.subscriptions {
		if s.account == d.account {
			s.stop(now, router.Errorf(reason, "%v", d.why))
		}
	}
}

// expiresAt is when a token is not good any more for which messages wait or are waited for; zero for never.
func (a *account) expiresAt() time.Time {
	if a.expired {
		return time.Time{}
	}
	return a.user.Expires()
}

// expireAccounts ends what is under way for those whose token is not good any more.
func (c *conn) expireAccounts(now time.Time) {
	for _, a := range c.accounts {
		if at := a.expiresAt(); at.IsZero() || now.Before(at) {
			continue
		}
		a.expired = true
		a.closeSenders()
		for _, s := range c.subscriptions {
			if s.account == a {
				s.stop(now, errUnknown)
			}
		}
	}
}
