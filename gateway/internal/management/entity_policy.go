package management

import "iter"

// Policy is what a tenant may use.
type Policy struct {
	Names
	MaxConnections          int64  `about:"At once; 0 is no limit."`
	MaxMessageSize          int64  `about:"Bytes; 0 is no limit."`
	EnableVhostPolicy       bool   `about:"Whether virtual hosts, or roles, say who may do what."`
	EnableVhostNamePatterns bool   `about:"Whether the names of virtual hosts are patterns."`
	PolicyDir               string `about:"Always empty: what was in it has become part of the configuration."`
	DefaultVhost            string `about:"The virtual host, or else the tenant, of who names none."`

	ConnectionsProcessed uint64 `about:"Connections that were judged by virtual hosts."`
	ConnectionsDenied    uint64 `about:"Connections that a limit has refused."`
	ConnectionsCurrent   int    `about:"Connections of now."`
	LinksDenied          uint64 `about:"Links that a limit has refused."`
	MaxMessageSizeDenied uint64 `about:"Messages that a limit has refused."`
	TotalDenials         uint64 `about:"All of these."`
}

var policyType = newType(entityType{name: "policy", base: configurationEntity, about: "What the tenant may use."},
	func(m Model, offset int) iter.Seq[Policy] { return slice([]Policy{m.Policy()}, offset) }, nil)
