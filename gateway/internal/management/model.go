package management

import (
	"context"
	"iter"

	"github.com/manifoldmq/manifold/tenancy/vhost"
)

// Model is what one tenant's entities are, and how they change. What it lists is in an order that stays, so that it can be
// asked for page by page; offset leaves the first ones out. Its errors are a *router.Error where a client may be told.
type Model interface {
	Router() Router
	Policy() Policy
	Listeners() []Listener
	// Listen opens a listener of AMQP that lasts as long as the process, and Close closes one. A Conflict is a name that
	// there is already.
	Listen(ctx context.Context, l Listener) (Listener, error)
	Close(ctx context.Context, name string) error
	Pools() []Pool
	// AddSSLProfile declares one that lasts as long as the process. A Conflict is a name that there is already.
	SSLProfiles() []SSLProfile
	AddSSLProfile(ctx context.Context, p SSLProfile) (SSLProfile, error)
	RemoveSSLProfile(ctx context.Context, name string) error

	// Logs has the module DEFAULT at least. ChangeLog has one be written otherwise, for the life of the process.
	// VirtualHosts are those of the policy; what is declared of them lasts as long as the process. Errors are those of package
	// vhost, too.
	VirtualHosts() []vhost.Host
	VirtualHostStats() []vhost.Stats
	DeclareVirtualHost(ctx context.Context, h vhost.Host) error
	RedeclareVirtualHost(ctx context.Context, h vhost.Host) error
	WithdrawVirtualHost(ctx context.Context, name string) error

	Logs() []Log
	ChangeLog(ctx context.Context, l Log) (Log, error)
	LogStats() []LogStats
	// Records gives the latest entries of the log, the oldest first, so many at most.
	Records(most int) []Record

	Connections(offset int) iter.Seq[Connection]
	Connection(identity string) (Connection, bool)
	// Dismiss has a connection closed.
	Dismiss(ctx context.Context, identity string) error
	// Trace has what is said on a connection logged, or not logged, whatever else is.
	Trace(ctx context.Context, identity string, shown bool) error

	Links(offset int) iter.Seq[Link]
	Link(identity string) (Link, bool)

	Addresses(offset int) iter.Seq[Address]
	Address(key string) (Address, bool)

	// Declarations are of addresses, those of the configuration file first; one is found by its filter or its name.
	Declarations(offset int) iter.Seq[Declaration]
	Declaration(id string) (Declaration, bool)
	// Declare adds the declaration of an address, which has to be new, Redeclare changes one, and Withdraw takes one away.
	// When they return nil that holds from now on, and is on disk. They judge whether it is valid.
	Declare(ctx context.Context, d Declaration) error
	Redeclare(ctx context.Context, d Declaration) error
	Withdraw(ctx context.Context, filter string) error

	Network
	Caller
}

// Network is what a tenant sees of the connections to other routers and brokers, and of what goes over them. What is made
// here is there as long as the process is. A Conflict is a name that there is already.
type Network interface {
	// Nodes are the routers of the network, this one first; none where it stands alone.
	Nodes() []Node

	Connectors() []Connector
	Connect(ctx context.Context, c Connector) (Connector, error)
	Disconnect(ctx context.Context, identity string) error

	AutoLinks() []AutoLink
	AddAutoLink(ctx context.Context, l AutoLink) (AutoLink, error)
	RemoveAutoLink(ctx context.Context, identity string) error

	LinkRoutes() []LinkRoute
	AddLinkRoute(ctx context.Context, r LinkRoute) (LinkRoute, error)
	RemoveLinkRoute(ctx context.Context, identity string) error
}

// Names are what every entity is known by; either is its own among those of its type.
type Names struct {
	Name     string `about:"What people call it." set:"create"`
	Identity string `about:"What tells it from all others."`
}

func (n Names) is(id string) bool { return n.Name == id || n.Identity == id }

// named is an entity.
type named interface{ is(id string) bool }

// slice gives what a Model has all at once.
func slice[E any](all []E, offset int) iter.Seq[E] {
	return func(yield func(E) bool) {
		for _, e := range all[min(offset, len(all)):] {
			if !yield(e) {
				return
			}
		}
	}
}
