package routing

import "github.com/manifoldmq/manifold/router/network/internal/topology"

// Known is what a router shows of another one, for people.
type Known struct {
	Router    string
	Version   int64 // of the protocol
	Instance  int64
	Peers     []topology.Edge // its neighbours, as it said; not to be changed
	Neighbor  bool
	Link      LinkID // where it is a neighbour
	Addresses int    // with consumers there
}

// Known lists what is known of the other routers, in the order of their ids, also of those out of reach.
func (n *Node) Known() []Known {
	list := make([]Known, len(n.remotes))
	for i, r := range n.remotes {
		list[i] = Known{
			Router: r.id, Version: r.version, Instance: r.instance, Peers: r.peers, Addresses: len(r.addresses),
		}
		if r.link != nil {
			list[i].Neighbor, list[i].Link = true, r.link.id
		}
	}
	return list
}
