package gateway

import (
	"cmp"
	"fmt"

	"github.com/manifoldmq/manifold/router/network"
	"github.com/manifoldmq/manifold/router/transport"
)

// openNetwork makes the connections to other brokers. They begin with the doors, and end when those have drained.
func (a *assembly) openNetwork() error {
	n := &a.config.Network
	c := network.Config{
		Router:    a.router.Through("amqp"),
		Directory: a.directory,
		Driver: transport.NewDriver(transport.Options{
			DrainTimeout: a.config.DrainTimeout,
			WriteTimeout: n.WriteTimeout,
			Errands:      &a.relays,
		}),
		ContainerID: cmp.Or(n.ContainerID, containerID()),
		Version:     version(),
		Federation:  a.federation,
		Log:         a.log,
		Frames:      a.frames,

		Mesh: a.mesh, ContainerLimits: n.Limits(), NoResumable: !n.ResumableLinks, AsDispatch: a.isDispatch(),
	}
	for i := range n.Connectors {
		declared, err := n.Connectors[i].Connector(n.Limits())
		if err != nil {
			return fmt.Errorf("connector %q: %w", n.Connectors[i].Name, err)
		}
		c.Connectors = append(c.Connectors, declared)
	}
	a.network = network.New(c)
	a.autoLinks = newNetworkLinks(a.network, n.AutoLinks, a.config.Tenants)
	a.linkRoutes = newLinkRoutes(a.network, n.LinkRoutes)
	a.chores = append(a.chores, a.network.Run)
	return nil
}
