package gateway

import (
	"fmt"
	"maps"
	"slices"

	"github.com/manifoldmq/manifold/adapters/http/webhook"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/gateway/config"
)

// openWebhooks makes what posts messages to URLs. It begins with the doors.
func (a *assembly) openWebhooks() (err error) {
	w := &a.config.HTTP.Webhooks
	a.webhooks = webhook.New(webhook.Config{
		Router: a.router, Directory: a.directory, DrainTimeout: a.config.DrainTimeout, Log: a.log,
		Guard: webhook.Guard{AllowPrivate: w.AllowPrivate, Allow: w.Allow},
	})
	hooks := make(map[string][]webhook.Hook)
	for i := range a.config.Tenants {
		t := &a.config.Tenants[i]
		if hooks[t.Name], err = hooksOf(t, w); err != nil {
			return err
		}
	}
	a.replaceHooks(hooks, nil)
	return nil
}

// replaceHooks has the webhooks of some tenants run in the place of those that they had. It is called by one at a time.
func (a *assembly) replaceHooks(changed map[string][]webhook.Hook, gone []string) {
	if a.hooks == nil {
		a.hooks = make(map[string][]webhook.Hook)
	}
	maps.Copy(a.hooks, changed)
	for _, tenant := range gone {
		delete(a.hooks, tenant)
	}
	maps.DeleteFunc(a.hooks, func(_ string, hooks []webhook.Hook) bool { return len(hooks) == 0 })
	a.webhooks.Define(slices.Concat(slices.Collect(maps.Values(a.hooks))...))
}

// hooksOf gives what a tenant declares in the words of package webhook, with the secrets that are in files. While it is
// disabled it has none.
func hooksOf(t *config.Tenant, w *config.Webhooks) (all []webhook.Hook, err error) {
	if t.Disabled {
		return nil, nil
	}
	for i := range t.Webhooks {
		declared := &t.Webhooks[i]
		hook, err := declared.Hook(t.Name, w)
		if err == nil && declared.SecretFile != "" {
			hook.Secrets, err = webhook.ReadSecrets(declared.SecretFile)
		}
		if err != nil {
			return nil, fmt.Errorf("webhook %q of tenant %q: %w", declared.Name, t.Name, err)
		}
		all = append(all, hook)
	}
	return all, nil
}

// losing gives the names of those webhooks of a tenant that lose what they reject: their queues have no dead letters.
func losing(t *config.Tenant) (names []string) {
	letters := make(map[addressing.Filter]string, len(t.Addresses))
	for i := range t.Addresses {
		letters[t.Addresses[i].Name] = t.Addresses[i].DeadLetter
	}
	for i := range t.Webhooks {
		hook, err := t.Webhooks[i].Hook(t.Name, new(config.Webhooks))
		if deadLetter, ok := letters[hook.From.Filter]; err == nil && ok && deadLetter == "" {
			names = append(names, hook.Name)
		}
	}
	return names
}
