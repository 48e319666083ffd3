package gateway

import (
	"cmp"
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
		ID:    id, Mode: m.mode(), Area: "0", Version: version(), HostName: host, Metadata: cmp.Or(m.config.Network.Metadata, "tenant "+m.name),
		WorkerThreads: runtime.GOMAXPROCS(0), DefaultDistribution: m.defaultDistribution(),
		AddrCount: count(m.Addresses(0)), ConnectionCount: m.directory.Present(m.name) + len(m.connectionsMade()),
		AutoLinkCount: len(m.AutoLinks()), LinkRouteCount: len(m.LinkRoutes()),
		NodeCount:     max(0, len(m.Nodes())-1),
		UptimeSeconds: int(time.Since(m.started).Seconds()),
	}
	counters := m.router.Counters(m.name)
	for kind := range addressing.Topic + 1 {
		countMessages(&r, counters.Kind(kind))
	}
	routed := m.network.RoutedTotals(m.name)
	r.DeliveriesIngress += routed.Came
	r.DeliveriesEgress += routed.Went
	r.DeliveriesTransit += routed.Onward
	for l := range m.links() {
		r.LinkCount++
		r.DeliveriesStuck += uint64(l.Stuck)
		if l.Dry >= blockedAfter && !l.Way {
			r.LinksBlocked++
		}
	}
	r.BlockedLinkCount = r.LinksBlocked
	if m.isOperators() {
		r.MemoryUsage = new(int(memoryInUse()))
	}
	return r
}

// blockedAfter is for how many seconds a link has had no credit that is blocked.
const blockedAfter = 10

// countMessages adds the messages of one kind of address.
func countMessages(r *management.Router, c *router.KindCounters) {
	r.AcceptedDeliveries += c.Asked(router.Accepted)
	r.ReleasedDeliveries += c.Asked(router.Released)
	r.RejectedDeliveries += c.Asked(router.Rejected)
	r.ModifiedDeliveries += c.Asked(router.Modified)
	r.PresettledDeliveries += c.Presettled()
	r.DroppedPresettledDeliveries += c.Lost() + c.Dropped()
	r.DeliveriesRedirectedToFallback += c.Redirected()
	one, ten := c.Delayed()
	r.DeliveriesDelayed1Sec += one
	r.DeliveriesDelayed10Sec += ten
	came, fromContainers := c.Came()
	r.DeliveriesIngress += came
	r.DeliveriesIngressRouteContainer += fromContainers
	onward := c.Onward()
	r.DeliveriesTransit += onward
	r.DeliveriesEgressRouteContainer += c.Supplied()
	r.DeliveriesEgress += c.Delivered() - onward
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
