package network

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/manifoldmq/manifold/tenancy/register"
)

// Network is all connectors and their links. Its methods may be called from any goroutine.
type Network struct {
	config     Config
	linkRoutes linkRoutes
	trunks     register.Of[*tally] // links to other routers
	numbers    register.Numbers    // of those

	mu         sync.Mutex // guards everything below; ordered before those of connectors
	connectors []*connector
	guests     []*connector           // of containers that have connected to us
	links      map[AutoLink]*autoLink // all that are declared, also of connectors that there are not
	declared   []AutoLink             // by Define
	begin      func(*connector)       // has a connector run; nil before Run
	neighbors  map[*neighbor]bool     // of routers that have connected to us, and are let in
}

// New gives a network without links. The limits of each connector must be valid.
func New(c Config) *Network {
	if c.Dial == nil {
		c.Dial = dialTCP
	}
	n := &Network{config: c, links: make(map[AutoLink]*autoLink), neighbors: make(map[*neighbor]bool)}
	n.linkRoutes.init(n)
	if c.Mesh != nil {
		c.Mesh.network = n
		c.Mesh.servePlaces(c.Router)
	}
	for _, declared := range c.Connectors {
		n.connectors = append(n.connectors, newConnector(n, declared))
	}
	return n
}

// Define has these links be there in the place of those before; one that stays is not disturbed. A link whose connector
// there is not waits for it.
func (n *Network) Define(links []AutoLink) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.declared = links
	n.define(time.Now())
}

// define has the links be there that are declared and those of the federation that are wanted; it tells when the latter
// change by themselves, zero for never. The caller holds n.mu.
func (n *Network) define(now time.Time) (again time.Time) {
	links := n.declared
	if f := n.config.Federation; f != nil {
		var wanted []AutoLink
		wanted, again = f.wanted(now)
		links = slices.Concat(links, wanted)
	}
	declared := make(map[AutoLink]*autoLink, len(links))
	for _, l := range links {
		if declared[l] == nil {
			declared[l] = n.link(l)
		}
	}
	n.links = declared
	for _, c := range slices.Concat(n.connectors, n.guests) {
		c.define(n.linksFor(c))
	}
	return again
}

// link gives a link as it is already, or a new one.
func (n *Network) link(declared AutoLink) *autoLink {
	if l := n.links[declared]; l != nil {
		return l
	}
	return newAutoLink(declared, n.config.Directory.Number())
}

// linksFor gives the links of a connector, and those of the container that it is connected to.
func (n *Network) linksFor(c *connector) map[AutoLink]*autoLink {
	links := n.linksOf(c.Name)
	for declared, l := range n.links {
		if declared.Container != "" && declared.Container == c.container {
			links[declared] = l
		}
	}
	if c.tenant != "" {
		maps.DeleteFunc(links, func(declared AutoLink, _ *autoLink) bool { return declared.Tenant != c.tenant })
	}
	return links
}

// linksOf gives the links of a connector.
func (n *Network) linksOf(connector string) map[AutoLink]*autoLink {
	links := make(map[AutoLink]*autoLink)
	for declared, l := range n.links {
		if declared.Connector == connector {
			links[declared] = l
		}
	}
	return links
}

// Connect adds a connector, whose name is new and whose limits are valid. Links that are declared for it come with it.
func (n *Network) Connect(declared Connector) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.at(declared.Name) >= 0 {
		return fmt.Errorf("there is a connector %q already", declared.Name)
	}
	c := newConnector(n, declared)
	c.define(n.linksFor(c))
	n.connectors = append(n.connectors, c)
	if n.begin != nil {
		n.begin(c)
	}
	return nil
}

// Disconnect takes a connector away: what is on its way gets the driver's drain timeout to end. Its links wait for another
// one of this name. It is false if there is none.
func (n *Network) Disconnect(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	i := n.at(name)
	if i < 0 {
		return false
	}
	c := n.connectors[i]
	n.connectors = slices.Delete(n.connectors, i, i+1)
	c.define(nil)
	c.cancel()
	for declared, l := range n.linksOf(name) { // the old ones may have something to say for a while
		n.links[declared] = newAutoLink(declared, l.number)
	}
	return true
}

// at finds a connector; it is below 0 if there is none.
func (n *Network) at(name string) int {
	return slices.IndexFunc(n.connectors, func(c *connector) bool { return c.Name == name })
}

// Run keeps the connections until ctx ends. Then what is on its way gets the driver's drain timeout to end, and each broker
// is told goodbye. It returns when nothing is left.
func (n *Network) Run(ctx context.Context) error {
	var running, mesh sync.WaitGroup
	defer mesh.Wait()
	if m := n.config.Mesh; m != nil {
		last, end := context.WithCancel(context.WithoutCancel(ctx)) // it is needed as long as there are connections
		defer end()
		mesh.Go(func() { m.run(last) })
	}
	n.mu.Lock()
	n.begin = func(c *connector) {
		ctx, cancel := context.WithCancel(ctx)
		c.cancel = cancel
		running.Go(func() {
			defer cancel()
			c.run(ctx)
		})
	}
	for _, c := range n.connectors {
		n.begin(c)
	}
	if n.config.Federation != nil {
		running.Go(func() { n.followInterest(ctx) })
	}
	n.mu.Unlock()
	<-ctx.Done()
	n.mu.Lock()
	n.begin = func(*connector) {} // it is too late
	n.mu.Unlock()
	running.Wait()
	return nil
}
