package gateway

import (
	"net/url"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/authenticator"
)

// openAuthenticators leaves passwords of users whom tenants do not declare to those whom the tenants name.
func (a *assembly) openAuthenticators() {
	s := &a.config.Login.Authenticator
	a.outside = authenticator.New(authenticator.Settings{
		Timeout: s.Timeout, MaxConcurrent: s.MaxConcurrent,
		RememberYes: s.RememberYes, RememberNo: s.RememberNo, MaxRemembered: s.MaxRemembered,
	}, a.log)
	a.outside.Define(authenticatorsOf(a.config.AllTenants()))
	a.directory.Outsource(a.outside)
}

// authenticatorsOf gives whom tenants have asked, by tenant.
func authenticatorsOf(tenants []config.Tenant) map[string]string {
	urls := make(map[string]string)
	for i := range tenants {
		if t := &tenants[i]; t.Authenticator.URL != "" {
			urls[t.Name] = t.Authenticator.URL
		}
	}
	return urls
}

// isOpen tells whether somebody on the way to an authenticator could read passwords.
func isOpen(a config.Authenticator) bool {
	u, err := url.Parse(a.URL)
	return err == nil && u.Scheme == "http" && !config.IsLoopback(u.Hostname())
}
