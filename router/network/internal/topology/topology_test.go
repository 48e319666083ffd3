package topology

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// parse reads links, one a word: "A-B:3" is a link of cost 3 reported from both ends, "A>B" one of cost 1 reported by
// A alone.
func parse(t *testing.T, text string) *Graph {
	t.Helper()
	reported := make(map[string][]Edge)
	for word := range strings.FieldsSeq(text) {
		ends, price, priced := strings.Cut(word, ":")
		cost := int64(1)
		if priced {
			if _, err := fmt.Sscan(price, &cost); err != nil {
				t.Fatal(err)
			}
		}
		a, b, both := strings.Cut(ends, "-")
		if !both {
			a, b, _ = strings.Cut(ends, ">")
		}
		reported[a] = append(reported[a], Edge{b, cost})
		if both {
			reported[b] = append(reported[b], Edge{a, cost})
		}
	}
	return NewGraph(reported)
}

func TestRoutesAndOrigins(t *testing.T) {
	cases := []struct {
		name, self, graph string
		want              []string // router, next hop, cost, valid origins
	}{
		{"alone", "A", "", nil},
		{"chain end", "A", "A-B B-C", []string{"B via B 1 []", "C via B 2 []"}},
		{"chain middle", "B", "A-B B-C", []string{"A via A 1 [C]", "C via C 1 [A]"}},
		{"triangle", "A", "A-B B-C C-A", []string{"B via B 1 []", "C via C 1 []"}},
		{"square: of equals the one through the lowest id", "A", "A-B A-C B-D C-D",
			[]string{"B via B 1 [C]", "C via C 1 [B]", "D via B 2 []"}},
		{"square from the other side", "B", "A-B A-C B-D C-D",
			[]string{"A via A 1 [D]", "D via D 1 [A]", "C via A 2 []"}},
		{"of equals the nearer predecessor, not the lower id", "A", "A-B:3 A-C:1 B-D:1 C-D:3",
			[]string{"C via C 1 []", "B via B 3 [C]", "D via C 4 []"}},
		{"costs", "A", "A-B:10 A-C:1 C-B:2", []string{"C via C 1 []", "B via C 3 []"}},
		{"reported by one end", "A", "A-B B-A C>B B-D", []string{"B via B 1 []", "D via B 2 []"}},
		{"reported by nobody yet", "A", "A-B B>Z", []string{"B via B 1 []", "Z via B 2 []"}},
		{"island", "A", "A-B X-Y", []string{"B via B 1 []"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			routes := parse(t, c.graph).Routes(c.self)
			origins := routes.Origins()
			var got []string
			for r := range routes.All() {
				got = append(got, fmt.Sprintf("%s via %s %d %v", r.Router, r.NextHop, r.Cost, origins.Of(r.Router)))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("routes of %s\n got %q\nwant %q", c.self, got, c.want)
			}
			if routes.Len() != len(c.want) {
				t.Errorf("Len is %d, want %d", routes.Len(), len(c.want))
			}
		})
	}
}

func TestRadiusCountsHopsNotCost(t *testing.T) {
	routes := parse(t, "A-B:9 A-C A-D C-E E-F").Routes("A")
	if got := routes.Radius(); got != 3 {
		t.Errorf("radius is %d, want 3", got)
	}
}

func TestOutOfReachIsNoRoute(t *testing.T) {
	routes := parse(t, "A-B C-D").Routes("A")
	for _, router := range []string{"A", "C", "Z"} {
		if route, ok := routes.To(router); ok {
			t.Errorf("To(%s) = %+v, want none", router, route)
		}
	}
	if origins := routes.Origins(); origins.Valid("A", "C") || origins.Valid("Z", "B") || !origins.Valid("A", "B") {
		t.Error("only what is in reach is valid")
	}
}

func TestZeroRoutesLeadNowhere(t *testing.T) {
	var routes Routes
	if _, ok := routes.To("A"); ok || routes.Len() != 0 || routes.Radius() != 0 || len(routes.Origins().Of("A")) != 0 {
		t.Error("zero routes lead somewhere")
	}
}

// TestTreesAgree follows each way hop by hop, asking each router on it, as a message does.
func TestTreesAgree(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 20 {
		g := randomGraph(random, 2+random.IntN(30))
		routes, origins := make(map[string]*Routes), make(map[string]*Origins)
		for _, id := range g.ids {
			routes[id] = g.Routes(id)
			origins[id] = routes[id].Origins()
		}
		for _, origin := range g.ids {
			for _, to := range g.ids {
				if origin != to {
					followOrigin(t, origin, to, routes, origins)
				}
			}
		}
	}
}

// followOrigin checks that exactly the routers of one way from an origin to a destination hold that origin valid, and
// that each of them expects it from the one before.
func followOrigin(t *testing.T, origin, to string, routes map[string]*Routes, origins map[string]*Origins) {
	t.Helper()
	_, reachable := routes[origin].To(to)
	carriers := make(map[string]string) // who expects it from whom
	for id := range routes {
		if id != to && id != origin && origins[id].Valid(origin, to) {
			before, _ := origins[id].Before(origin)
			carriers[id] = before
		}
	}
	at := to
	for at != origin && reachable {
		before, ok := origins[at].Before(origin)
		if !ok {
			t.Fatalf("%s to %s: %s expects it from nobody", origin, to, at)
		}
		if before != origin {
			if _, ok := carriers[before]; !ok {
				t.Fatalf("%s to %s: %s does not carry it", origin, to, before)
			}
		}
		delete(carriers, before)
		at = before
	}
	if len(carriers) > 0 {
		t.Fatalf("%s to %s: carried aside by %v", origin, to, carriers)
	}
}

func randomGraph(random *rand.Rand, n int) *Graph {
	reported := make(map[string][]Edge)
	link := func(a, b int) {
		cost := int64(1 + random.IntN(4))
		x, y := fmt.Sprint("R", a), fmt.Sprint("R", b)
		reported[x] = append(reported[x], Edge{y, cost})
		reported[y] = append(reported[y], Edge{x, cost})
	}
	for i := 1; i < n; i++ {
		if random.IntN(20) > 0 {
			link(i, random.IntN(i))
		}
	}
	for range n {
		if a, b := random.IntN(n), random.IntN(n); a != b {
			link(a, b)
		}
	}
	return NewGraph(reported)
}

func BenchmarkRoutes(b *testing.B)  { benchmark(b, func(r *Routes) {}) }
func BenchmarkOrigins(b *testing.B) { benchmark(b, func(r *Routes) { r.Origins() }) }

func benchmark(b *testing.B, then func(*Routes)) {
	g := randomGraph(rand.New(rand.NewPCG(1, 1)), 127)
	b.ReportAllocs()
	for b.Loop() {
		then(g.Routes("R0"))
	}
}
