package network

import (
	"maps"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// wayKey names a way: from the node of an address to a neighbour.
type wayKey struct {
	address  protocol.Key
	neighbor string
}

var _ warden = (*Mesh)(nil)

// open implements warden.
func (m *Mesh) open(k wayKey) {
	if _, known := m.ways[k]; known {
		return
	}
	m.ways[k] = m.openWay(k)
	if m.hub != nil {
		m.hub.leads(k.address, true)
	}
}

// leads implements warden.
func (m *Mesh) leads(k wayKey) {
	if w := m.ways[k]; w != nil {
		w.use()
	}
}

// close implements warden.
func (m *Mesh) close(k wayKey) {
	if w := m.ways[k]; w != nil {
		w.leave()
	}
	delete(m.ways, k)
	if m.hub != nil {
		m.hub.leads(k.address, false)
	}
}

// replace opens a way anew, before the one that is there ends.
func (m *Mesh) replace(k wayKey) {
	former := m.ways[k]
	m.ways[k] = m.openWay(k)
	m.leads(k)
	if former != nil {
		former.leave()
	}
}

// openWay opens a way, if there is a connection for it; nil otherwise.
func (m *Mesh) openWay(k wayKey) *way {
	n := m.hops[k.neighbor]
	if n == nil {
		return nil
	}
	w, err := newWay(m, n, k)
	if err != nil {
		m.log.Debug("no way to a neighbour", "address", k.address, "neighbor", k.neighbor, "err", err)
		return nil
	}
	return w
}

// met has the ways to a neighbour use a connection, nil for none.
func (m *Mesh) met(router string, n *neighbor) {
	if m.hops[router] == n {
		return
	}
	if m.hops[router] = n; n == nil {
		delete(m.hops, router)
	}
	paths := maps.Clone(m.hops)
	m.paths.Store(&paths)
	for k := range m.ways {
		if k.neighbor == router {
			m.replace(k)
		}
	}
}

// path gives the connection to a neighbour; nil for none. It may be called from any goroutine.
func (m *Mesh) path(router string) *neighbor { return (*m.paths.Load())[router] }

// Redefine looks anew at what addresses are here, when that has been declared otherwise. It never blocks.
func (m *Mesh) Redefine() {
	m.era.Add(1)
	m.inputs.Put(func(time.Time) {
		for k, w := range m.ways {
			if w == nil || !m.isStill(w) {
				m.replace(k)
			}
		}
	})
}

// isStill tells whether the address of a way is what it was when the way was opened.
func (m *Mesh) isStill(w *way) bool {
	t, ok := m.network.config.Directory.Lookup(w.tenant)
	if !ok {
		return false
	}
	a, literal := w.receiver.Source().Filter.Literal()
	is := m.network.config.Router.KindOf(insider(t), a)
	return !literal || (is == addressing.AnyKind || is == w.receiver.Kind()) && m.priority(w.address) == w.priority
}
