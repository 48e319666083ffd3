package gateway

import (
	"context"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"sync"

	"github.com/manifoldmq/manifold/adapters/http/webhook"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/audit"
	"github.com/manifoldmq/manifold/gateway/internal/oidc"
	"github.com/manifoldmq/manifold/tenancy"
)

// openLogins makes what the directory lets clients in with besides what tenants declare: the judge of tokens, the delay of
// failures and, if there is to be one, the record of it all. closeRecord is called when nothing can happen any more.
func (a *assembly) openLogins() (closeRecord func(), err error) {
	a.judge = oidc.New(a.log)
	a.judge.Define(trustsOf(a.config.AllTenants()))
	a.directory.Trust(a.judge)
	l := &a.config.Login
	a.directory.SlowDown(tenancy.Throttle{
		Delay: l.Delay, MaxDelay: l.MaxDelay, Memory: l.Memory, MaxKept: l.MaxTracked,
	})
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
		if u, err := url.Parse(text); err == nil && u.Scheme == "http" && !isLoopback(u.Hostname()) {
			return true
		}
	}
	return false
}

// changes tells which tenants and webhooks would be added, removed and altered by declaring these; of webhooks it tells
// only which come and go. Without a record it tells nothing.
func (a *assembly) changes(tenants []*tenancy.Tenant, hooks []webhook.Hook) (all []audit.Event) {
	if a.audit == nil {
		return nil
	}
	changed := func(what, tenant, name, change string) {
		all = append(all, audit.Event{Event: "changed", What: what, Tenant: tenant, Name: name, Change: change})
	}
	gone := a.directory.Names()
	for _, t := range tenants {
		gone = slices.DeleteFunc(gone, func(name string) bool { return name == t.Name })
		switch was, ok := a.directory.Lookup(t.Name); {
		case !ok:
			changed("tenant", t.Name, "", "added")
		case !reflect.DeepEqual(was, t):
			changed("tenant", t.Name, "", "altered")
		}
	}
	for _, name := range gone {
		changed("tenant", name, "", "removed")
	}
	type key struct{ tenant, name string }
	before := make(map[key]bool)
	for _, f := range a.webhooks.Figures() {
		before[key{f.Tenant, f.Name}] = true
	}
	for i := range hooks {
		if k := (key{hooks[i].Tenant, hooks[i].Name}); before[k] {
			delete(before, k)
		} else {
			changed("webhook", k.tenant, k.name, "added")
		}
	}
	for k := range before {
		changed("webhook", k.tenant, k.name, "removed")
	}
	return all
}

// recordReload records what became of a new configuration.
func (a *assembly) recordReload(changes []audit.Event, err error) {
	if a.audit == nil {
		return
	}
	for _, e := range changes {
		a.audit.Record(e)
	}
	e := audit.Event{Event: "changed", What: "configuration", Change: "altered"}
	if err != nil {
		e.Change, e.Detail = "refused", fmt.Sprint(err)
	}
	a.audit.Record(e)
}
