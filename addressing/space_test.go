package addressing_test

import (
	"iter"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/manifoldmq/manifold/addressing"
)

// spaceOf makes a space of topics from names in the house syntax.
func spaceOf(t interface{ Fatal(...any) }, names ...string) *addressing.Space {
	var defs []addressing.Definition
	for _, name := range names {
		defs = append(defs, addressing.Definition{Name: houseFilter(t, name), Kind: addressing.Topic})
	}
	s, err := addressing.NewSpace(defs)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func namesOf(defs iter.Seq[*addressing.Definition]) []string {
	var names []string
	for d := range defs {
		names = append(names, d.Name.String())
	}
	return names
}

func TestMostSpecificDefinitionWins(t *testing.T) {
	s := spaceOf(t, "#", "a/#", "a/*", "a/*/#", "a/b", "*/b", "*/b/c", "a/b/*/d", "$SYS/#", "e/*/g", "e/#")
	for address, want := range map[addressing.Address]string{
		"x":       "#",
		"a":       "a/#",
		"a/b":     "a/b",
		"a/x":     "a/*",
		"a/x/y":   "a/*/#",
		"a/b/c":   "a/*/#", // its first literal level goes before that of */b/c
		"a/b/c/d": "a/b/*/d",
		"x/b":     "*/b",
		"x/b/c":   "*/b/c",
		"x/b/d":   "#",
		"e/f/g":   "e/*/g",
		"e/f/h":   "e/#",
		"$SYS/b":  "$SYS/#",
		"$X/b":    "",
		"":        "",
	} {
		got := ""
		if d, ok := s.Lookup(address); ok {
			got = d.Name.String()
		}
		if got != want {
			t.Errorf("%q falls under %q, want %q", address, got, want)
		}
	}
}

func TestOverlappingLeavesOutWhatMoreSpecificNamesCover(t *testing.T) {
	s := spaceOf(t, "a", "a!", "a/#", "a/b", "a/*", "c/*", "c/d/#", "$SYS/#", "#")
	for filter, want := range map[string][]string{
		"a":      {"a"},
		"a/b":    {"a/b"},
		"a/x":    {"a/*"},
		"a/*":    {"a/b", "a/*"},
		"a/#":    {"a", "a/b", "a/#", "a/*"},
		"a/*/*":  {"a/#"},
		"c/#":    {"#", "c/*", "c/d/#"},
		"*/b":    {"a/b", "#", "c/*"}, // the only address under a/* would be a/b
		"$SYS/*": {"$SYS/#"},
		"$X/*":   nil,
		"x":      {"#"},
		"$x":     nil,
		"#":      {"a", "a!", "a/b", "#", "a/#", "a/*", "c/*", "c/d/#"},
	} {
		if got := namesOf(s.Overlapping(houseFilter(t, filter))); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", filter, got, want)
		}
	}
	if got := namesOf(s.Overlapping(addressing.Filter{})); got != nil {
		t.Errorf("the zero filter: got %q", got)
	}
}

func TestOrderOfDefinitionsDependsOnNamesOnly(t *testing.T) {
	s, r := spaceOf(t, "b", "a/*", "#", "a"), spaceOf(t, "a", "#", "b", "a/*")
	want := []string{"a", "b", "#", "a/*"}
	if got := namesOf(s.All()); !slices.Equal(got, want) || !slices.Equal(namesOf(r.All()), want) || s.Len() != 4 {
		t.Errorf("got %q and %q", got, namesOf(r.All()))
	}
	for range s.All() {
		break // the walk must stop when its reader does
	}
	for range s.Overlapping(houseFilter(t, "#")) {
		break
	}
}

func TestSpaceNamesTheDefinitionThatItRefuses(t *testing.T) {
	name := houseFilter(t, "a/*")
	topic := addressing.Definition{Name: name, Kind: addressing.Topic}
	other := addressing.Definition{Name: houseFilter(t, "b"), Kind: addressing.Queue}
	for want, defs := range map[string][]addressing.Definition{
		`definitions 1 and 3 have the same name "a/*"`: {topic, other, topic},
		`definition 2: address "a/*": kind is missing`: {other, {Name: name}},
	} {
		if _, err := addressing.NewSpace(defs); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestSpaceDoesNotFollowChangesOfItsInput(t *testing.T) {
	defs := []addressing.Definition{{Name: houseFilter(t, "a"), Kind: addressing.Topic}}
	s, err := addressing.NewSpace(defs)
	if err != nil {
		t.Fatal(err)
	}
	defs[0].Kind = addressing.Queue
	if d, _ := s.Lookup("a"); d.Kind != addressing.Topic {
		t.Errorf("got %v", d.Kind)
	}
}

func TestSpaceAgreesWithTheModel(t *testing.T) {
	addresses := world()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(someFilter(), 0, 12, rapid.ID).Draw(t, "names")
		var defs []addressing.Definition
		for _, name := range names {
			defs = append(defs, addressing.Definition{Name: mqttFilter(t, name), Kind: addressing.Queue})
		}
		s, err := addressing.NewSpace(defs)
		if err != nil {
			t.Fatal(err)
		}
		asked := someFilter().Draw(t, "asked")
		reached := map[string]bool{}
		for _, a := range addresses {
			want := modelLookup(names, a.String())
			d, ok := s.Lookup(a)
			if ok != (want != "") || ok && d.Name != mqttFilter(t, want) {
				t.Fatalf("%q falls under %v, want %q", a, d, want)
			}
			if ok && modelMatches(asked, a.String()) {
				reached[d.Name.String()] = true
			}
		}
		got := namesOf(s.Overlapping(mqttFilter(t, asked)))
		for _, name := range got {
			if !reached[name] {
				t.Fatalf("%q does not reach %q", asked, name)
			}
		}
		if len(got) != len(reached) {
			t.Fatalf("%q: got %q, want %v", asked, got, reached)
		}
	})
}

// modelLookup returns the most specific of the MQTT filters that select the address, or "".
func modelLookup(names []string, address string) string {
	best := ""
	for _, name := range names {
		if modelMatches(name, address) && (best == "" || modelSpecificity(name) < modelSpecificity(best)) {
			best = name
		}
	}
	return best
}

func TestDeadLettersNeedAQueue(t *testing.T) {
	queue := func(name string, s addressing.QueueSettings) addressing.Definition {
		return addressing.Definition{Name: houseFilter(t, name), Kind: addressing.Queue, Queue: s}
	}
	for want, defs := range map[string][]addressing.Definition{
		`address "jobs": deadLetter "dead" is not declared as a queue`: {
			queue("jobs", addressing.QueueSettings{DeadLetter: "dead"})},
		`address "jobs": expiry "news" is not declared as a queue`: {
			queue("jobs", addressing.QueueSettings{Expiry: "news"}),
			{Name: houseFilter(t, "news"), Kind: addressing.Topic}},
	} {
		if _, err := addressing.NewSpace(defs); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := addressing.NewSpace([]addressing.Definition{
		queue("jobs", addressing.QueueSettings{DeadLetter: "dead/jobs"}), queue("dead/#", addressing.QueueSettings{}),
	}); err != nil {
		t.Error(err)
	}
}
