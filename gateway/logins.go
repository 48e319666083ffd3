package gateway

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"sync"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/audit"
	"github.com/manifoldmq/manifold/gateway/internal/declared"
	"github.com/manifoldmq/manifold/gateway/internal/oidc"
	"github.com/manifoldmq/manifold/tenancy"
)

// openLogins makes what the directory lets clients in with besides what tenants declare: the judge of tokens, the delay of
// failures and, if there is to be one, the record of it all. closeRecord is called when nothing can happen any more.
func (a *assembly) openLogins() (closeRecord func(), err error) {
	a.judge = oidc.New(a.log)
	a.judge.Define(trustsOf(a.config.AllTenants()))
	a.directory.Trust(a.judge)
	a.openAuthenticators()
	a.directory.SlowDown(a.throttle())
	if a.config.Audit.File == "" {
		return func() {}, nil
	}
	a.audit, err = audit.Open(a.config.Audit.File, a.config.Audit.Events, a.log)
	if err != nil {
		return nil, err
	}
	a.directory.Tell(a.audit)
	ctx, stop := context.WithCancel(context.Background())
	var writing sync.WaitGroup
	writing.Go(func() { a.audit.Run(ctx) })
	return func() {
		stop()
		writing.Wait()
	}, nil
}

// throttle says how failed logins are slowed down.
func (a *assembly) throttle() tenancy.Throttle {
	l := &a.config.Login
	return tenancy.Throttle{Delay: l.Delay, MaxDelay: l.MaxDelay, Memory: l.Memory, MaxKept: l.MaxTracked}
}

// trustsOf gives whose word tenants take in the words of package oidc, and the names of the roles that they declare.
func trustsOf(tenants []config.Tenant) (trusts []oidc.Trust, roles map[string][]string) {
	roles = make(map[string][]string)
	for i := range tenants {
		t := &tenants[i]
		if len(t.Tokens) == 0 {
			continue
		}
		for j := range t.Tokens {
			trusts = append(trusts, t.Tokens[j].Trust(t.Name))
		}
		for _, r := range t.Roles {
			roles[t.Name] = append(roles[t.Name], r.Name)
		}
	}
	return trusts, roles
}

// issuersOf names the issuers whose word a tenant takes.
func issuersOf(t *config.Tenant) (names []string) {
	for _, token := range t.Tokens {
		if !slices.Contains(names, token.Issuer) {
			names = append(names, token.Issuer)
		}
	}
	return names
}

// isOpenIssuer tells whether somebody between the gateway and an issuer could give out keys in its name.
func isOpenIssuer(t config.Tokens) bool {
	for _, text := range []string{t.Issuer, t.JWKSURL} {
		if u, err := url.Parse(text); err == nil && u.Scheme == "http" && !config.IsLoopback(u.Hostname()) {
			return true
		}
	}
	return false
}

// recordReload records what became of a new configuration.
func (a *assembly) recordReload(changes []declared.Difference, err error) {
	a.recordChanges(audit.Event{}, changes)
	e := audit.Event{Event: "changed", What: "configuration", Change: "altered"}
	if err != nil {
		e.Change, e.Detail = "refused", fmt.Sprint(err)
	}
	a.record(e)
}

// recordChanges records what has been changed; of a tenant that comes or goes, not all it has. who is an event that tells who
// did it.
func (a *assembly) recordChanges(who audit.Event, changes []declared.Difference) {
	whole := make(map[string]bool)
	for _, c := range changes {
		e := who
		e.Event, e.Change, e.Tenant, e.What, e.Name = "changed", c.Change, c.Tenant, "tenant", ""
		if c.List == "" {
			whole[c.Tenant] = c.Change != declared.Altered
		} else {
			e.What, e.Name = declared.Singular(c.List), c.Name
		}
		if c.List == "" || !whole[c.Tenant] {
			a.record(e)
		}
	}
}

// record has an event written if there is a record.
func (a *assembly) record(e audit.Event) {
	if a.audit != nil {
		a.audit.Record(e)
	}
}
