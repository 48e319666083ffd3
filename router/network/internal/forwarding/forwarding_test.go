package forwarding

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/network/internal/routing"
	"github.com/manifoldmq/manifold/router/network/internal/topology"
)

const key = protocol.Key("M0orders")

// tableOf gives the table of a router in a network of links such as "A-B:2", with consumers at hosts.
func tableOf(t *testing.T, self, links string, hosts ...string) *Table {
	t.Helper()
	reported := make(map[string][]topology.Edge)
	for word := range strings.FieldsSeq(links) {
		ends, price, _ := strings.Cut(word, ":")
		a, b, _ := strings.Cut(ends, "-")
		cost := int64(1)
		if price != "" {
			cost = int64(price[0] - '0')
		}
		reported[a] = append(reported[a], topology.Edge{To: b, Cost: cost})
		reported[b] = append(reported[b], topology.Edge{To: a, Cost: cost})
	}
	table := NewTable(self)
	routes := topology.NewGraph(reported).Routes(self)
	table.Reroute(routes, routes.Origins())
	for _, host := range hosts {
		table.Apply(routing.Change{Kind: routing.Added, Router: host, Address: protocol.Address{Key: key}})
	}
	return table
}

// message gives a message that came by the routers named, "" for one of a client.
func message(path string) Message {
	m := Message{Key: key}
	for _, router := range strings.Fields(path) {
		m.Annotations = m.Annotations.Through(router)
		m.From = router
	}
	return m
}

func TestSpread(t *testing.T) {
	square := "A-B A-C B-D C-D"
	for _, c := range []struct {
		name, self, links string
		hosts             []string
		path              string
		want              []string
	}{
		{"one copy for all behind a neighbour", "A", "A-B B-C B-D", []string{"B", "C", "D"}, "", []string{"B"}},
		{"each neighbour", "B", "A-B B-C B-D", []string{"A", "C", "D"}, "", []string{"A", "C", "D"}},
		{"not back", "B", "A-B B-C", []string{"A", "C"}, "A", []string{"C"}},
		{"along the tree of the origin: on it", "B", square, []string{"B", "C", "D"}, "A", []string{"D"}},
		{"along the tree of the origin: beside it", "C", square, []string{"B", "C", "D"}, "A", nil},
		{"nobody in reach", "A", "A-B X-Y", []string{"X"}, "", nil},
		{"an origin that nobody knows", "B", "A-B B-C", []string{"C"}, "Z A", nil},
		{"neighbours that it has passed", "B", "A-B B-C B-D", []string{"A", "C", "D"}, "A C A", []string{"D"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := tableOf(t, c.self, c.links, c.hosts...).Spread(nil, message(c.path))
			if !slices.Equal(got, c.want) {
				t.Errorf("to %v, want %v", got, c.want)
			}
		})
	}
}

func TestRepeatedComesFromAside(t *testing.T) {
	triangle := "A-B B-C C-A"
	for _, c := range []struct {
		path string
		want bool
	}{
		{"", false},
		{"A", false},
		{"A B", true}, // C has it from A
		{"C A", true}, // it is of this router
		{"Z A", true}, // nobody knows by which way it comes from Z
		{"Z", false},  // but from Z itself it can come only once
	} {
		if got := tableOf(t, "C", triangle, "B").Repeated(message(c.path)); got != c.want {
			t.Errorf("%q: %v", c.path, got)
		}
	}
}

func TestForOne(t *testing.T) {
	full, free := Load{Waiting: 1}, Load{Room: 5}
	type loads map[string]Load
	for _, c := range []struct {
		name, links   string
		hosts         []string
		path          string
		turn          uint64
		local         []Load
		neighbors     loads // those not named are free
		near, leisure Choice
	}{
		{name: "nobody", links: "A-B"},
		{name: "out of reach", links: "A-B X-Y", hosts: []string{"X"}},
		{name: "here", links: "A-B", hosts: []string{"B"}, local: []Load{free},
			near: here(0), leisure: here(0)},
		{name: "here in turn", links: "A-B", local: []Load{free, free, free}, turn: 7,
			near: here(1), leisure: here(1)},
		{name: "here with room", links: "A-B", local: []Load{full, free, full}, turn: 2,
			near: here(1), leisure: here(1)},
		{name: "the least to do", links: "A-B", local: []Load{{Waiting: 3, Room: 1}, {Waiting: 2, Room: 1}},
			near: here(0), leisure: here(1)},
		{name: "elsewhere when there is more to do here than the way costs", links: "A-B:3", hosts: []string{"B"},
			local: []Load{{Waiting: 4, Room: 1}}, near: here(0), leisure: there("B")},
		{name: "here when the way costs as much", links: "A-B:3", hosts: []string{"B"},
			local: []Load{{Waiting: 3, Room: 1}}, near: here(0), leisure: here(0)},
		{name: "elsewhere when here is no room", links: "A-B", hosts: []string{"B"}, local: []Load{full},
			near: there("B"), leisure: there("B")},
		{name: "here when nowhere is room", links: "A-B", hosts: []string{"B"}, local: []Load{full},
			neighbors: loads{"B": full}, near: here(0), leisure: here(0)},
		{name: "the lowest cost", links: "A-B:2 A-C:1", hosts: []string{"B", "C"},
			near: there("C"), leisure: there("C")},
		{name: "equal costs in turn", links: "A-B A-C", hosts: []string{"B", "C"}, turn: 1,
			near: there("C"), leisure: there("C")},
		{name: "the lowest cost with room", links: "A-B:2 A-C:1", hosts: []string{"B", "C"}, neighbors: loads{"C": full},
			near: there("B"), leisure: there("B")},
		{name: "the least to do on the way", links: "A-B:2 A-C:1", hosts: []string{"B", "C"},
			neighbors: loads{"C": {Waiting: 4, Room: 1}}, near: there("C"), leisure: there("B")},
		{name: "not back", links: "A-B A-C:3", hosts: []string{"B", "C"}, path: "B",
			near: there("C"), leisure: there("C")},
		{name: "not where it was", links: "A-B A-C:3 B-C", hosts: []string{"B", "C"}, path: "B C"},
		{name: "the next hop", links: "A-B B-C", hosts: []string{"C"}, near: there("B"), leisure: there("B")},
		{name: "from an origin for which this is not the way", links: "A-B B-C C-A", hosts: []string{"B"}, path: "C",
			near: there("B")},
		{name: "from an origin that nobody knows", links: "A-B A-C", hosts: []string{"B"}, path: "Z C",
			near: there("B"), leisure: there("B")},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := tableOf(t, "A", c.links, c.hosts...)
			of := func(neighbor string) Load {
				if load, ok := c.neighbors[neighbor]; ok {
					return load
				}
				return free
			}
			if got := table.Closest(message(c.path), c.turn, c.local, of); got != c.near {
				t.Errorf("closest: %+v, want %+v", got, c.near)
			}
			if got := table.Balanced(message(c.path), c.turn, c.local, of); got != c.leisure {
				t.Errorf("balanced: %+v, want %+v", got, c.leisure)
			}
		})
	}
}

func here(i int) Choice            { return Choice{Found: true, Local: i} }
func there(neighbor string) Choice { return Choice{Found: true, Neighbor: neighbor} }

func TestToward(t *testing.T) {
	table := tableOf(t, "A", "A-B B-C")
	if got := table.Toward("C", message("")); got != there("B") {
		t.Errorf("got %+v", got)
	}
	for router, path := range map[string]string{"X": "", "C": "B", "B": "B C"} {
		if got := table.Toward(router, message(path)); got.Found {
			t.Errorf("to %s by %q: %+v", router, path, got)
		}
	}
}

func TestTableFollowsChanges(t *testing.T) {
	table := tableOf(t, "A", "A-B A-C X-Y", "C", "B", "B", "X")
	if got := table.Hosts(key); !slices.Equal(got, []string{"B", "C", "X"}) {
		t.Errorf("hosts %v", got)
	}
	apply := func(kind routing.ChangeKind, router string, k protocol.Key) {
		table.Apply(routing.Change{Kind: kind, Router: router, Address: protocol.Address{Key: k, Treatment: protocol.Multicast}})
	}
	apply(routing.Added, "B", "M0other")
	if table.Hint("M0other") != protocol.Multicast || table.Hint("M0unheard") != protocol.Unknown {
		t.Error("hints are lost")
	}
	apply(routing.Removed, "C", key)
	apply(routing.Flushed, "B", "")
	apply(routing.Removed, "Z", "M0unheard")
	if got := table.Hosts(key); !slices.Equal(got, []string{"X"}) || table.Reachable(key) {
		t.Errorf("hosts %v, reachable %v", got, table.Reachable(key))
	}
	apply(routing.Removed, "X", key)
	if len(table.remotes)+len(table.byHost) != 0 {
		t.Errorf("something stays: %v %v", table.remotes, table.byHost)
	}
}

func TestAddressed(t *testing.T) {
	for _, c := range []struct {
		to   string
		a    protocol.Annotations
		want protocol.Key
	}{
		{"orders", protocol.Annotations{}, "M0orders"},
		{"amqp:/orders", protocol.Annotations{Phase: 1}, "M1orders"},
		{"orders", protocol.Annotations{To: "amqp:/invoices"}, "M0invoices"},
		{"_topo/0/B/temp.1", protocol.Annotations{}, "RB"},
		{"_topo/0/A/temp.1", protocol.Annotations{}, "Ltemp.1"},
		{"_edge/E/temp.1", protocol.Annotations{}, "HE"},
		{"_topo/0/all/news", protocol.Annotations{}, "Tnews"},
	} {
		if got := KeyOf(Addressed(c.to, c.a, "A"), c.a.Phase); got != c.want {
			t.Errorf("%s %+v: %s, want %s", c.to, c.a, got, c.want)
		}
	}
}

// TestWaysFollowChanges checks that what is noted of the ways is what a new table notes, whatever came before.
func TestWaysFollowChanges(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	networks := []string{"A-B A-C:3 B-D C-E D-E:9", "A-B A-C B-C D-E", "A-C:2 C-B C-D D-E"}
	routers := []string{"B", "C", "D", "E", "X"}
	table, links := tableOf(t, "A", networks[0]), networks[0]
	for step := range 500 {
		switch host := routers[random.IntN(len(routers))]; random.IntN(5) {
		case 0:
			links = networks[random.IntN(len(networks))]
			other := tableOf(t, "A", links)
			table.Reroute(other.routes, other.origins)
		case 1, 2:
			table.Apply(routing.Change{Kind: routing.Added, Router: host, Address: protocol.Address{Key: key}})
		case 3:
			table.Apply(routing.Change{Kind: routing.Removed, Router: host, Address: protocol.Address{Key: key}})
		default:
			table.Apply(routing.Change{Kind: routing.Flushed, Router: host})
		}
		fresh := tableOf(t, "A", links, table.Hosts(key)...)
		got, want := table.NextHops(key), fresh.NextHops(key)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d, step %d: the next hops are %v, want %v", seed, step, got, want)
		}
		for _, neighbor := range want {
			cost, ok := table.Way(key, neighbor, Message{Key: key})
			if wanted, _ := fresh.Way(key, neighbor, Message{Key: key}); !ok || cost != wanted {
				t.Fatalf("seed %d, step %d: the way by %s costs %d, want %d", seed, step, neighbor, cost, wanted)
			}
		}
	}
}
