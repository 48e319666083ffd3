package network

import (
	"cmp"
	"slices"
)

// Downlink is the link on which an edge router gets what is for it by its name.
type Downlink struct {
	Edge       string // its id
	Connection uint64 // NeighborStatus.ID
}

// Downlinks tells which edge routers have one here, in the order of their ids.
func (n *Network) Downlinks() (all []Downlink) {
	if n.config.Mesh == nil || n.config.Mesh.isEdge() {
		return nil
	}
	for name, k := range *n.config.Mesh.hub.down.Load() {
		all = append(all, Downlink{Edge: name, Connection: k.number})
	}
	slices.SortFunc(all, func(a, b Downlink) int { return cmp.Compare(a.Edge, b.Edge) })
	return all
}
