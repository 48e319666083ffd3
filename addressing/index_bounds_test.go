package addressing

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// visits returns how many nodes of the trie one Match looks at.
func (x *Index[T]) visits(a Address) int {
	var s search[T]
	s.run(&x.patterns, a)
	return s.visited
}

// nodes counts the nodes at n and below.
func (n *node[T]) nodes() int {
	count := 1
	for child := range n.children.all() {
		count += child.nodes()
	}
	return count
}

// checkJoined fails if a node below n could be left out.
func (n *node[T]) checkJoined(t interface{ Fatalf(string, ...any) }) {
	for child := range n.children.all() {
		if child.exact == nil && child.rest == nil && child.children.size() < 2 {
			t.Fatalf("the node %q holds nothing", child.path)
		}
		child.checkJoined(t)
	}
}

func patternsOf(t *testing.T, texts []string) *Index[int] {
	t.Helper()
	var x Index[int]
	for i, text := range texts {
		f, err := ParseMQTTFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		x.Add(f, i)
	}
	return &x
}

// eitherWay returns all 2^k filters in which each of k levels is "a" or "+", with the end added.
func eitherWay(k int, end string) []string {
	var texts []string
	for bits := range 1 << k {
		levels := make([]string, k, k+1)
		for i := range levels {
			levels[i] = "a"
			if bits>>i&1 == 1 {
				levels[i] = "+"
			}
		}
		texts = append(texts, strings.Join(append(levels, end), "/"))
	}
	return texts
}

// deep returns n filters with all the wildcards that are allowed, each ending in another level.
func deep(n int) []string {
	var texts []string
	for i := range n {
		texts = append(texts, strings.Repeat("+/", MaxWildcards)+fmt.Sprint("x", i))
	}
	return texts
}

// staggered returns filters whose wildcards begin ever deeper below the same long literal path.
func staggered() []string {
	var texts []string
	for i := 1; i < MaxLevels-MaxWildcards; i++ {
		texts = append(texts, strings.Repeat("a/", i)+strings.Repeat("+/", MaxWildcards)+"x")
	}
	return texts
}

func TestHostileFiltersCostAtMostTwoNodesEach(t *testing.T) {
	path := func(n int, end string) Address { return Address(strings.Repeat("a/", n) + end) }
	for name, c := range map[string]struct {
		filters []string
		address Address
		most    int // nodes visited; at most two for each filter, and the root
	}{
		"every choice of wildcards, no match":          {eitherWay(12, "x"), path(12, "y"), 2<<12 + 1},
		"every choice of wildcards, too short":         {eitherWay(12, "x"), path(11, "a"), 2<<12 + 1},
		"every choice of wildcards, first level wrong": {eitherWay(12, "x"), "b/" + path(11, "y"), 1<<12 + 2},
		"thousands at the end of many wildcards":       {deep(5000), path(MaxWildcards, "y"), 3},
		"thousands, one matches":                       {deep(5000), path(MaxWildcards, "x7"), 3},
		"ever deeper wildcards, no match":              {staggered(), path(MaxLevels-1, "y"), 2*MaxLevels + 1},
		"ever deeper wildcards, one matches":           {staggered(), path(40, "x"), 2*MaxLevels + 1},
	} {
		x := patternsOf(t, c.filters)
		if nodes := x.patterns.nodes(); nodes > 2*len(c.filters)+1 {
			t.Errorf("%s: %d filters have %d nodes", name, len(c.filters), nodes)
		}
		if visited := x.visits(c.address); visited > c.most {
			t.Errorf("%s: %d nodes visited, more than %d", name, visited, c.most)
		}
	}
}

func TestMatchVisitsNoNodeTwiceWhateverIsAddedAndRemoved(t *testing.T) {
	level := rapid.SampledFrom([]string{"a", "b", "", "+", "+"})
	rapid.Check(t, func(t *rapid.T) {
		var x Index[int]
		filters := map[Filter]bool{}
		for range rapid.IntRange(0, 80).Draw(t, "steps") {
			text := strings.Join(rapid.SliceOfN(level, 1, 10).Draw(t, "levels"), "/") + "/+"
			if rapid.Bool().Draw(t, "rest") {
				text += "/#"
			}
			f, err := ParseMQTTFilter(text)
			if err != nil {
				t.Fatal(err)
			}
			x.Add(f, 0)
			filters[f] = true
			if rapid.Bool().Draw(t, "remove") {
				for f := range filters {
					x.Remove(f, 0)
					delete(filters, f)
					break
				}
			}
			x.patterns.checkJoined(t)
		}
		nodes := x.patterns.nodes()
		if nodes > 2*len(filters)+1 {
			t.Fatalf("%d filters have %d nodes", len(filters), nodes)
		}
		address := Address(strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b"}), 1, 12).Draw(t, "address"), "/"))
		if visited := x.visits(address); visited > nodes {
			t.Fatalf("%d visits of %d nodes", visited, nodes)
		}
	})
}

func TestRemovingEverythingLeavesNothing(t *testing.T) {
	texts := append(eitherWay(8, "x"), deep(100)...)
	texts = append(texts, "#", "+/#", "/#", "a/b", "a//", "/")
	x := patternsOf(t, texts)
	for i, text := range texts {
		f, _ := ParseMQTTFilter(text)
		if !x.Remove(f, i) {
			t.Fatalf("%q was not there", text)
		}
		x.patterns.checkJoined(t)
	}
	if x.literal != nil || x.patterns.children != nil || x.patterns.rest != nil || x.Len() != 0 {
		t.Errorf("left over: %+v", x)
	}
}

func TestEntryTakesLittleMemory(t *testing.T) {
	const entries = 100_000
	for name, c := range map[string]struct {
		format string
		most   uint64 // bytes for each, without the text of the filter
	}{
		"literal filters":          {"site/%d/device/pump-%[1]d", 120},
		"wildcards after a device": {"site/device-%d/+/state", 200},
		"wildcards in the middle":  {"site/+/device-%d/state", 200},
		"ending in the rest":       {"site/device-%d/#", 200},
	} {
		filters := make([]Filter, entries)
		for i := range filters {
			f, err := ParseMQTTFilter(fmt.Sprintf(c.format, i))
			if err != nil {
				t.Fatal(err)
			}
			filters[i] = f
		}
		var x Index[*int]
		v, before := new(int), heapInUse()
		for _, f := range filters {
			x.Add(f, v)
		}
		each := (heapInUse() - before) / entries
		t.Logf("%s: %d bytes for each", name, each)
		if each > c.most {
			t.Errorf("%s: %d bytes for each, more than %d", name, each, c.most)
		}
		runtime.KeepAlive(filters)
		runtime.KeepAlive(&x)
	}
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
