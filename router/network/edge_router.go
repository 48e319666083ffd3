package network

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/network/internal/edge"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/tenancy"
)

// fringe is what the goroutine of a Mesh has that is an edge router: its uplinks, the links over the one in use, and the
// ways up from the nodes of addresses.
type fringe struct {
	mesh    *Mesh
	router  *edge.Router
	uplinks map[edge.UplinkID]*neighbor
	links   map[edge.LinkID]spur // over the uplink in use
	roads   map[protocol.Key]*uplinkWay
	here    map[protocol.Key]bool // addresses with consumers at this router

	active atomic.Pointer[neighbor] // the uplink in use, for everybody; nil for none
}

// spur is our end of a link for one address over an edge connection.
type spur interface {
	trunk
	unfinished() int // deliveries that are under way
	leave()          // has it end when there are none
}

func newFringe(m *Mesh) *fringe {
	return &fringe{
		mesh:    m,
		router:  edge.New(edge.Times{}),
		uplinks: make(map[edge.UplinkID]*neighbor),
		links:   make(map[edge.LinkID]spur),
		roads:   make(map[protocol.Key]*uplinkWay),
		here:    make(map[protocol.Key]bool),
	}
}

// isEdge tells whether this router is an edge router.
func (m *Mesh) isEdge() bool { return m.fringe != nil }

// consumers notes that the first consumer of an address came, or that the last one went.
func (f *fringe) consumers(a protocol.Address, there bool, now time.Time) {
	if strings.HasPrefix(a.Key.Name(), homeRoot) { // where nobody looks for an edge router
		return
	}
	n := 0
	if there {
		f.here[a.Key], n = true, 1
	} else {
		delete(f.here, a.Key)
	}
	for _, key := range rivals(a.Key) {
		if w := f.roads[key]; w != nil {
			w.rivalled.Store(f.serves(key))
		}
	}
	f.router.Consumers(a, n, now)
}

// rivals gives the addresses whose messages may go to the consumers of one: those of the fallback may get what is sent at any phase.
func rivals(key protocol.Key) []protocol.Key {
	keys := []protocol.Key{key}
	if key.Phase() == addressing.Fallback {
		for phase := range addressing.LastPhase + 1 {
			keys = append(keys, protocol.MobileKey(phase, key.Name()))
		}
	}
	return keys
}

// serves tells whether there are consumers at this router for what is sent to an address, also as its fallback.
func (f *fringe) serves(key protocol.Key) bool {
	if f.here[key] {
		return true
	}
	def, ok := f.mesh.definition(key)
	return ok && def.Fallback && f.here[protocol.MobileKey(addressing.Fallback, key.Name())]
}

// opened notes that a connection to an interior router is open.
func (f *fringe) opened(k *neighbor, now time.Time) {
	id := edge.UplinkID(k.id)
	f.uplinks[id] = k
	f.router.Opened(id, now)
}

// lost notes that such a connection has ended.
func (f *fringe) lost(k *neighbor, now time.Time) {
	id := edge.UplinkID(k.id)
	f.router.Lost(id, now)
	f.follow()
	delete(f.uplinks, id)
}

// follow does what the edge router's links ask for.
func (f *fringe) follow() {
	for {
		a, ok := f.router.NextAction()
		if !ok {
			return
		}
		f.do(a)
	}
}

func (f *fringe) do(a edge.Action) {
	switch a.Kind {
	case edge.Activate:
		k := f.uplinks[a.Uplink]
		f.active.Store(k)
		f.mesh.log.Info("uplink in use", "host", k.host, "interior", k.container)
		k.mail.orders.Put(k.activate)
	case edge.Deactivate:
		f.active.Store(nil)
		clear(f.links)
	case edge.Attach:
		f.attach(a)
	case edge.Detach:
		if s := f.links[a.Link]; s != nil {
			k := f.active.Load()
			k.mail.orders.Put(s.leave)
		}
		delete(f.links, a.Link)
	case edge.Ask:
		k := f.active.Load()
		k.mail.orders.Put(func() { k.request(a.Request) })
	case edge.Lead:
		f.lead(a)
	}
}

// attach has a link for an address be attached.
func (f *fringe) attach(a edge.Action) {
	k := f.active.Load()
	var s spur
	if a.Direction == edge.Send {
		s = &spurOut{lane: lane{neighbor: k}, number: a.Link}
	} else {
		s = k.newSpurIn(a.Address.Key, a.Link)
	}
	f.links[a.Link] = s
	egress := f.mesh.egress(a.Address.Key)
	k.mail.orders.Put(func() { k.attachSpur(s, a.Direction, a.Address.Key, egress) })
}

// lead has the messages of an address that are sent here take a road. A way for many changes its road without being gone for
// a moment, or being there twice.
func (f *fringe) lead(a edge.Action) {
	key := a.Address.Key
	former := f.roads[key]
	if a.Road != edge.Nowhere {
		k := f.active.Load()
		var l *lane // none: that to all addresses
		if out, ok := f.links[a.Link].(*spurOut); ok && a.Road == edge.Link {
			l = &out.lane
		}
		if former != nil && former.many {
			former.road.Store(l)
			former.receiver.Retry()
			return
		}
		f.roads[key] = f.openRoad(a, k, l)
	} else {
		delete(f.roads, key)
	}
	if former != nil {
		former.leave()
	}
}

// openRoad opens a way on a lane; it is nil if there can be none.
func (f *fringe) openRoad(a edge.Action, k *neighbor, l *lane) *uplinkWay {
	many := a.Address.Treatment == protocol.Multicast
	w := &uplinkWay{many: many, stored: f.mesh.isStored(a.Address.Key)}
	w.road.Store(l)
	w.rivalled.Store(f.serves(a.Address.Key))
	if err := w.open(f.mesh, k, nil, a.Address.Key, w, a.Address.Treatment); err != nil {
		f.mesh.log.Debug("no way up for an address", "address", a.Address.Key, "err", err)
		return nil
	}
	w.use()
	return w
}

// egress gives the phase at which clients receive from an address.
func (m *Mesh) egress(key protocol.Key) uint8 {
	def, ok := m.definition(key)
	if !ok {
		return 0
	}
	return def.ConsumerPhase()
}

// priority gives that of an address on the links between routers.
func (m *Mesh) priority(key protocol.Key) addressing.Priority {
	def, ok := m.definition(key)
	if !ok {
		return addressing.OfMessage
	}
	return def.Priority
}

// isStored tells whether another router stores what is sent to an address: then there is always somebody.
func (m *Mesh) isStored(key protocol.Key) bool {
	def, ok := m.definition(key)
	return ok && def.Home == addressing.Elsewhere
}

// definition finds that of an address.
func (m *Mesh) definition(key protocol.Key) (*addressing.Definition, bool) {
	name, filter, _, ok := m.config.Reach.keys.Split(key)
	a, literal := filter.Literal()
	tenant, known := m.network.config.Directory.Lookup(name)
	if !ok || !literal || !known {
		return nil, false
	}
	return tenant.Addresses.Lookup(a)
}

// uplinkWay leads from the node of an address at an edge router up into the network.
type uplinkWay struct {
	way
	road     atomic.Pointer[lane] // nil as long as it is not known whether there is anybody
	many     bool                 // each message goes up, as of a broadcast address
	stored   bool                 // by another router, so that there is somebody
	rivalled atomic.Bool          // there are consumers at this router, so that there is no need to try whether there are others
}

var _ router.Probe = (*uplinkWay)(nil)

// Deliver implements router.Consumer.
func (w *uplinkWay) Deliver(r *router.Receiver, d router.Delivery) { w.DeliverAfter(nil, r, d) }

// DeliverAfter implements router.Way.
func (w *uplinkWay) DeliverAfter(leader *router.Stream, _ *router.Receiver, d router.Delivery) {
	w.neighbor.post(parcel{delivery: d, after: leader, way: &w.way, lane: w.road.Load(), to: w.keyOf(d.To)})
}

// Leads implements router.Way: what has come down does not go up again, and what has a consumer here goes up only where that
// is known to be of use.
func (w *uplinkWay) Leads(d router.Delivery) (cost int64, ok bool) {
	return 1, d.Route == nil && (w.many || !w.Probes() || !w.rivalled.Load())
}

// Probes implements router.Probe.
func (w *uplinkWay) Probes() bool { return !w.stored && w.road.Load() == nil }

// tenantOf gives the tenant that a key belongs to.
func (m *Mesh) tenantOf(key protocol.Key) (*tenancy.Tenant, addressing.Filter, uint8, error) {
	name, filter, phase, ok := m.config.Reach.keys.Split(key)
	if !ok {
		return nil, filter, 0, router.Errorf(router.NotFound, "it is no address of ours")
	}
	tenant, ok := m.network.config.Directory.Lookup(name)
	if !ok {
		return nil, filter, 0, router.Errorf(router.NotFound, "there is no tenant %q", name)
	}
	return tenant, filter, phase, nil
}
