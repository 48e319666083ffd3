package gateway

import (
	"context"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/dispatchconf"
	"github.com/manifoldmq/manifold/gateway/internal/management"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// sslProfiles are files that secure connections, as management knows them by their names: those of the configuration, and
// those that it has declared itself, which last as long as the process.
type sslProfiles struct {
	mu         sync.Mutex                     // guards everything below; a leaf
	made       map[string]config.ConnectorTLS // by name
	connectors map[string]string              // the profiles of those that management has made, by their names
}

func newSSLProfiles() *sslProfiles {
	return &sslProfiles{made: make(map[string]config.ConnectorTLS), connectors: make(map[string]string)}
}

// gatewayProfile names what the doors of the configuration show.
const gatewayProfile = "tls"

// profileOf names what secures a connector of the configuration.
func profileOf(connector string) string { return gatewayProfile + " of " + connector }

// declaredProfiles are those of the configuration.
func (a *assembly) declaredProfiles() map[string]config.ConnectorTLS {
	all := make(map[string]config.ConnectorTLS)
	if t := &a.config.TLS; t.Enabled() {
		all[gatewayProfile] = config.ConnectorTLS{Enabled: true, CA: t.ClientCA, KeyPair: t.KeyPair}
	}
	for i := range a.config.Network.Connectors {
		if c := &a.config.Network.Connectors[i]; c.TLS.Enabled {
			all[profileOf(c.Name)] = c.TLS
		}
	}
	return all
}

// sslProfile finds a profile.
func (m *managedTenant) sslProfile(name string) (config.ConnectorTLS, error) {
	m.profiles.mu.Lock()
	p, ok := m.profiles.made[name]
	m.profiles.mu.Unlock()
	if !ok {
		p, ok = m.declaredProfiles()[name]
	}
	if !ok {
		return p, router.Errorf(router.Malformed, "SSL Profile %.80q not found", name)
	}
	return p, nil
}

// use notes by which profile a connector is secured that management has made; nil for none any more.
func (p *sslProfiles) use(connector string, profile *string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if profile == nil {
		delete(p.connectors, connector)
		return
	}
	p.connectors[connector] = *profile
}

// of names the profile by which a connector is secured.
func (p *sslProfiles) of(connector string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if name, ok := p.connectors[connector]; ok {
		return name
	}
	return profileOf(connector)
}

// SSLProfiles implements management.Model: they are of those who run the gateway.
func (m *managedTenant) SSLProfiles() (all []management.SSLProfile) {
	if !m.isOperators() {
		return nil
	}
	profiles := m.declaredProfiles()
	m.profiles.mu.Lock()
	maps.Copy(profiles, m.profiles.made)
	m.profiles.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		p := profiles[name]
		all = append(all, management.SSLProfile{
			Names:      management.Names{Name: name, Identity: "sslProfile/" + name},
			CACertFile: p.CA, CertFile: p.Certificate, PrivateKeyFile: p.Key, PasswordFile: p.KeyPasswordFile,
		})
	}
	return all
}

// AddSSLProfile implements management.Model.
func (m *managedTenant) AddSSLProfile(_ context.Context, p management.SSLProfile) (management.SSLProfile, error) {
	if err := m.namesFiles(); err != nil {
		return p, err
	}
	declared := config.ConnectorTLS{Enabled: true, CA: p.CACertFile}
	declared.Certificate, declared.Key, declared.KeyPasswordFile = p.CertFile, p.PrivateKeyFile, p.PasswordFile
	if p.Password != nil {
		var err error
		if declared.KeyPassword, declared.KeyPasswordFile, err = m.passwordOf(*p.Password); err != nil {
			return p, err
		}
	}
	if err := declared.Check(); err != nil {
		return p, router.Errorf(router.Malformed, "%v", err)
	}
	if _, err := declared.Config(); err != nil {
		return p, router.Errorf(router.Malformed, "%v", err)
	}
	if _, err := m.sslProfile(p.Name); err == nil {
		return p, router.Errorf(router.Conflict, "there is an SSL profile %q already", p.Name)
	}
	m.profiles.mu.Lock()
	m.profiles.made[p.Name] = declared
	m.profiles.mu.Unlock()
	m.note("sslProfile", p.Name, "made")
	p.Identity, p.PasswordFile = "sslProfile/"+p.Name, declared.KeyPasswordFile
	return p, nil
}

// RemoveSSLProfile implements management.Model. What is secured by it stays so.
func (m *managedTenant) RemoveSSLProfile(_ context.Context, name string) error {
	if err := m.reachesOut("SSL profiles"); err != nil {
		return err
	}
	m.profiles.mu.Lock()
	_, ok := m.profiles.made[name]
	delete(m.profiles.made, name)
	m.profiles.mu.Unlock()
	if !ok {
		return router.Errorf(router.Denied, "what the configuration declares can only be changed there")
	}
	m.note("sslProfile", name, "deleted")
	return nil
}

// namesFiles refuses it to name files that are read to anybody but who mayNameFiles in the tenant that runs the gateway, unless the
// gateway stands in for a router of Dispatch.
func (m *managedTenant) namesFiles() error {
	if err := m.reachesOut("files of this machine"); err != nil || m.isDispatch() {
		return err
	}
	return m.mayNameFiles()
}

// mayNameFiles refuses it to name files of this machine to anybody but who has the right admin: that nobody is told apart gives no
// such right, nor does another router's word for who asks through it.
func (m *managedTenant) mayNameFiles() error {
	if m.asker.IsInsider() {
		return router.Errorf(router.Denied, "who names files of this machine asks its own router, not through another")
	}
	if all, _ := tenancy.Everywhere.For(m.asker); !m.asker.May(tenancy.Admin, all) {
		return router.Errorf(router.Denied, "who names files of this machine has the right admin")
	}
	return nil
}

// passwordOf reads a password in the words of Dispatch: itself, or in a variable of the environment, or the name of a file that
// has it. As a password may go to whatever host its connector names, who has no right to files is refused those two in every manner.
func (m *managedTenant) passwordOf(text string) (password, file string, err error) {
	s := dispatchconf.ParseSecret(text)
	if s.Variable != "" || s.File != "" {
		if err := m.mayNameFiles(); err != nil {
			return "", "", err
		}
	}
	return s.In(os.Getenv), s.File, nil
}
