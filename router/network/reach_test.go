package network

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router/network/internal/forwarding"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/network/internal/routing"
	"github.com/manifoldmq/manifold/router/network/internal/topology"
)

// ledger is a warden that notes which ways are used: each "key by neighbour", in order.
type ledger struct {
	used    []string
	opened  map[wayKey]bool
	opening func(wayKey) // unless nil, is told before
	closing func(wayKey) // likewise
}

func (l *ledger) open(k wayKey) {
	if l.opening != nil && !l.opened[k] {
		l.opening(k)
	}
	l.opened[k] = true
}

func (l *ledger) leads(k wayKey) {
	if way := string(k.address) + " by " + k.neighbor; l.opened[k] && !slices.Contains(l.used, way) {
		l.used = append(l.used, way)
		slices.Sort(l.used)
	}
}

func (l *ledger) close(k wayKey) {
	if l.closing != nil {
		l.closing(k)
	}
	delete(l.opened, k)
	l.used = slices.DeleteFunc(l.used, func(way string) bool { return way == string(k.address)+" by "+k.neighbor })
}

// reaching is the Reach of router a in a network b - a - c - d, and its ways.
func reaching(t *testing.T) (*Reach, *ledger) {
	r, l := NewReach(testKeys(t)), &ledger{opened: make(map[wayKey]bool)}
	r.warden = l
	r.reroute(map[string][]topology.Edge{
		"a": {{To: "b", Cost: 1}, {To: "c", Cost: 2}},
		"b": {{To: "a", Cost: 1}},
		"c": {{To: "a", Cost: 2}, {To: "d", Cost: 3}},
		"d": {{To: "c", Cost: 3}},
	})
	return r, l
}

// reroute has new routes and their origins be known.
func (r *Reach) reroute(links map[string][]topology.Edge) {
	routes := topology.NewGraph(links).Routes("a")
	r.Reroute(routes)
	r.Settle(routes.Origins())
}

func added(router string, key protocol.Key, t protocol.Treatment) routing.Change {
	return routing.Change{Kind: routing.Added, Router: router, Address: protocol.Address{Key: key, Treatment: t}}
}

func TestReachTellsWhichWaysAreNeeded(t *testing.T) {
	r, l := reaching(t)
	expect := func(want ...string) {
		t.Helper()
		if !slices.Equal(l.used, want) {
			t.Errorf("used are %q, want %q", l.used, want)
		}
	}
	r.Apply(added("c", "M0x", protocol.Closest))
	r.Apply(added("d", "M0x", protocol.Closest))
	r.Apply(added("b", "M0x", protocol.Closest))
	r.Apply(added("z", "M0x", protocol.Closest)) // out of reach
	expect("M0x by b", "M0x by c")
	r, l = reaching(t)
	r.Apply(added("c", "M0x", protocol.Closest))
	r.Apply(added("d", "M0x", protocol.Closest))
	r.Apply(added("b", "M0y", protocol.Closest))
	r.Apply(routing.Change{Kind: routing.Removed, Router: "c", Address: protocol.Address{Key: "M0x"}})
	expect("M0x by c", "M0y by b")
	r.Apply(routing.Change{Kind: routing.Flushed, Router: "d"})
	expect("M0y by b")
	r.Apply(added("d", "M0x", protocol.Closest))
	r.reroute(map[string][]topology.Edge{
		"a": {{To: "b", Cost: 1}}, "b": {{To: "a", Cost: 1}, {To: "d", Cost: 1}}, "d": {{To: "b", Cost: 1}},
	})
	expect("M0x by b", "M0y by b")
	r.reroute(nil)
	expect()
}

// TestAddressIsReachedWhileRoutesChange: of what goes another way from now on, the new one is there before the old one ends.
func TestAddressIsReachedWhileRoutesChange(t *testing.T) {
	r, l := reaching(t)
	const addresses = 2*piece + 1
	for i := range addresses {
		r.Apply(added("d", protocol.Key(fmt.Sprint("M0x", i)), protocol.Closest))
	}
	ended := 0
	l.opening = func(k wayKey) {
		if _, ok := r.Leads(k.address, "c", k.address, nil); !ok {
			t.Fatalf("%s has no way before that by %s is there", k.address, k.neighbor)
		}
	}
	l.closing = func(k wayKey) {
		ended++
		_, old := r.Leads(k.address, "c", k.address, nil)
		if _, ok := r.Leads(k.address, "b", k.address, nil); !ok || old || !l.opened[wayKey{k.address, "b"}] {
			t.Fatalf("%s has no other way when that by %s ends", k.address, k.neighbor)
		}
	}
	r.reroute(map[string][]topology.Edge{
		"a": {{To: "b", Cost: 1}}, "b": {{To: "a", Cost: 1}, {To: "d", Cost: 1}}, "d": {{To: "b", Cost: 1}},
	})
	if ended != addresses || len(l.used) != addresses {
		t.Errorf("%d ways have ended and %d are used, want %d", ended, len(l.used), addresses)
	}
}

// TestOriginsAreNotWaitedFor: what is known of the routes is enough for a message for one, though not for one for many.
func TestOriginsAreNotWaitedFor(t *testing.T) {
	r, _ := reaching(t)
	routes := topology.NewGraph(map[string][]topology.Edge{
		"a": {{To: "b", Cost: 1}, {To: "e", Cost: 1}}, "b": {{To: "a", Cost: 1}}, "e": {{To: "a", Cost: 1}},
	}).Routes("a")
	r.Reroute(routes)
	r.Apply(added("e", "M0one", protocol.Balanced))
	r.Apply(added("e", "M0many", protocol.Multicast))
	leads := func(key protocol.Key, from string) bool {
		m := &forwarding.Message{Key: key, From: from}
		m.Annotations = m.Annotations.Through(from)
		if from == "" {
			m = nil
		}
		_, ok := r.Leads(key, "e", key, m)
		return ok
	}
	if !leads("M0one", "") || !leads("M0many", "") || !leads("M0one", "b") {
		t.Error("what comes in here, or is for one, does not go on before the origins are known")
	}
	if leads("M0many", "b") {
		t.Error("what is for many goes on before its tree is known")
	}
	if r.Settle(routes.Origins()); !leads("M0many", "b") {
		t.Error("what is for many does not go on")
	}
}

func TestReachLeadsToTheNearestButNotBack(t *testing.T) {
	r, _ := reaching(t)
	r.Apply(added("c", "M0x", protocol.Closest))
	r.Apply(added("d", "M0x", protocol.Closest))
	r.Apply(added("b", "M0x", protocol.Closest))
	from := func(neighbor, ingress string, trace ...string) *forwarding.Message {
		m := &forwarding.Message{Key: "M0x", From: neighbor}
		m.Annotations.Ingress = protocol.NodeName(ingress)
		for _, id := range trace {
			m.Annotations.Trace = append(m.Annotations.Trace, protocol.NodeName(id))
		}
		return m
	}
	for _, c := range []struct {
		name, neighbor string
		m              *forwarding.Message
		cost           int64
		ok             bool
	}{
		{"from here to b", "b", nil, 1, true},
		{"from here to c", "c", nil, 2, true},
		{"from c back", "c", from("c", "d", "d", "c"), 0, false},
		{"from c on to b", "b", from("c", "d", "d", "c"), 1, true},
		{"from b on to c", "c", from("b", "b", "b"), 2, true},
		{"to who is no neighbour", "d", nil, 0, false},
	} {
		if cost, ok := r.Leads("M0x", c.neighbor, "M0x", c.m); ok != c.ok || cost != c.cost {
			t.Errorf("%s: cost %d, %v, want %d, %v", c.name, cost, ok, c.cost, c.ok)
		}
	}
	r.Apply(routing.Change{Kind: routing.Removed, Router: "c", Address: protocol.Address{Key: "M0x"}})
	if cost, _ := r.Leads("M0x", "c", "M0x", nil); cost != 5 {
		t.Errorf("to d it costs %d, want 5", cost)
	}
}

// TestOneWayLeadsForEachNeighbour: a literal address and several filters match, and behind each neighbour are consumers of
// some of them.
func TestOneWayLeadsForEachNeighbour(t *testing.T) {
	r, _ := reaching(t)
	for _, c := range []struct {
		router string
		key    protocol.Key
	}{
		{"b", "M0news/#"}, {"b", "M0news/+"}, {"c", "M0news/#"}, {"d", "M0news/x"}, {"c", "M0acme/news/#"}, {"b", "M0acme/#"},
	} {
		r.Apply(added(c.router, c.key, protocol.Multicast))
	}
	leads := func(to protocol.Key, keys ...protocol.Key) (got []string) {
		for _, neighbor := range []string{"b", "c"} {
			for _, key := range keys {
				if _, ok := r.Leads(key, neighbor, to, nil); ok {
					got = append(got, string(key)+" by "+neighbor)
				}
			}
		}
		return got
	}
	ours := []protocol.Key{"M0news/#", "M0news/+", "M0news/x"}
	if got, want := leads("M0news/x", ours...), []string{"M0news/# by b", "M0news/x by c"}; !slices.Equal(got, want) {
		t.Errorf("for news/x %q, want %q", got, want)
	}
	if got, want := leads("M0news/y", ours[:2]...), []string{"M0news/# by b", "M0news/# by c"}; !slices.Equal(got, want) {
		t.Errorf("for news/y %q, want %q", got, want)
	}
	theirs := []protocol.Key{"M0acme/news/#", "M0acme/#"}
	if got, want := leads("M0acme/news/x", theirs...), []string{"M0acme/# by b", "M0acme/news/# by c"}; !slices.Equal(got, want) {
		t.Errorf("for news/x of acme %q, want %q", got, want)
	}
}

func BenchmarkReachLeads(b *testing.B) {
	t := new(testing.T)
	r, _ := reaching(t)
	r.Apply(added("b", "M0x", protocol.Closest))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, ok := r.Leads("M0x", "b", "M0x", nil); !ok {
				b.Fail()
			}
		}
	})
}

// BenchmarkReroute has the routes change beneath many addresses: so that all of them go another way, or none. wait-ns is how
// long a message waited at most that asked meanwhile.
func BenchmarkReroute(b *testing.B) {
	one := map[string][]topology.Edge{
		"a": {{To: "b", Cost: 1}, {To: "c", Cost: 2}}, "b": {{To: "d", Cost: 1}}, "c": {{To: "d", Cost: 1}},
	}
	other := maps.Clone(one)
	other["a"] = []topology.Edge{{To: "b", Cost: 3}, {To: "c", Cost: 1}}
	aside := maps.Clone(one)
	aside["d"] = []topology.Edge{{To: "e", Cost: 1}}
	for _, addresses := range []int{10_000, 100_000} {
		for name, links := range map[string]map[string][]topology.Edge{"all": other, "none": aside} {
			b.Run(fmt.Sprintf("%s of %d", name, addresses), func(b *testing.B) {
				r, _ := reaching(new(testing.T))
				r.warden = &Mesh{ways: make(map[wayKey]*way), hops: make(map[string]*neighbor)}
				for i := range addresses {
					r.Apply(added("d", protocol.Key(fmt.Sprint("M0x", i)), protocol.Closest))
				}
				var over atomic.Bool
				var longest time.Duration
				var asking sync.WaitGroup
				asking.Go(func() {
					asks := time.NewTicker(100 * time.Microsecond)
					defer asks.Stop()
					for !over.Load() {
						<-asks.C
						began := time.Now()
						r.Leads("M0x1", "b", "M0x1", nil)
						longest = max(longest, time.Since(began))
					}
				})
				b.ReportAllocs()
				for b.Loop() {
					r.reroute(links)
					r.reroute(one)
				}
				over.Store(true)
				asking.Wait()
				b.ReportMetric(float64(longest.Nanoseconds()), "wait-ns")
			})
		}
	}
}
