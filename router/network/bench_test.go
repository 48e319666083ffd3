package network

import (
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router/network/internal/forwarding"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/routertest"
)

// BenchmarkEncode gives a message the form that it has between routers.
func BenchmarkEncode(b *testing.B) {
	mesh := &Mesh{config: MeshConfig{ID: "router.a"}}
	mesh.fresh = mesh.onward(protocol.Annotations{})
	l := &lane{neighbor: &neighbor{mesh: mesh}}
	now := time.Now()
	passed := protocol.Annotations{}.Through("router.b").Through("router.c")
	for name, route := range map[string]any{
		"of a client":    nil,
		"of a neighbour": &forwarding.Message{Key: "M0orders", From: "router.c", Annotations: passed, Onward: mesh.onward(passed)},
	} {
		b.Run(name, func(b *testing.B) {
			d := routertest.Text("a message of some bytes, which the router never looks into")
			d.Route = route
			p := parcel{delivery: d, to: "M0orders"}
			b.ReportAllocs()
			for b.Loop() {
				l.encode(&p, now)
			}
		})
	}
}
