package network

import (
	"context"
	"sync"
)

// Network is all connectors and their links. Its methods may be called from any goroutine.
type Network struct {
	config     Config
	connectors []*connector
}

// New gives a network without links. The limits of each connector must be valid.
func New(c Config) *Network {
	if c.Dial == nil {
		c.Dial = dialTCP
	}
	n := &Network{config: c}
	for _, declared := range c.Connectors {
		n.connectors = append(n.connectors, newConnector(n, declared))
	}
	return n
}

// Define has these links be there in the place of those before; one that stays is not disturbed. A link of a connector that
// there is not is left out.
func (n *Network) Define(links []AutoLink) {
	for _, c := range n.connectors {
		its := make(map[AutoLink]bool)
		for _, l := range links {
			if l.Connector == c.Name {
				its[l] = true
			}
		}
		c.define(its)
	}
}

// Run keeps the connections until ctx ends. Then what is on its way gets the driver's drain timeout to end, and each broker
// is told goodbye. It returns when nothing is left.
func (n *Network) Run(ctx context.Context) error {
	var running sync.WaitGroup
	for _, c := range n.connectors {
		running.Go(func() { c.run(ctx) })
	}
	running.Wait()
	return nil
}
