package gateway

import (
	"iter"
	"maps"
	"os"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/addressing"
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
	id := m.routerID()
	host, _ := os.Hostname()
	r := management.Router{
		Names: management.Names{Name: "router/" + id, Identity: "router/" + id},
		ID:    id, Mode: m.mode(), Area: "0", Version: version(), HostName: host, Metadata: "tenant " + m.name,
		WorkerThreads: runtime.GOMAXPROCS(0), DefaultDistribution: m.defaultDistribution(),
		AddrCount: count(m.Addresses(0)), ConnectionCount: m.directory.Present(m.name) + len(m.connectionsMade()),
		AutoLinkCount: len(m.AutoLinks()), LinkRouteCount: len(m.LinkRoutes()),
		NodeCount:     max(0, len(m.Nodes())-1),
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
	for l := range m.links() {
		r.LinkCount++
		r.PresettledDeliveries += l.Presettled
	}
	if m.isOperators() {
		r.MemoryUsage = new(int(memoryInUse()))
	}
	return r
}

// count is how many there are.
func count[E any](all iter.Seq[E]) (n int) {
	for range all {
		n++
	}
	return n
}

// mode is the gateway's part in a network of routers.
func (m *managedTenant) mode() string {
	if r := &m.config.Network.Router; r.ID != "" {
		return r.Mode
	}
	return "standalone"
}

// isOperators tells whether the tenant is the one of those who run the gateway: what is about the whole process is told
// there only.
func (m *managedTenant) isOperators() bool { return m.name == tenancy.DefaultTenant }

// reachesOut refuses to anybody else what reaches beyond his tenant, as the admin API does: doors of the process, and
// connections on which the gateway itself is who is let in.
func (m *managedTenant) reachesOut(what string) error {
	if m.isOperators() {
		return nil
	}
	return router.Errorf(router.Denied, "%s are of the tenant that runs the gateway", what)
}

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
