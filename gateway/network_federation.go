package gateway

import "github.com/manifoldmq/manifold/router/network"

// newFederation gives the links to other networks, which the store tells what is subscribed to.
func (a *assembly) newFederation() *network.Federation {
	var links []network.FederationLink
	for i := range a.config.Network.Federation {
		links = append(links, a.config.Network.Federation[i].Link())
	}
	return network.NewFederation(a.containerID(), links...)
}
