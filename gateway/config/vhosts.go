package config

import "github.com/manifoldmq/manifold/tenancy/vhost"

// Policy is what Qpid Dispatch Router's vhosts say of who comes in through the AMQP door, and what he may do. It takes the place of
// roles there, and is for manner dispatch.
type Policy struct {
	Enabled           bool         `yaml:"enabled"`
	DefaultVhost      string       `yaml:"defaultVhost"`      // that of who asks for one that is not declared; none lets him not in
	VhostNamePatterns bool         `yaml:"vhostNamePatterns"` // host names are patterns of tokens, with * and #
	MaxMessageSize    Size         `yaml:"maxMessageSize"`    // where neither the vhost nor the group says; 0 is no limit
	Vhosts            []vhost.Host `yaml:"vhosts"`
}

// Declared gives the policy in the words of package vhost.
func (p *Policy) Declared() vhost.Policy {
	return vhost.Policy{
		DefaultHost: p.DefaultVhost, NamePatterns: p.VhostNamePatterns, MaxMessageSize: int64(p.MaxMessageSize), Hosts: p.Vhosts,
	}
}

func (c *Config) validatePolicy(k *check) {
	p := &c.AMQP.Policy
	k.refuse(p.Enabled && c.AMQP.Manner != DispatchManner, "amqp.policy.enabled", "needs amqp.manner: %s; elsewhere roles say who may do what", DispatchManner)
	k.refuse(p.MaxMessageSize < 0, "amqp.policy.maxMessageSize", "%d is below 0", p.MaxMessageSize)
	_, err := vhost.NewRegister(p.Declared())
	k.refuse(err != nil, "amqp.policy.vhosts", "%v", err)
}
