package routing_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router/network/internal/forwarding"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/network/internal/topology"
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

// far is the distance of routers that do not reach each other.
const far = int64(1) << 40

// distances gives the true cost of the way from each router to each, by the algorithm of Floyd and Warshall, and with
// hops set the number of hops.
func (net *network) distances(hops bool) [][]int64 {
	n := len(net.routers)
	number := make(map[*router]int, n)
	d := make([][]int64, n)
	for i, r := range net.routers {
		number[r] = i
		d[i] = slices.Repeat([]int64{far}, n)
		d[i][i] = 0
	}
	for _, w := range net.wires {
		if w.works() {
			cost := w.cost
			if hops {
				cost = 1
			}
			a, b := number[w.ends[0]], number[w.ends[1]]
			d[a][b] = min(d[a][b], cost)
			d[b][a] = min(d[b][a], cost)
		}
	}
	for via := range n {
		for a := range n {
			if d[a][via] == far {
				continue
			}
			for b := range n {
				d[a][b] = min(d[a][b], d[a][via]+d[via][b])
			}
		}
	}
	return d
}

func (net *network) diameter() (most int64) {
	for _, row := range net.distances(true) {
		for _, d := range row {
			if d < far {
				most = max(most, d)
			}
		}
	}
	return most
}

// wrong says what is wrong with the tables, or nothing.
func (net *network) wrong() string {
	d, edges := net.distances(false), net.edges()
	number := make(map[string]int, len(net.routers))
	for i, r := range net.routers {
		number[r.id] = i
	}
	for a, r := range net.routers {
		if r.node == nil {
			continue
		}
		routes, inReach := r.node.Routes(), 0
		for b, to := range net.routers {
			if a == b || d[a][b] == far {
				continue
			}
			inReach++
			route, ok := routes.To(to.id)
			if !ok || route.Cost != d[a][b] {
				return fmt.Sprintf("%s to %s: %+v %v, want cost %d", r.id, to.id, route, ok, d[a][b])
			}
			next := number[route.NextHop]
			if w := net.cheapest(r, net.routers[next]); w == nil || w.cost+d[next][b] != d[a][b] {
				return fmt.Sprintf("%s to %s: %s is not on the way", r.id, to.id, route.NextHop)
			}
		}
		if routes.Len() != inReach {
			return fmt.Sprintf("%s reaches %d routers, want %d", r.id, routes.Len(), inReach)
		}
		if why := net.wrongLinks(r, edges); why != "" {
			return why
		}
		if why := net.wrongHosts(r, d[a]); why != "" {
			return why
		}
	}
	return ""
}

// edges gives the true link state of each router.
func (net *network) edges() map[string][]topology.Edge {
	edges := make(map[string][]topology.Edge, len(net.routers))
	for _, r := range net.routers {
		for _, w := range r.ends {
			to := w.ends[0]
			if to == r {
				to = w.ends[1]
			}
			if net.cheapest(r, to) == w {
				edges[r.id] = append(edges[r.id], topology.Edge{To: to.id, Cost: w.cost})
			}
		}
		slices.SortFunc(edges[r.id], func(a, b topology.Edge) int { return strings.Compare(a.To, b.To) })
	}
	return edges
}

// wrongLinks says what is wrong with what a router knows of the links of those that it reaches: the trees of others, which
// the valid origins follow, depend on them.
func (net *network) wrongLinks(r *router, edges map[string][]topology.Edge) string {
	for _, known := range r.node.Known() {
		if _, ok := r.node.Routes().To(known.Router); ok && !slices.Equal(known.Peers, edges[known.Router]) {
			return fmt.Sprintf("%s takes %v for the links of %s, want %v", r.id, known.Peers, known.Router, edges[known.Router])
		}
	}
	return ""
}

// cheapest gives the cheapest wire from one router to another.
func (net *network) cheapest(a, b *router) (best *wire) {
	for _, w := range a.ends {
		if (w.ends[0] == b || w.ends[1] == b) && a != b && w.works() && (best == nil || w.before(best)) {
			best = w
		}
	}
	return best
}

// before orders wires: the cheaper first, of equals the older.
func (w *wire) before(other *wire) bool {
	return w.cost < other.cost || w.cost == other.cost && w.number < other.number
}

// wrongHosts says what is wrong with what a router knows of the addresses of those that it reaches.
func (net *network) wrongHosts(r *router, d []int64) string {
	for _, key := range pool {
		hosts := r.table.Hosts(key)
		for b, to := range net.routers {
			if to == r || d[b] == far {
				continue
			}
			_, known := slices.BinarySearch(hosts, to.id)
			if known != to.local[key] {
				return fmt.Sprintf("%s takes %s for a host of %s: %v", r.id, to.id, key, known)
			}
		}
	}
	return ""
}

// walk is a message for many on its way through the tables as they are now.
type walk struct {
	net      *network
	key      protocol.Key
	got      map[string]int // copies for the consumers at each router
	repeated int            // copies that a router found to be such
}

func (net *network) broadcast(from *router, key protocol.Key) *walk {
	w := &walk{net: net, key: key, got: make(map[string]int)}
	w.arrive(from, forwarding.Message{Key: key})
	return w
}

func (w *walk) arrive(at *router, m forwarding.Message) {
	table := at.tables()
	if table.Repeated(m) {
		w.repeated++
		return
	}
	if at.local[w.key] {
		w.got[at.id]++
	}
	onward := forwarding.Message{Key: m.Key, From: at.id, Annotations: m.Annotations.Through(at.id)}
	for _, next := range table.Spread(nil, m) {
		if neighbor := w.net.router(next); w.net.cheapest(at, neighbor) != nil {
			w.arrive(neighbor, onward)
		}
	}
}

// checkMany sends messages for many, when all have converged: each consumer in reach gets one copy, and no router one too
// many.
func (net *network) checkMany(r *result) {
	d := net.distances(false)
	for range min(40, 2*len(net.routers)) {
		a, key := net.random.IntN(len(net.routers)), pool[net.random.IntN(len(pool))]
		from := net.routers[a]
		if from.node == nil {
			continue
		}
		w := net.broadcast(from, key)
		r.broadcasts++
		for b, to := range net.routers {
			want := 0
			if to.node != nil && d[a][b] < far && to.local[key] {
				want = 1
			}
			r.copies += want
			if w.got[to.id] != want {
				net.t.Errorf("%s at %s, from %s: %d copies, want %d", key, to.id, from.id, w.got[to.id], want)
			}
		}
		if w.repeated > 0 {
			net.t.Errorf("%s from %s: %d copies too many", key, from.id, w.repeated)
		}
	}
}

// checkUnderway sends messages while the routers disagree: they may be lost, but they do not go round in circles, and of
// one for many nobody gets two copies.
func (net *network) checkUnderway() {
	from, key := net.routers[net.random.IntN(len(net.routers))], pool[net.random.IntN(len(pool))]
	if from.node == nil {
		return
	}
	for id, copies := range net.broadcast(from, key).got {
		if copies > 1 {
			net.t.Errorf("underway: %s at %s, from %s: %d copies", key, id, from.id, copies)
		}
	}
	net.one(from, key, (*forwarding.Table).Closest)
	net.one(from, key, (*forwarding.Table).Balanced)
}

// choose is how a message for one finds its way.
type choose func(*forwarding.Table, forwarding.Message, uint64, []forwarding.Load, forwarding.Loads) forwarding.Choice

// one sends a message for one, and gives the way that it takes and whether it arrived.
func (net *network) one(from *router, key protocol.Key, choose choose) (way []string, arrived bool) {
	at, m := from, forwarding.Message{Key: key}
	free := func(string) forwarding.Load { return forwarding.Load{Room: 1} }
	for {
		if slices.Contains(way, at.id) {
			net.t.Errorf("%s from %s goes round: %v, %s", key, from.id, way, at.id)
			return way, false
		}
		way = append(way, at.id)
		var local []forwarding.Load
		if at.local[key] {
			local = []forwarding.Load{{Room: 1}}
		}
		choice := choose(at.tables(), m, net.random.Uint64(), local, free)
		if choice.Neighbor == "" {
			return way, choice.Found
		}
		m = forwarding.Message{Key: key, From: at.id, Annotations: m.Annotations.Through(at.id)}
		next := net.router(choice.Neighbor)
		if net.cheapest(at, next) == nil {
			return way, false
		}
		at = next
	}
}

// checkOnes sends messages for one, when all have converged: they arrive where a consumer is in reach, those for the
// nearest consumer at the lowest cost.
func (net *network) checkOnes(r *result) {
	d := net.distances(false)
	for range min(60, 3*len(net.routers)) {
		a, key := net.random.IntN(len(net.routers)), pool[net.random.IntN(len(pool))]
		from := net.routers[a]
		if from.node == nil {
			continue
		}
		nearest := far
		for b, to := range net.routers {
			if to.node != nil && to.local[key] {
				nearest = min(nearest, d[a][b])
			}
		}
		way, arrived := net.one(from, key, (*forwarding.Table).Closest)
		if _, balanced := net.one(from, key, (*forwarding.Table).Balanced); arrived != (nearest < far) || balanced != arrived {
			net.t.Errorf("%s from %s: closest %v, balanced %v, nearest %d", key, from.id, arrived, balanced, nearest)
			continue
		}
		if !arrived {
			continue
		}
		r.ones++
		last := slices.IndexFunc(net.routers, func(r *router) bool { return r.id == way[len(way)-1] })
		if d[a][last] != nearest {
			net.t.Errorf("%s from %s: went %v at cost %d, want %d", key, from.id, way, d[a][last], nearest)
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
