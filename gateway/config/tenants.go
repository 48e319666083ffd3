package config

import "github.com/manifoldmq/manifold/addressing"

// Tenant declares one address space and who is let in.
type Tenant struct {
	Name      string    `yaml:"name"`
	Anonymous bool      `yaml:"anonymous"` // whether a client that shows no credentials is let in
	Addresses []Address `yaml:"addresses"`
}

// Address declares the addresses that one name or pattern covers.
type Address struct {
	Name           addressing.Filter       `yaml:"name"`           // literal or with wildcards: * one level, # the rest
	Kind           addressing.Kind         `yaml:"kind"`           // anycast, broadcast, queue or topic
	Distribution   addressing.Distribution `yaml:"distribution"`   // anycast: balanced or closest
	MaxMessageSize Size                    `yaml:"maxMessageSize"` // 0 leaves it to limits.maxMessageSize
	MaxMessages    int64                   `yaml:"maxMessages"`    // stored at once; 0 is no limit
	MaxBytes       Size                    `yaml:"maxBytes"`       // stored at once; 0 is no limit
}

// Definition gives the declaration in the words of package addressing.
func (a *Address) Definition() addressing.Definition {
	return addressing.Definition{
		Name:           a.Name,
		Kind:           a.Kind,
		Distribution:   a.Distribution,
		MaxMessageSize: int64(a.MaxMessageSize),
		Queue:          addressing.QueueSettings{MaxMessages: a.MaxMessages, MaxBytes: int64(a.MaxBytes)},
	}
}
