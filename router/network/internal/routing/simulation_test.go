package routing_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// TestSimulatedNetworksConverge makes random networks, breaks and heals them while packets are lost, and then checks that
// within the bound that the timers give all routers have the right tables, and that messages go where they should.
//
// MANIFOLD_TOPOLOGIES says how many networks, MANIFOLD_SEED the first seed, to repeat a course that failed.
func TestSimulatedNetworksConverge(t *testing.T) {
	count, largest := number(t, "MANIFOLD_TOPOLOGIES", 12), 60
	if count > 100 {
		largest = 200
	}
	first := uint64(number(t, "MANIFOLD_SEED", int(rand.Uint32())))
	t.Logf("MANIFOLD_SEED=%d MANIFOLD_TOPOLOGIES=%d", first, count)
	var all results
	seeds := make(chan uint64)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := range seeds {
				if t.Failed() {
					continue
				}
				all.add(t, simulate(t, seed, largest))
			}
		})
	}
	for i := range count {
		seeds <- first + uint64(i)
	}
	close(seeds)
	workers.Wait()
	all.log(t)
}

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// result is what one network showed.
type result struct {
	routers, sent            int
	took, bound              time.Duration // to converge
	broadcasts, copies, ones int           // messages, what consumers got of those for many, and messages for one
}

// results are those of many networks.
type results struct {
	mu  sync.Mutex // guards everything below
	all []result
}

func (r *results) add(t *testing.T, one result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all = append(r.all, one); len(r.all)%100 == 0 {
		r.log(t)
	}
}

func (r *results) log(t *testing.T) {
	var sum result
	var times []time.Duration
	closest := 0.0
	for _, one := range r.all {
		sum.routers += one.routers
		sum.sent += one.sent
		sum.broadcasts += one.broadcasts
		sum.copies += one.copies
		sum.ones += one.ones
		times = append(times, one.took)
		closest = max(closest, one.took.Seconds()/one.bound.Seconds())
	}
	if len(times) == 0 {
		return
	}
	slices.Sort(times)
	t.Logf("%d networks, %d routers, %d control packets; converged in %v at half, %v at 99 %%, %v at most (%.0f %% of the bound); "+
		"%d broadcasts gave %d copies, each wanted; %d messages for one arrived",
		len(r.all), sum.routers, sum.sent, times[len(times)/2], times[len(times)*99/100], times[len(times)-1], 100*closest,
		sum.broadcasts, sum.copies, sum.ones)
}

// simulate runs one network.
func simulate(t *testing.T, seed uint64, largest int) (r result) {
	net := newNetwork(t, seed)
	defer func() {
		if t.Failed() {
			t.Logf("the network of MANIFOLD_SEED=%d has %d routers and %d wires", seed, len(net.routers), len(net.wires))
		}
	}()
	net.grow(largest)
	net.churn()
	net.loss = 0
	r.routers, r.bound = len(net.routers), net.bound()
	began := net.now
	for why := net.wrong(); why != ""; why = net.wrong() {
		if r.took = net.now.Sub(began); r.took > r.bound {
			t.Errorf("not converged within %v: %s", r.bound, why)
			return r
		}
		net.run(250 * time.Millisecond)
	}
	if net.random.IntN(4) == 0 {
		net.run(40 * time.Second) // to the next advertisement of everybody
	}
	if why := net.wrong(); why != "" {
		t.Errorf("converged and went astray: %s", why)
		return r
	}
	net.checkMany(&r)
	net.checkOnes(&r)
	r.sent = net.sent
	return r
}

// bound is how long it may take to converge once nothing changes any more and nothing is lost: a lost neighbour is
// noticed, or a new one; what was lost is told of by the next advertisement; it is asked for, perhaps again; and all of
// that goes through the network.
func (net *network) bound() time.Duration {
	timers := net.timers
	notice := max(timers.HelloMaxAge, 2*timers.Hello)
	slowest := time.Duration(0)
	for _, w := range net.wires {
		slowest = max(slowest, w.delay)
	}
	across := time.Duration(net.diameter()) * (timers.Settle + 3*slowest)
	return notice + timers.Advertise + 2*(timers.AdvertiseInFlux+timers.Hello) + timers.Batch + across
}

// grow makes the routers and wires.
func (net *network) grow(largest int) {
	random := net.random
	share := random.Float64()
	n := 2 + int(float64(largest-1)*share*share*share*share)
	for i := range n {
		r := net.add(fmt.Sprintf("R%d", i))
		for range random.IntN(3) {
			net.consume(r, pool[random.IntN(len(pool))], true)
		}
	}
	join := func(a, b int) {
		if a != b {
			delay := time.Duration(1+random.IntN(50)) * time.Millisecond
			net.wire(net.routers[a], net.routers[b], int64(1+random.IntN(1+random.IntN(10))), delay)
		}
	}
	switch random.IntN(6) {
	case 0: // a ring
		for i := range n {
			join(i, (i+1)%n)
		}
	case 1: // a grid
		width := 1 + random.IntN(n)
		for i := range n {
			if (i+1)%width != 0 && i+1 < n {
				join(i, i+1)
			}
			if i+width < n {
				join(i, i+width)
			}
		}
	case 2: // everybody with everybody, as far as that is sensible
		for i := range min(n, 12) {
			for j := range i {
				join(i, j)
			}
		}
		for i := 12; i < n; i++ {
			join(i, random.IntN(i))
		}
	default: // a tree with more or less beside it
		for i := 1; i < n; i++ {
			join(i, max(0, i-1-random.IntN(1+random.IntN(i))))
		}
		for range random.IntN(1 + n) {
			join(random.IntN(n), random.IntN(n))
		}
	}
}

// pool is the addresses that consumers want.
var pool = []protocol.Key{"M0a", "M0b", "M0c", "M0d/e", "M1a", "Hedge", "Croute"}

// churn breaks and heals the network for a while.
func (net *network) churn() {
	random := net.random
	net.loss = []float64{0, 0.01, 0.05, 0.2}[random.IntN(4)]
	net.run(time.Duration(random.IntN(10_000)) * time.Millisecond)
	for range 5 + random.IntN(5+len(net.routers)/4) {
		w, r := net.wires[random.IntN(len(net.wires))], net.routers[random.IntN(len(net.routers))]
		switch random.IntN(8) {
		case 0:
			net.cut(w)
		case 1:
			w.silent = true
		case 2, 3:
			net.connect(w)
		case 4:
			if r.node != nil {
				net.kill(r, random.IntN(2) == 0)
			}
		case 5:
			net.revive(r)
		default:
			key := pool[random.IntN(len(pool))]
			net.consume(r, key, !r.local[key])
		}
		net.run(time.Duration(random.IntN(1_500)) * time.Millisecond)
		if random.IntN(4) == 0 {
			net.checkUnderway()
		}
	}
}

// revive starts a dead router and connects most of its wires.
func (net *network) revive(r *router) {
	if r.node != nil {
		return
	}
	net.start(r)
	for _, w := range net.wires {
		if (w.ends[0] == r || w.ends[1] == r) && net.random.IntN(4) > 0 {
			net.connect(w)
		}
	}
}

// BenchmarkFlux is the work of one router of a network of 127 while all links of a neighbour change.
func BenchmarkFlux(b *testing.B) {
	net := newNetwork(b, 1)
	net.grow(127)
	net.run(10 * time.Second)
	w := net.wires[0]
	b.ReportAllocs()
	for b.Loop() {
		net.cut(w)
		net.run(time.Second)
		net.connect(w)
		net.run(time.Second)
	}
	b.ReportMetric(float64(net.sent)/float64(b.N), "packets/op")
}
