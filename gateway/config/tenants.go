package config

import (
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/network"
	"github.com/manifoldmq/manifold/tenancy"
)

// Tenant declares one address space and who is let in.
type Tenant struct {
	Name         string    `yaml:"name"`
	Disabled     bool      `yaml:"disabled"`  // whether nobody is let in, as if there were no such tenant
	Anonymous    bool      `yaml:"anonymous"` // whether a client that shows no credentials is let in
	Users        []User    `yaml:"users"`
	Roles        []Role    `yaml:"roles"`        // without any, everybody may send, receive and browse everywhere
	DefaultRoles []string  `yaml:"defaultRoles"` // of users that have none, and of the anonymous one
	Addresses    []Address `yaml:"addresses"`
	Webhooks     []Webhook `yaml:"webhooks"`
	Plan         string    `yaml:"plan"`      // one of plans; none limits nothing
	Limits       Allowed   `yaml:"limits"`    // in place of what the plan says
	Tokens       []Tokens  `yaml:"tokens"`    // whose tokens let their users in
	TokenUser    string    `yaml:"tokenUser"` // the user name under which a token is shown as the password; none is no name

	Certificates  []Certificates `yaml:"certificates"` // authorities that sign those of its clients; none leaves it to tls.clientCA
	Authenticator Authenticator  `yaml:"authenticator"`

	Origins []string `yaml:"origins"` // of web pages that may use the HTTP door for this tenant; none leaves it to http.origins
}

// User declares somebody whom a tenant knows.
type User struct {
	Name       string               `yaml:"name"`
	Credential tenancy.Credential   `yaml:"credential" secret:"true"`   // of the password; none for a user who shows a certificate
	Key        tenancy.PreSharedKey `yaml:"preSharedKey" secret:"true"` // of a device that proves it in a handshake of DTLS; none for others
	Roles      []string             `yaml:"roles"`                      // none for the default ones
}

// Role declares what those who have it may do. In a pattern {tenant}, {user} and {client} stand for their names.
type Role struct {
	Name    string            `yaml:"name"`
	Send    []tenancy.Pattern `yaml:"send"`
	Receive []tenancy.Pattern `yaml:"receive"`
	Browse  []tenancy.Pattern `yaml:"browse"` // look at messages without taking them
	Manage  []tenancy.Pattern `yaml:"manage"` // purge, move and replay stored messages, and change the address
	Admin   bool              `yaml:"admin"`  // change the tenant: users, roles and addresses
}

// Role gives the declaration in the words of package tenancy.
func (r *Role) Role() tenancy.Role {
	role := tenancy.Role{Name: r.Name, Grants: map[tenancy.Right][]tenancy.Pattern{
		tenancy.Send: r.Send, tenancy.Receive: r.Receive, tenancy.Browse: r.Browse, tenancy.Manage: r.Manage,
	}}
	if r.Admin {
		role.Grants[tenancy.Admin] = []tenancy.Pattern{tenancy.Everywhere}
	}
	return role
}

// Address declares the addresses that one name or pattern covers.
type Address struct {
	Name           addressing.Filter       `yaml:"name"`           // literal or with wildcards: * one level, # the rest
	Kind           addressing.Kind         `yaml:"kind"`           // anycast, broadcast, queue or topic
	Distribution   addressing.Distribution `yaml:"distribution"`   // anycast: balanced or closest
	MaxMessageSize Size                    `yaml:"maxMessageSize"` // 0 leaves it to limits.maxMessageSize
	MaxMessages    int64                   `yaml:"maxMessages"`    // stored at once; 0 is no limit
	MaxBytes       Size                    `yaml:"maxBytes"`       // stored at once; 0 is no limit
	Overflow       addressing.Overflow     `yaml:"overflow"`       // reject or dropHead

	Consumers       Consumers           `yaml:"consumers"`
	Groups          bool                `yaml:"groups"` // messages of one group-id go to one consumer until it leaves
	TTL             TTL                 `yaml:"ttl"`
	RedeliveryDelay RedeliveryDelay     `yaml:"redeliveryDelay"`
	MaxDeliveries   int                 `yaml:"maxDeliveries"`  // failed ones, after which a message is dead; 0 is no limit
	LastValueKey    string              `yaml:"lastValueKey"`   // a property: only the last message of each of its values is kept
	NonDestructive  bool                `yaml:"nonDestructive"` // consumers read and take nothing
	ConsumeOnly     bool                `yaml:"consumeOnly"`    // queue: clients do not send to it
	DedupWindow     DedupWindow         `yaml:"dedupWindow"`
	DeadLetter      string              `yaml:"deadLetter"`  // the queue for dead messages; none drops them
	Expiry          string              `yaml:"expiry"`      // the queue for expired messages; none drops them
	Home            string              `yaml:"home"`        // queue, topic: the id of the router that stores it for the network; none is here, for here
	Waypoint        Waypoint            `yaml:"waypoint"`    // anycast: brokers that store what is sent to it
	EgressPhase     int                 `yaml:"egressPhase"` // anycast: the phase that clients receive from; what they send is in phase 0
	Fallback        bool                `yaml:"fallback"`    // anycast: what nobody wants goes to those who receive as its fallback
	Priority        addressing.Priority `yaml:"priority"`    // on the links between routers, 0 to 9; none is that of each message
	Label           string              `yaml:"label"`       // what tools call the declaration; none is by its name
	Written         string              `yaml:"written"`     // the prefix or pattern as tools tell it, where they write the name otherwise
	Unavailable     bool                `yaml:"unavailable"` // whether links to it are refused, as if it were not declared
}

// Consumers bounds who receives from a queue.
type Consumers struct {
	Max          int  `yaml:"max"`          // at once; 0 is no limit
	SingleActive bool `yaml:"singleActive"` // one gets everything until it leaves
	Exclusive    bool `yaml:"exclusive"`    // who consumes lets nobody in beside him
}

// DedupWindow is which message-ids are remembered, so that a message that is sent again is not stored again.
type DedupWindow struct {
	Messages int           `yaml:"messages"` // the last so many; 0 is none
	Time     time.Duration `yaml:"time"`     // for so long; 0 is no bound
}

// TTL bounds how long stored messages live; 0 is no bound.
type TTL struct {
	Default time.Duration `yaml:"default"` // of a message that does not say itself
	Min     time.Duration `yaml:"min"`     // of one that does
	Max     time.Duration `yaml:"max"`     // of every message
}

// RedeliveryDelay is how long a message waits after a failed delivery.
type RedeliveryDelay struct {
	Initial    time.Duration `yaml:"initial"`    // after the first one
	Multiplier float64       `yaml:"multiplier"` // how many times as long after each further one; 0 is 1
	Max        time.Duration `yaml:"max"`        // at most; 0 is no bound
}

// Definition gives the declaration in the words of package addressing.
func (a *Address) Definition() addressing.Definition {
	egress := uint8(a.EgressPhase)
	if len(a.Waypoint.Connectors) > 0 {
		egress = network.WaypointEgress
	}
	return addressing.Definition{
		Name:           a.Name,
		Kind:           a.Kind,
		Distribution:   a.Distribution,
		Unavailable:    a.Unavailable,
		Egress:         egress,
		Fallback:       a.Fallback,
		Priority:       a.Priority,
		MaxMessageSize: int64(a.MaxMessageSize),
		Queue: addressing.QueueSettings{
			MaxMessages: a.MaxMessages, MaxBytes: int64(a.MaxBytes), Overflow: a.Overflow,
			MaxConsumers: a.Consumers.Max, SingleActive: a.Consumers.SingleActive, Exclusive: a.Consumers.Exclusive,
			Groups: a.Groups, LastValueKey: a.LastValueKey, NonDestructive: a.NonDestructive,
			ConsumeOnly: a.ConsumeOnly, Dedup: addressing.Dedup(a.DedupWindow),
			TTL: addressing.TTL(a.TTL), Redelivery: addressing.Backoff(a.RedeliveryDelay),
			MaxDeliveries: a.MaxDeliveries,
			DeadLetter:    addressing.Address(a.DeadLetter), Expiry: addressing.Address(a.Expiry),
		},
	}
}
