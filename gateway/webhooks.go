package gateway

import (
	"fmt"

	"github.com/manifoldmq/manifold/adapters/http/webhook"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/gateway/config"
)

// openWebhooks makes what posts messages to URLs. It begins with the doors.
func (a *assembly) openWebhooks() error {
	hooks, err := webhooksOf(a.config)
	if err != nil {
		return err
	}
	w := &a.config.HTTP.Webhooks
	a.webhooks = webhook.New(webhook.Config{
		Router: a.router, Directory: a.directory, DrainTimeout: a.config.DrainTimeout, Log: a.log,
		Guard: webhook.Guard{AllowPrivate: w.AllowPrivate, Allow: w.Allow},
	})
	a.webhooks.Define(hooks)
	return nil
}

// webhooksOf gives what is declared in the words of package webhook, with the secrets that are in files.
func webhooksOf(c *config.Config) (all []webhook.Hook, err error) {
	for _, t := range c.AllTenants() {
		for i := range t.Webhooks {
			declared := &t.Webhooks[i]
			hook, err := declared.Hook(t.Name, &c.HTTP.Webhooks)
			if err == nil && declared.SecretFile != "" {
				hook.Secrets, err = webhook.ReadSecrets(declared.SecretFile)
			}
			if err != nil {
				return nil, fmt.Errorf("webhook %q of tenant %q: %w", declared.Name, t.Name, err)
			}
			all = append(all, hook)
		}
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
