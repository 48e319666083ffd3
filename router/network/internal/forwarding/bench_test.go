package forwarding

import (
	"fmt"
	"testing"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/network/internal/routing"
	"github.com/manifoldmq/manifold/router/network/internal/topology"
)

// BenchmarkWay is what a node asks for one broadcast: each of 10 neighbours, behind whom there are 1,000 routers that all
// have consumers.
func BenchmarkWay(b *testing.B) {
	const neighbors, hosts = 10, 1000
	name := func(i int) string { return fmt.Sprintf("router.%04d", i) }
	links := make(map[string][]topology.Edge)
	join := func(one, other string) {
		links[one] = append(links[one], topology.Edge{To: other, Cost: 1})
		links[other] = append(links[other], topology.Edge{To: one, Cost: 1})
	}
	for i := range hosts {
		if i < neighbors {
			join("self", name(i))
		} else {
			join(name(i), name(i%neighbors))
		}
	}
	routes := topology.NewGraph(links).Routes("self")
	table := NewTable("self")
	table.Reroute(routes, routes.Origins())
	for i := range hosts {
		table.Apply(routing.Change{
			Kind: routing.Added, Router: name(i), Address: protocol.Address{Key: key, Treatment: protocol.Multicast},
		})
	}
	next := table.NextHops(key)
	through := protocol.Annotations{}.Through(name(0))
	for _, c := range []struct {
		name string
		Message
	}{
		{"of a client", Message{Key: key}},
		{"of a neighbour", Message{Key: key, From: name(0), Annotations: through}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, neighbor := range next {
					table.Way(key, neighbor, c.Message)
				}
			}
		})
	}
}
