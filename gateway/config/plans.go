package config

import (
	"fmt"
	"slices"

	"github.com/manifoldmq/manifold/tenancy"
)

// Plan is what the tenants may use that name it.
type Plan struct {
	Name string `yaml:"name"`
	Allowed
}

// Allowed is what a tenant may use; 0 is no limit, or the one of the process where there is such.
type Allowed struct {
	MaxConnections           int64    `yaml:"maxConnections"`
	MaxConnectionsPerUser    int64    `yaml:"maxConnectionsPerUser"`    // those who are anonymous are one user together
	MaxConnectionsPerAddress int64    `yaml:"maxConnectionsPerAddress"` // of origin; of IPv6, a network of 64 bits
	MaxLinks                 int64    `yaml:"maxLinks"`                 // open at once, to send and to receive
	MaxSessions              int64    `yaml:"maxSessions"`              // of MQTT, that outlive their connections
	MaxMessageSize           Size     `yaml:"maxMessageSize"`           // of one encoded message
	MaxTopicLevels           int64    `yaml:"maxTopicLevels"`           // of an address or filter
	MessagesIn               Rate     `yaml:"messagesIn"`               // that clients send
	BytesIn                  SizeRate `yaml:"bytesIn"`                  // likewise
	MessagesOut              Rate     `yaml:"messagesOut"`              // that clients receive
	BytesOut                 SizeRate `yaml:"bytesOut"`                 // likewise
	MaxStoredMessages        int64    `yaml:"maxStoredMessages"`        // in queues and durable subscriptions together
	MaxStoredBytes           Size     `yaml:"maxStoredBytes"`           // likewise
	MaxQueues                int64    `yaml:"maxQueues"`                // 0 is store.maxQueues
	MaxSubscriptions         int64    `yaml:"maxSubscriptions"`         // durable ones; 0 is store.maxSubscriptions
	MaxRetained              int64    `yaml:"maxRetained"`              // retained messages; 0 is store.maxRetained
	MaxRetainedBytes         Size     `yaml:"maxRetainedBytes"`         // their bytes; 0 is store.maxRetainedBytes
	Protocols                []string `yaml:"protocols"`                // that clients may speak; none is all
}

// Rate is how much there may be in a second.
type Rate struct {
	Rate  int64 `yaml:"rate"`  // 0 is no limit
	Burst int64 `yaml:"burst"` // how much may come at once; 0 is as much as in a second
}

// SizeRate is a Rate of bytes.
type SizeRate struct {
	Rate  Size `yaml:"rate"`
	Burst Size `yaml:"burst"`
}

// Protocols are the names of what a plan may let clients speak.
var Protocols = []string{"amqp", "mqtt", "stomp", "http", "coap"}

// PlanOf gives what a tenant may use in the words of package tenancy: what its plan says, but for what it says itself.
func (c *Config) PlanOf(t *Tenant) tenancy.Plan {
	own := t.Limits.plan()
	at := slices.IndexFunc(c.Plans, func(p Plan) bool { return p.Name == t.Plan })
	if at < 0 {
		return own
	}
	p := c.Plans[at].plan()
	for i, most := range own.Most {
		if most > 0 {
			p.Most[i], p.Burst[i] = most, own.Burst[i]
		}
	}
	if len(own.Protocols) > 0 {
		p.Protocols = own.Protocols
	}
	return p
}

func (a *Allowed) plan() tenancy.Plan {
	p := tenancy.Plan{Protocols: a.Protocols}
	p.Most = a.most()
	p.Burst[tenancy.MessagesIn], p.Burst[tenancy.BytesIn] = a.MessagesIn.Burst, int64(a.BytesIn.Burst)
	p.Burst[tenancy.MessagesOut], p.Burst[tenancy.BytesOut] = a.MessagesOut.Burst, int64(a.BytesOut.Burst)
	return p
}

func (a *Allowed) most() [tenancy.LimitCount]int64 {
	return [tenancy.LimitCount]int64{
		tenancy.MaxConnections:           a.MaxConnections,
		tenancy.MaxConnectionsPerUser:    a.MaxConnectionsPerUser,
		tenancy.MaxConnectionsPerAddress: a.MaxConnectionsPerAddress,
		tenancy.MaxLinks:                 a.MaxLinks,
		tenancy.MaxSessions:              a.MaxSessions,
		tenancy.MaxMessageSize:           int64(a.MaxMessageSize),
		tenancy.MaxTopicLevels:           a.MaxTopicLevels,
		tenancy.MessagesIn:               a.MessagesIn.Rate,
		tenancy.BytesIn:                  int64(a.BytesIn.Rate),
		tenancy.MessagesOut:              a.MessagesOut.Rate,
		tenancy.BytesOut:                 int64(a.BytesOut.Rate),
		tenancy.MaxStoredMessages:        a.MaxStoredMessages,
		tenancy.MaxStoredBytes:           int64(a.MaxStoredBytes),
		tenancy.MaxQueues:                a.MaxQueues,
		tenancy.MaxSubscriptions:         a.MaxSubscriptions,
		tenancy.MaxRetained:              a.MaxRetained,
		tenancy.MaxRetainedBytes:         int64(a.MaxRetainedBytes),
	}
}

func (c *Config) validatePlans(k *check) {
	first := make(map[string]int, len(c.Plans))
	for i := range c.Plans {
		p, path := &c.Plans[i], fmt.Sprintf("plans[%d].", i)
		_, err := tenancy.ParseName(p.Name)
		k.refuse(err != nil, path+"name", "%.80q is not a name such as small: a-z, 0-9 and inner hyphens", p.Name)
		j, twice := first[p.Name]
		k.refuse(twice, path+"name", "%q is declared in plans[%d] already", p.Name, j)
		first[p.Name] = i
		p.validate(k, path)
	}
	c.validatePlanOf(k, "", c.Plan, nil)
}

// validatePlanOf looks at what a tenant says of its plan.
func (c *Config) validatePlanOf(k *check, path, plan string, own *Allowed) {
	known := plan == "" || slices.ContainsFunc(c.Plans, func(p Plan) bool { return p.Name == plan })
	k.refuse(!known, path+"plan", "no plan %.80q is declared", plan)
	if own != nil {
		own.validate(k, path+"limits.")
	}
}

func (a *Allowed) validate(k *check, path string) {
	const most = 1 << 50
	p := a.plan()
	for _, l := range tenancy.Limits() {
		key := path + l.String()
		if l.IsRate() {
			k.refuse(p.Burst[l] < 0 || p.Burst[l] > most, key+".burst", "%d is not from 0 to %d", p.Burst[l], int64(most))
			k.refuse(p.Burst[l] > 0 && p.Most[l] == 0, key+".burst", "needs a rate")
			key += ".rate"
		}
		k.refuse(p.Most[l] < 0 || p.Most[l] > most, key, "%d is not from 0 to %d", p.Most[l], int64(most))
	}
	for i, name := range a.Protocols {
		k.oneOf(fmt.Sprintf("%sprotocols[%d]", path, i), name, Protocols...)
	}
}
