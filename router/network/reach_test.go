package network

import (
	"slices"
	"testing"

	"github.com/manifoldmq/manifold/router/network/internal/forwarding"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/network/internal/routing"
	"github.com/manifoldmq/manifold/router/network/internal/topology"
)

// reaching is the Reach of router a in a network b - a - c - d, with the ways that it says are needed.
func reaching(t *testing.T) (*Reach, *[]string) {
	r, ways := NewReach(testKeys(t)), new([]string)
	r.Follow(func(key protocol.Key, neighbor string, needed bool) {
		way := string(key) + " by " + neighbor
		if needed {
			*ways = append(*ways, way)
		} else {
			*ways = slices.DeleteFunc(*ways, func(w string) bool { return w == way })
		}
		slices.Sort(*ways)
	})
	r.Reroute(topology.NewGraph(map[string][]topology.Edge{
		"a": {{To: "b", Cost: 1}, {To: "c", Cost: 2}},
		"b": {{To: "a", Cost: 1}},
		"c": {{To: "a", Cost: 2}, {To: "d", Cost: 3}},
		"d": {{To: "c", Cost: 3}},
	}).Routes("a"))
	return r, ways
}

func added(router string, key protocol.Key, t protocol.Treatment) routing.Change {
	return routing.Change{Kind: routing.Added, Router: router, Address: protocol.Address{Key: key, Treatment: t}}
}

func TestReachTellsWhichWaysAreNeeded(t *testing.T) {
	r, ways := reaching(t)
	expect := func(want ...string) {
		t.Helper()
		if !slices.Equal(*ways, want) {
			t.Errorf("needed are %q, want %q", *ways, want)
		}
	}
	r.Apply(added("c", "M0x", protocol.Closest))
	r.Apply(added("d", "M0x", protocol.Closest))
	r.Apply(added("b", "M0x", protocol.Closest))
	r.Apply(added("z", "M0x", protocol.Closest)) // out of reach
	expect("M0x by b", "M0x by c")
	var replayed int
	r.Follow(func(protocol.Key, string, bool) { replayed++ })
	if replayed != 2 {
		t.Errorf("who follows later hears of %d ways, want 2", replayed)
	}
	r, ways = reaching(t)
	r.Apply(added("c", "M0x", protocol.Closest))
	r.Apply(added("d", "M0x", protocol.Closest))
	r.Apply(added("b", "M0y", protocol.Closest))
	r.Apply(routing.Change{Kind: routing.Removed, Router: "c", Address: protocol.Address{Key: "M0x"}})
	expect("M0x by c", "M0y by b")
	r.Apply(routing.Change{Kind: routing.Flushed, Router: "d"})
	expect("M0y by b")
	r.Apply(added("d", "M0x", protocol.Closest))
	r.Reroute(topology.NewGraph(map[string][]topology.Edge{
		"a": {{To: "b", Cost: 1}}, "b": {{To: "a", Cost: 1}, {To: "d", Cost: 1}}, "d": {{To: "b", Cost: 1}},
	}).Routes("a"))
	expect("M0x by b", "M0y by b")
	r.Reroute(topology.NewGraph(nil).Routes("a"))
	expect()
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
