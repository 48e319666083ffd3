package config

import "time"

// Login says how failed logins are slowed down.
type Login struct {
	Delay      time.Duration `yaml:"delay"`      // before a refusal; each further one takes twice as long; 0s is none
	MaxDelay   time.Duration `yaml:"maxDelay"`   // the longest
	Memory     time.Duration `yaml:"memory"`     // how long failures are remembered at least
	MaxTracked int           `yaml:"maxTracked"` // addresses of origin and users whose failures are remembered

	Authenticator Asking `yaml:"authenticator"`
}

func defaultLogin() Login {
	return Login{
		Delay: 250 * time.Millisecond, MaxDelay: 4 * time.Second, Memory: 15 * time.Minute, MaxTracked: 100_000,
		Authenticator: defaultAsking(),
	}
}

// Audit says where a record is kept of who comes, goes and is refused, and of what is changed.
type Audit struct {
	File   string   `yaml:"file"`   // a file, or stderr; none keeps no record
	Events []string `yaml:"events"` // some of connected, disconnected, failed, changed; none is all of them
}

// AuditEvents are the names of what can be recorded.
var AuditEvents = []string{"connected", "disconnected", "failed", "changed"}

func (c *Config) validateLogin(k *check) {
	l := &c.Login
	k.refuse(l.Delay < 0 || l.Delay > time.Minute, "login.delay", "%v is not from 0s to 1m", l.Delay)
	k.refuse(l.MaxDelay < l.Delay || l.MaxDelay > time.Minute, "login.maxDelay", "%v is not from login.delay, %v, to 1m", l.MaxDelay, l.Delay)
	k.span("login.memory", l.Memory, time.Second)
	k.within("login.maxTracked", l.MaxTracked, 100, 100*many)
	c.validateAsking(k)
	for _, event := range c.Audit.Events {
		k.oneOf("audit.events", event, AuditEvents...)
	}
}
