package gateway

import (
	"context"

	"github.com/manifoldmq/manifold/gateway/internal/management"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
	"github.com/manifoldmq/manifold/tenancy/vhost"
)

// Policy implements management.Model.
func (m *managedTenant) Policy() management.Policy {
	p := management.Policy{
		Names:             management.Names{Name: "policy/" + m.name, Identity: "policy/" + m.name},
		EnableVhostPolicy: len(m.tenant.Roles) > 0, DefaultVhost: tenancy.DefaultTenant,
		MaxMessageSize: int64(m.config.Limits.MaxMessageSize), ConnectionsCurrent: m.directory.Present(m.name),
	}
	for _, f := range m.directory.Allowance(m.name).Figures() {
		p.TotalDenials += f.Breaches
		switch f.Limit {
		case tenancy.MaxConnections:
			p.MaxConnections, p.ConnectionsDenied = f.Most, f.Breaches
		case tenancy.MaxLinks:
			p.LinksDenied = f.Breaches
		case tenancy.MaxMessageSize:
			p.MaxMessageSizeDenied = f.Breaches
			if f.Most > 0 {
				p.MaxMessageSize = f.Most
			}
		}
	}
	if m.policy != nil && m.isOperators() {
		m.addPolicy(&p)
	}
	return p
}

// addPolicy adds what virtual hosts say and count.
func (m *managedTenant) addPolicy(p *management.Policy) {
	declared, totals := m.policy.Policy(), m.policy.Totals()
	p.EnableVhostPolicy, p.EnableVhostNamePatterns, p.DefaultVhost = true, declared.NamePatterns, declared.DefaultHost
	p.MaxMessageSize = declared.MaxMessageSize
	p.ConnectionsProcessed = uint64(totals.ConnectionsApproved+totals.ConnectionsDenied) + p.ConnectionsDenied
	p.ConnectionsDenied += uint64(totals.ConnectionsDenied)
	p.LinksDenied += uint64(totals.LinksDenied)
	p.MaxMessageSizeDenied += uint64(totals.MessagesDenied)
	p.TotalDenials += uint64(totals.ConnectionsDenied + totals.LinksDenied + totals.MessagesDenied)
}

// VirtualHosts implements management.Model.
func (m *managedTenant) VirtualHosts() []vhost.Host {
	if m.policy == nil || !m.isOperators() {
		return nil
	}
	return m.policy.Policy().Hosts
}

// VirtualHostStats implements management.Model.
func (m *managedTenant) VirtualHostStats() []vhost.Stats {
	if m.policy == nil || !m.isOperators() {
		return nil
	}
	return m.policy.Stats()
}

// DeclareVirtualHost implements management.Model.
func (m *managedTenant) DeclareVirtualHost(_ context.Context, h vhost.Host) error {
	return m.changePolicy(h.Name, "made", func(r *vhost.Register) error { return r.Declare(h) })
}

// RedeclareVirtualHost implements management.Model.
func (m *managedTenant) RedeclareVirtualHost(_ context.Context, h vhost.Host) error {
	return m.changePolicy(h.Name, "changed", func(r *vhost.Register) error { return r.Redeclare(h) })
}

// WithdrawVirtualHost implements management.Model.
func (m *managedTenant) WithdrawVirtualHost(_ context.Context, name string) error {
	return m.changePolicy(name, "deleted", func(r *vhost.Register) error { return r.Withdraw(name) })
}

func (m *managedTenant) changePolicy(name, what string, change func(*vhost.Register) error) error {
	if err := m.reachesOut("virtual hosts"); err != nil {
		return err
	}
	if m.policy == nil {
		return router.Errorf(router.Unsupported, "there is no policy (amqp.policy)")
	}
	if err := change(m.policy); err != nil {
		return err
	}
	m.note("vhost", name, what)
	return nil
}
