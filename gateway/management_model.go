package gateway

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net"
	"os"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/audit"
	"github.com/manifoldmq/manifold/gateway/internal/declared"
	"github.com/manifoldmq/manifold/gateway/internal/management"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// managedTenant is a tenant as package management asks about it, on behalf of one of its users.
type managedTenant struct {
	*assembly
	name    string
	tenant  *tenancy.Tenant // as it is declared now
	asker   *tenancy.Principal
	doors   []door
	started time.Time
}

var _ management.Model = (*managedTenant)(nil)

// modelOf gives the tenants of those who ask.
func (a *assembly) modelOf(doors []door) func(*tenancy.Principal) management.Model {
	started := time.Now()
	return func(p *tenancy.Principal) management.Model {
		t, ok := a.directory.Lookup(p.Tenant.Name)
		if !ok { // it has just been taken away
			t = &tenancy.Tenant{Name: p.Tenant.Name, Addresses: new(addressing.Space)}
		}
		return &managedTenant{assembly: a, name: t.Name, tenant: t, asker: p, doors: doors, started: started}
	}
}

// Router implements management.Model.
func (m *managedTenant) Router() management.Router {
	id := containerID()
	host, _ := os.Hostname()
	r := management.Router{
		Names: management.Names{Name: "router/" + id, Identity: "router/" + id},
		ID:    id, Mode: "standalone", Area: "0", Version: version(), HostName: host, Metadata: "tenant " + m.name,
		WorkerThreads: runtime.GOMAXPROCS(0), DefaultDistribution: "unavailable",
		AddrCount: m.tenant.Addresses.Len(), ConnectionCount: m.directory.Present(m.name),
		UptimeSeconds: int(time.Since(m.started).Seconds()),
	}
	counters := m.router.Counters(m.name)
	for kind := range addressing.Topic + 1 {
		c := counters.Kind(kind)
		r.AcceptedDeliveries += c.Ended(router.Accepted)
		r.ReleasedDeliveries += c.Ended(router.Released)
		r.RejectedDeliveries += c.Ended(router.Rejected)
		r.ModifiedDeliveries += c.Ended(router.Modified)
		r.DeliveriesEgress += c.Delivered()
		r.DroppedPresettledDeliveries += c.Dropped()
	}
	r.DeliveriesIngress = r.AcceptedDeliveries + r.ReleasedDeliveries + r.RejectedDeliveries + r.ModifiedDeliveries
	for l := range m.links(0) {
		r.LinkCount++
		r.PresettledDeliveries += l.Presettled
	}
	if m.isOperators() {
		r.MemoryUsage = new(int(memoryInUse()))
	}
	return r
}

// isOperators tells whether the tenant is the one of those who run the gateway: what is about the whole process is told
// there only.
func (m *managedTenant) isOperators() bool { return m.name == tenancy.DefaultTenant }

// memoryClasses is what the runtime says about its memory.
func memoryClasses() map[string]uint64 {
	const classes = "/memory/classes/"
	var samples []metrics.Sample
	for _, d := range metrics.All() {
		if strings.HasPrefix(d.Name, classes) {
			samples = append(samples, metrics.Sample{Name: d.Name})
		}
	}
	metrics.Read(samples)
	bytes := make(map[string]uint64, len(samples))
	for _, s := range samples {
		bytes[strings.TrimSuffix(strings.TrimPrefix(s.Name, classes), ":bytes")] = s.Value.Uint64()
	}
	return bytes
}

// memoryInUse is what the process holds and has not given back, in bytes.
func memoryInUse() uint64 {
	classes := memoryClasses()
	return classes["total"] - classes["heap/released"]
}

// Pools implements management.Model.
func (m *managedTenant) Pools() (all []management.Pool) {
	if !m.isOperators() {
		return nil
	}
	classes := memoryClasses()
	delete(classes, "total") // is the sum, and includes
	delete(classes, "heap/released")
	for _, name := range slices.Sorted(maps.Keys(classes)) {
		identity := "allocator/" + name
		all = append(all, management.Pool{
			Names: management.Names{Name: identity, Identity: identity}, TypeName: name,
			TypeSize: 1, TotalAllocFromHeap: classes[name], HeldByThreads: classes[name],
		})
	}
	return all
}

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
	return p
}

// Listeners implements management.Model.
func (m *managedTenant) Listeners() (all []management.Listener) {
	for _, d := range m.doors {
		host, port, _ := net.SplitHostPort(d.addr().String())
		protocol, secured := spokenAt(d.name)
		identity := "listener/" + d.name
		l := management.Listener{
			Names: management.Names{Name: identity, Identity: identity},
			Host:  host, Port: port, Protocol: protocol, Role: "normal", Cost: 1, OperStatus: "up",
			AuthenticatePeer: !m.tenant.Anonymous, RequireEncryption: secured, RequireSSL: secured, MultiTenant: true,
			HTTP: protocol == "http", Websockets: protocol == "http" || protocol == "ws", StripAnnotations: "no",
			LinkCapacity: m.config.Limits.LinkCredit,
		}
		if protocol == "amqp" {
			c := &m.config.AMQP
			l.MaxFrameSize, l.MaxSessions = int(c.MaxFrameSize), c.ChannelMax+1
			l.IdleTimeoutSeconds = int(c.IdleTimeout.Seconds())
			l.InitialHandshakeTimeoutSeconds = int(c.HandshakeTimeout.Seconds())
			l.SASLMechanisms = strings.Join(m.directory.Mechanisms(tenancy.Visitor{Tenant: m.name, Private: secured}), " ")
		}
		all = append(all, l)
	}
	return all
}

// spokenAt gives what is spoken at a door by its name, and whether over TLS.
func spokenAt(door string) (protocol string, secured bool) {
	base, transport, _ := strings.Cut(door, "+")
	protocol, secured = strings.CutSuffix(base, "s")
	if transport != "" {
		protocol += "+" + transport
	}
	return protocol, secured
}

// Declarations implements management.Model.
func (m *managedTenant) Declarations(offset int) iter.Seq[management.Declaration] {
	return func(yield func(management.Declaration) bool) {
		for def := range m.tenant.Addresses.All() {
			if offset--; offset < 0 && !yield(declarationOf(def)) {
				return
			}
		}
	}
}

// Declaration implements management.Model.
func (m *managedTenant) Declaration(filter string) (d management.Declaration, ok bool) {
	if def, ok := m.definition(filter); ok {
		return declarationOf(def), true
	}
	return d, false
}

// definition finds a definition by its name.
func (m *managedTenant) definition(filter string) (*addressing.Definition, bool) {
	f, err := addressing.ParseFilter(filter)
	if err != nil {
		return nil, false
	}
	for def := range m.tenant.Addresses.Overlapping(f) {
		if def.Name == f {
			return def, true
		}
	}
	return nil, false
}

// declarationOf gives a definition in the words of package management.
func declarationOf(def *addressing.Definition) management.Declaration {
	d := management.NewDeclaration(def.Name, def.Kind, def.Distribution)
	d.MaxMessageSize, d.MaxMessages, d.MaxBytes = int(def.MaxMessageSize), int(def.Queue.MaxMessages), int(def.Queue.MaxBytes)
	d.MaxDeliveries, d.DeadLetter = def.Queue.MaxDeliveries, string(def.Queue.DeadLetter)
	return d
}

// addressList is the list of a tenant in which its addresses are declared.
const addressList = "addresses"

// Declare implements management.Model.
func (m *managedTenant) Declare(_ context.Context, d management.Declaration) error {
	return m.put(d, config.Address{}, declared.Terms{Match: declared.None, Within: true})
}

// Redeclare implements management.Model: settings that a declaration does not have stay as they are.
func (m *managedTenant) Redeclare(_ context.Context, d management.Declaration) error {
	t, ok := m.book.Lookup(m.name)
	if !ok {
		return refused(declared.ErrNotFound)
	}
	i, ok := t.Items(addressList).Find(d.Name)
	if !ok {
		return refused(declared.ErrNotFound)
	}
	return m.put(d, t.Addresses[i], declared.Terms{Match: "*", Within: true})
}

// put declares an address as it was, but for what a declaration says.
func (m *managedTenant) put(d management.Declaration, a config.Address, terms declared.Terms) error {
	kind, distribution, err := d.Form()
	if err != nil {
		return err
	}
	if a.Name, err = addressing.ParseFilter(d.Name); err != nil {
		return router.Errorf(router.Malformed, "%v", err)
	}
	a.Kind, a.Distribution = kind, distribution
	a.MaxMessageSize, a.MaxMessages, a.MaxBytes = config.Size(d.MaxMessageSize), int64(d.MaxMessages), config.Size(d.MaxBytes)
	a.MaxDeliveries, a.DeadLetter = d.MaxDeliveries, d.DeadLetter
	changes, err := m.book.PutItem(m.name, addressList, d.Name, &a, config.Draft{}, terms)
	return m.changed(changes, err)
}

// Withdraw implements management.Model.
func (m *managedTenant) Withdraw(_ context.Context, filter string) error {
	changes, err := m.book.DeleteItem(m.name, addressList, filter, declared.Terms{Match: "*", Within: true})
	return m.changed(changes, err)
}

// changed records what has been declared, or tells why nothing has.
func (m *managedTenant) changed(changes []declared.Difference, err error) error {
	if err == nil {
		m.recordChanges(m.who(), changes)
	}
	return refused(err)
}

// who is an event that tells who asks.
func (m *managedTenant) who() audit.Event {
	e := audit.Event{User: m.asker.User, Client: m.asker.Client}
	if v, ok := m.directory.Visit(m.name, m.asker.Visit()); ok {
		e.Protocol, e.Address = v.Protocol(), v.Address().String()
	}
	return e
}

// refused gives an error of a change with its reason.
func refused(err error) error {
	invalid, isInvalid := errors.AsType[*declared.Invalid](err)
	switch {
	case err == nil:
		return nil
	case isInvalid:
		return router.Errorf(router.Malformed, "%s", invalid.Problems.Paths())
	case errors.Is(err, declared.ErrNotFound):
		return router.Errorf(router.NotFound, "%v", err)
	case errors.Is(err, declared.ErrStale):
		return router.Errorf(router.Conflict, "it is declared already, or has just been changed")
	case errors.Is(err, declared.ErrFile):
		return router.Errorf(router.Denied, "%v", err)
	}
	return fmt.Errorf("declare: %w", err)
}
