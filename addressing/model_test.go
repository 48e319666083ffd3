package addressing_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/manifoldmq/manifold/addressing"
)

// The models below know a filter by its MQTT notation and are as simple as the rules read.

// modelMatches tells whether an MQTT filter selects an address.
func modelMatches(filter, address string) bool {
	if strings.HasPrefix(address, "$") && (filter[0] == '+' || filter[0] == '#') {
		return false
	}
	return modelLevels(strings.Split(filter, "/"), strings.Split(address, "/"))
}

func modelLevels(filter, address []string) bool {
	switch {
	case len(filter) == 0:
		return len(address) == 0
	case filter[0] == "#":
		return true
	case len(address) == 0:
		return false
	}
	return (filter[0] == "+" || filter[0] == address[0]) && modelLevels(filter[1:], address[1:])
}

// modelSpecificity maps an MQTT filter to text whose order is the order of specificity.
func modelSpecificity(filter string) string {
	var b strings.Builder
	for level := range strings.SplitSeq(filter, "/") {
		switch level {
		case "+":
			b.WriteByte('1')
		case "#":
			b.WriteByte('2')
		default:
			b.WriteByte('0')
		}
	}
	return b.String()
}

// world has every address of up to 4 levels over a small alphabet, in which "z" is a level that no filter names.
func world() []addressing.Address {
	alphabet := []string{"a", "", "*", "$s", "z"}
	all, longest := slices.Clone(alphabet), alphabet
	for range 3 {
		var longer []string
		for _, address := range longest {
			for _, level := range alphabet {
				longer = append(longer, address+"/"+level)
			}
		}
		all, longest = append(all, longer...), longer
	}
	var addresses []addressing.Address
	for _, s := range all {
		if s != "" {
			addresses = append(addresses, addressing.Address(s))
		}
	}
	return addresses
}

// someFilter draws MQTT filters of up to 3 levels over the alphabet of world, but for "z".
func someFilter() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		levels := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "", "*", "$s", "+", "+"}), 0, 3).Draw(t, "levels")
		if len(levels) < 3 && rapid.Bool().Draw(t, "rest") {
			levels = append(levels, "#")
		}
		if text := strings.Join(levels, "/"); text != "" {
			return text
		}
		return "a"
	})
}

func mqttFilter(t interface{ Fatal(...any) }, s string) addressing.Filter {
	f, err := addressing.ParseMQTTFilter(s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func houseFilter(t interface{ Fatal(...any) }, s string) addressing.Filter {
	f, err := addressing.ParseFilter(s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestMatchesAgreesWithTheModel(t *testing.T) {
	addresses := world()
	rapid.Check(t, func(t *rapid.T) {
		text := someFilter().Draw(t, "filter")
		f := mqttFilter(t, text)
		for _, a := range addresses {
			if got, want := f.Matches(a), modelMatches(text, a.String()); got != want {
				t.Fatalf("%q on %q: got %v", text, a, got)
			}
		}
	})
}

func TestOverlapsAndWithinAgreeWithTheSetsOfAddresses(t *testing.T) {
	addresses := world()
	rapid.Check(t, func(t *rapid.T) {
		ftext, gtext := someFilter().Draw(t, "f"), someFilter().Draw(t, "g")
		f, g := mqttFilter(t, ftext), mqttFilter(t, gtext)
		overlaps, within := false, true
		for _, a := range addresses {
			inF, inG := modelMatches(ftext, a.String()), modelMatches(gtext, a.String())
			overlaps = overlaps || inF && inG
			within = within && (!inF || inG)
		}
		if got := f.Overlaps(g); got != overlaps {
			t.Fatalf("%q overlaps %q: got %v", ftext, gtext, got)
		}
		if got := f.Within(g); got != within {
			t.Fatalf("%q within %q: got %v", ftext, gtext, got)
		}
		if f.Overlaps(g) != g.Overlaps(f) {
			t.Fatalf("%q and %q overlap one way only", ftext, gtext)
		}
	})
}
