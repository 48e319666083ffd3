package tenancy

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// Witness is told who comes in, who leaves and who is refused, for a record of that. Its methods are called from many
// goroutines and do not block.
type Witness interface {
	Entered(v Visitor, p *Principal)
	Left(v Visitor, p *Principal, stayed time.Duration)
	Refused(v Visitor, r Refusal)
}

// Refusal is what is known of a login that failed. It has nothing of what was shown as a proof.
type Refusal struct {
	Tenant string // that was named, which need not exist; the default one when none was
	User   string // that was named; empty for none
	Reason Cause
	Detail string // of a token or a certificate: what is wrong with it; of a handshake: why it failed
}

// Cause is a class of reasons why a login fails. Clients are not told it.
type Cause string

// The causes.
const (
	WrongCredentials Cause = "credentials" // none were shown, or wrong ones
	WrongToken       Cause = "token"
	WrongCertificate Cause = "certificate"
	FailedHandshake  Cause = "handshake"     // of TLS or DTLS, for another reason than a certificate
	TurnedDown       Cause = "authenticator" // a tenant's authenticator has said no
	UnknownTenant    Cause = "tenant"        // it does not exist, or two were named
	Overload         Cause = "busy"          // they could not be checked in time
)

// Causes are all there are.
var Causes = []Cause{
	WrongCredentials, WrongToken, WrongCertificate, FailedHandshake, TurnedDown, UnknownTenant, Overload,
}

// Logins counts what became of logins since the process began.
type Logins struct {
	Failed  map[Cause]uint64
	Waiting int           // refusals that are delayed now
	Delayed time.Duration // how long refusals were delayed together
}

// tally is Logins as it is counted.
type tally [7]atomic.Uint64 // by the index of Causes

// Tell has a witness told from now on. It comes before anybody is let in.
func (d *Directory) Tell(w Witness) { d.witness = w }

// SlowDown delays refusals from now on. It comes before anybody is let in; without it nothing is delayed.
func (d *Directory) SlowDown(t Throttle) { d.throttle = newThrottle(t) }

// Logins tells what became of logins.
func (d *Directory) Logins() Logins {
	l := Logins{Failed: make(map[Cause]uint64, len(Causes)), Delayed: time.Duration(d.throttle.seconds.Load())}
	for i, c := range Causes {
		l.Failed[c] = d.failed[i].Load()
	}
	d.throttle.mu.Lock()
	defer d.throttle.mu.Unlock()
	l.Waiting = d.throttle.waiting
	return l
}

// refuse notes that a login has failed, and waits until the client may be told. name is the user that it named. Who has
// shown nothing has guessed nothing, and does not wait.
func (d *Directory) refuse(ctx context.Context, v Visitor, name string, shown bool, why error) {
	r := d.note(v, name, why)
	if shown && r.Reason != Overload {
		d.throttle.refuse(ctx, v.Address.Addr(), r.Tenant+"/"+r.User)
	}
}

// note counts a login that has failed, and tells the witness.
func (d *Directory) note(v Visitor, name string, why error) Refusal {
	user, tenant := SplitUser(name)
	n := d.naming(v, tenant)
	if n.name == "" {
		n.name = DefaultTenant
	}
	if len(user) > MaxUserLength { // that is nobody's name, but may be a secret
		user = ""
	}
	r := Refusal{Tenant: n.name[:min(len(n.name), MaxNameLength)], User: user, Reason: WrongCredentials}
	if fault, ok := errors.AsType[*tokenError](why); ok {
		r.Reason, r.Detail = WrongToken, fault.Error()
	}
	if fault, ok := errors.AsType[*certificateError](why); ok {
		r.Reason, r.Detail = WrongCertificate, fault.Error()
	}
	if fault, ok := errors.AsType[*outsideError](why); ok {
		r.Reason, r.Detail = TurnedDown, fault.Error()
	}
	switch {
	case errors.Is(why, ErrBusy):
		r.Reason = Overload
	case errors.Is(why, ErrNoSuchTenant), errors.Is(why, errDisagree):
		r.Reason = UnknownTenant
	}
	d.record(v, r)
	return r
}

// record counts a refusal, and tells the witness.
func (d *Directory) record(v Visitor, r Refusal) {
	for i, c := range Causes {
		if c == r.Reason {
			d.failed[i].Add(1)
		}
	}
	if d.witness != nil {
		d.witness.Refused(v, r)
	}
}
