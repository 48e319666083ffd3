package gateway

import (
	"context"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/adapters/http/webhook"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/declared"
	"github.com/manifoldmq/manifold/tenancy"
)

// openBook puts together what the configuration and the API declare of tenants; the configuration has it all then. fs is
// nil for the operating system's.
func (a *assembly) openBook(fs vfs.FS) (err error) {
	if fs == nil {
		fs = vfs.Default
	}
	folder := filepath.Join(a.config.DataDir, "tenants")
	a.book, err = declared.Open(declared.Options{FS: fs, Dir: folder, Adopt: a.adopt}, *a.config)
	if err != nil {
		return err
	}
	*a.config = a.config.WithoutTenants()
	a.config.Tenants = a.book.Tenants()
	return nil
}

// define makes what is declared of all tenants known to who serves their addresses.
func (a *assembly) define() { a.defineThese(a.tenants()) }

// tenants gives all of them as they are declared now.
func (a *assembly) tenants() (all []*tenancy.Tenant) {
	for _, name := range a.directory.Names() {
		if t, ok := a.directory.Lookup(name); ok {
			all = append(all, t)
		}
	}
	return all
}

func (a *assembly) defineThese(tenants []*tenancy.Tenant) {
	for _, t := range tenants {
		a.router.Define(t)
	}
	a.store.Define(tenants...)
	if a.interest != nil {
		a.interest.Define(a.tenants())
		a.mesh.Redefine()
	}
}

// adopt makes what is declared of tenants ready to be in force. It is the one way for all changes, whether they come from
// the configuration file or the API.
func (a *assembly) adopt(news declared.News) (commit func(), err error) {
	tenants := make([]*tenancy.Tenant, len(news.Changed))
	hooks := make(map[string][]webhook.Hook, len(news.Changed))
	for i, t := range news.Changed {
		if tenants[i], err = tenancyOf(news.Frame, t); err != nil {
			return nil, err
		}
		if err := tenants[i].Check(); err != nil {
			return nil, config.Problems{{Text: err.Error()}}
		}
		if hooks[t.Name], err = hooksOf(t, &news.Frame.HTTP.Webhooks); err != nil {
			return nil, config.Problems{{Path: "webhooks", Text: err.Error()}}
		}
	}
	trust, err := a.security.prepare(news.Frame.Authorities(news.All))
	if err != nil {
		return nil, config.Problems{{Text: err.Error()}}
	}
	return func() {
		if err := a.directory.Update(tenants, news.Gone); err != nil {
			panic(err) // they have been checked
		}
		trust()
		a.judge.Define(trustsOf(news.All))
		a.outside.Define(authenticatorsOf(news.All))
		a.defineThese(tenants)
		a.replaceHooks(hooks, news.Gone)
		a.autoLinks.setWaypoints(news.All)
	}, nil
}

// follow takes over each new configuration until ctx ends, as far as it is about tenants. Everything else takes a new
// start.
func (a *assembly) follow(ctx context.Context, changes <-chan config.Config) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-changes:
			a.reload(c)
		}
	}
}

// reload takes over a new configuration, or says why not.
func (a *assembly) reload(is config.Config) error {
	changes, err := a.book.Reload(is)
	a.recordReload(changes, err)
	if err != nil {
		a.log.Error("the new configuration is not taken over", "err", err)
		return err
	}
	was, now := a.config.WithoutTenants(), is.WithoutTenants()
	was.Plans, now.Plans = nil, nil
	if settings := config.Differences(&now, &was); len(settings) > 0 {
		a.log.Warn("only tenants are taken over; what else has changed takes a new start", "settings", settings)
	}
	a.log.Info("the new configuration is taken over")
	return nil
}
