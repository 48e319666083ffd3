package tenancy

import (
	"context"
	"errors"
	"fmt"
)

// PasswordJudge decides about passwords of users whom a tenant does not declare, by asking somebody else. It is used from many
// goroutines.
type PasswordJudge interface {
	// JudgePassword finds out whether an attempt is good, and whose it is; Identity.Issuer is the tenant's Authenticator.
	// It may take as long as ctx. Its error is ErrBusy, or wraps it, while it cannot find out; any other one is a no.
	JudgePassword(ctx context.Context, a Attempt) (Identity, error)
}

// Attempt is a password that somebody shows.
type Attempt struct {
	Visitor
	Tenant   string // by whose rules it is judged
	User     string
	Password []byte // valid during the call only
	Client   string // what the client calls itself; empty when it has not said so yet
	Known    bool   // the judge is to answer by what it remembers, and ask nobody
}

// Outsource leaves passwords of users whom a tenant with an Authenticator does not declare to a judge. It comes before anybody
// is let in.
func (d *Directory) Outsource(judge PasswordJudge) { d.outside = judge }

// byOutside lets in a user whose password others find right.
func (d *Directory) byOutside(ctx context.Context, r *realm, user string, c Credentials) (*Principal, error) {
	if d.outside == nil {
		return nil, ErrCredentials
	}
	whose, err := d.outside.JudgePassword(ctx, Attempt{
		Visitor: c.Visitor, Tenant: r.Name, User: user, Password: c.Password, Client: c.Client,
		Known: d.throttle.isCrowded(c.Address.Addr()),
	})
	switch {
	case errors.Is(err, ErrBusy):
		return nil, ErrBusy
	case err != nil:
		return nil, &outsideError{err}
	case whose.Tenant != r.Name || whose.Issuer != r.Authenticator:
		return nil, &outsideError{errors.New("it is not the tenant's any more")}
	case checkTokenUser(whose.User) != nil:
		return nil, &outsideError{fmt.Errorf("it names a user that a tenant cannot have, %.80q", whose.User)}
	}
	p := d.newPrincipal(r.Tenant, whose.User)
	p.roles = append([]string{}, whose.Roles...) // not nil: it is not the tenant that names him
	p.issuer, p.expires = whose.Issuer, whose.Expires
	if p.isOver() {
		return nil, &outsideError{errors.New("what it has said has expired")}
	}
	return p, nil
}

// outsideError refuses somebody whom a tenant's authenticator does not let in.
type outsideError struct{ fault error }

func (e *outsideError) Error() string { return e.fault.Error() }

// Is tells that it is one of credentials.
func (e *outsideError) Is(target error) bool { return target == ErrCredentials }
