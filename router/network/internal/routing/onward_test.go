package routing_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestNobodyIsToldOfWhatTheNextDoesNotReach has trees of routers grow, and consumers come, at random: who has a route to a
// consumer finds that at each moment the next router on it has one too. So what is sent as soon as there is a way arrives.
func TestNobodyIsToldOfWhatTheNextDoesNotReach(t *testing.T) {
	first := uint64(number(t, "MANIFOLD_SEED", int(rand.Uint32())))
	t.Logf("MANIFOLD_SEED=%d", first)
	for seed := first; seed < first+30; seed++ {
		net := newNetwork(t, seed)
		for i := range 2 + net.random.IntN(12) {
			r := net.add(fmt.Sprintf("R%02d", net.random.IntN(50)*20+i))
			if i > 0 {
				to := net.routers[net.random.IntN(i)]
				net.wire(r, to, int64(1+net.random.IntN(5)), time.Duration(1+net.random.IntN(20))*time.Millisecond)
			}
			for range net.random.IntN(3) {
				net.consume(r, pool[net.random.IntN(len(pool))], true)
			}
			net.watch(seed, time.Duration(net.random.IntN(200))*time.Millisecond)
		}
		net.watch(seed, 10*time.Second)
		if why := net.wrong(); why != "" {
			t.Fatalf("seed %d: %s", seed, why)
		}
	}
}

// watch lets time pass, and looks at all tables whenever something may have happened.
func (net *network) watch(seed uint64, d time.Duration) {
	net.t.Helper()
	for end := net.now.Add(d); net.now.Before(end); net.run(time.Millisecond) {
		if why := net.dead(); why != "" {
			net.t.Fatalf("seed %d: %s", seed, why)
		}
	}
}

// dead tells of a way that leads to a router that knows no further, or of nothing.
func (net *network) dead() string {
	for _, r := range net.routers {
		for _, key := range pool {
			for _, host := range r.table.Hosts(key) {
				route, ok := r.node.Routes().To(host)
				if !ok || route.NextHop == host {
					continue
				}
				next := net.router(route.NextHop)
				if _, ok := next.node.Routes().To(host); !ok || !slices.Contains(next.table.Hosts(key), host) {
					return fmt.Sprintf("%s sends what is for %s at %s to %s, which has no way there", r.id, key, host, next.id)
				}
			}
		}
	}
	return ""
}
