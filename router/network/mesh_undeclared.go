package network

import (
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// definitionOf gives what an address is that nobody has declared here, by what the other routers say of it.
func definitionOf(f addressing.Filter, hint protocol.Treatment) *addressing.Definition {
	d := &addressing.Definition{Name: f, Kind: addressing.Anycast}
	switch hint {
	case protocol.Multicast:
		d.Kind = addressing.Broadcast
	case protocol.Closest:
		d.Distribution = addressing.Closest
	}
	return d
}
