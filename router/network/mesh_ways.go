package network

import (
	"maps"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// wayKey names a way: from the node of an address to a neighbour.
type wayKey struct {
	address  protocol.Key
	neighbor string
}

// needWay has a way be there, or not any more.
func (m *Mesh) needWay(k wayKey, needed bool) {
	w, known := m.ways[k]
	switch {
	case needed && !known:
		m.ways[k] = m.openWay(k)
	case !needed && known:
		delete(m.ways, k)
		if w != nil {
			w.leave()
		}
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
	for k, w := range m.ways {
		if k.neighbor != router {
			continue
		}
		if w != nil {
			w.leave()
		}
		m.ways[k] = m.openWay(k)
	}
}

// path gives the connection to a neighbour; nil for none. It may be called from any goroutine.
func (m *Mesh) path(router string) *neighbor { return (*m.paths.Load())[router] }
