package addressing_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/manifoldmq/manifold/addressing"
)

func TestPairIsAddedAndRemovedOnce(t *testing.T) {
	for _, text := range []string{"a/b", "a/*", "a/#", "#"} {
		f := houseFilter(t, text)
		var x addressing.Index[int]
		if !x.Add(f, 1) || x.Add(f, 1) || !x.Add(f, 2) || x.Len() != 2 {
			t.Errorf("%q: adding went wrong, %d pairs", text, x.Len())
		}
		if x.Remove(f, 3) || !x.Remove(f, 1) || x.Remove(f, 1) || x.Len() != 1 {
			t.Errorf("%q: removing went wrong, %d pairs", text, x.Len())
		}
		if got := x.Match("a/b", nil); !slices.Equal(got, []int{2}) {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

func TestFilterThatIsNotThereIsNotRemoved(t *testing.T) {
	var x addressing.Index[int]
	x.Add(houseFilter(t, "a/*/c/d"), 1)
	for _, text := range []string{"a/*", "a/*/c", "a/*/c/#", "a/*/c/d/*", "*/b", "#", "a/b/c/d"} {
		if x.Remove(houseFilter(t, text), 1) {
			t.Errorf("%q was removed", text)
		}
	}
	if x.Remove(addressing.Filter{}, 1) || x.Add(addressing.Filter{}, 1) || x.Len() != 1 {
		t.Error("the zero filter changed the index")
	}
}

func TestValueUnderTwoMatchingFiltersAppearsTwice(t *testing.T) {
	var x addressing.Index[string]
	x.Add(houseFilter(t, "a/*"), "v")
	x.Add(houseFilter(t, "a/b"), "v")
	x.Add(houseFilter(t, "a/c"), "v")
	if got := x.Match("a/b", []string{"before"}); !slices.Equal(got, []string{"before", "v", "v"}) {
		t.Errorf("got %q", got)
	}
}

func TestOneFilterHoldsACrowd(t *testing.T) {
	for _, text := range []string{"a", "#"} {
		const crowd = 10_000
		var x addressing.Index[int]
		f := houseFilter(t, text)
		for v := range crowd {
			if !x.Add(f, v) || x.Add(f, v/2) {
				t.Fatalf("%q: value %d was not added once", text, v)
			}
		}
		for v := range crowd {
			if v%100 != 0 && !x.Remove(f, v) {
				t.Fatalf("%q: value %d was not removed", text, v)
			}
		}
		got := x.Match("a", nil)
		slices.Sort(got)
		if len(got) != crowd/100 || got[1] != 100 || x.Len() != crowd/100 {
			t.Errorf("%q: %v are left", text, got)
		}
	}
}

func TestMatchAllocatesNothingBeyondItsResult(t *testing.T) {
	var x addressing.Index[int]
	for v, text := range []string{"a/b/c", "a/*/c", "a/#", "*/b/#", "#"} {
		x.Add(houseFilter(t, text), v)
	}
	dst := make([]int, 0, 8)
	if allocs := testing.AllocsPerRun(100, func() { dst = x.Match("a/b/c", dst[:0]) }); allocs != 0 || len(dst) != 5 {
		t.Errorf("%v allocations, %v", allocs, dst)
	}
}

// pair is an entry of the model of an index.
type pair struct {
	filter string
	value  int
}

func comparePairs(p, q pair) int {
	return cmp.Or(cmp.Compare(p.filter, q.filter), cmp.Compare(p.value, q.value))
}

func TestIndexAgreesWithTheModel(t *testing.T) {
	addresses := world()
	filters := rapid.OneOf(someFilter(), rapid.Custom(func(t *rapid.T) string { // or one of many side by side
		return fmt.Sprintf("a/+/%d", rapid.IntRange(0, 15).Draw(t, "sibling"))
	}))
	rapid.Check(t, func(t *rapid.T) {
		var x addressing.Index[int]
		model := map[pair]bool{}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			p := pair{filters.Draw(t, "filter"), rapid.IntRange(0, 3).Draw(t, "value")}
			if len(model) > 0 && rapid.Bool().Draw(t, "known") {
				p = rapid.SampledFrom(slices.SortedFunc(maps.Keys(model), comparePairs)).Draw(t, "pair")
			}
			if f := mqttFilter(t, p.filter); rapid.Bool().Draw(t, "add") {
				if got := x.Add(f, p.value); got == model[p] {
					t.Fatalf("add %v: got %v", p, got)
				}
				model[p] = true
			} else {
				if got := x.Remove(f, p.value); got != model[p] {
					t.Fatalf("remove %v: got %v", p, got)
				}
				delete(model, p)
			}
		}
		if x.Len() != len(model) {
			t.Fatalf("%d pairs, want %d", x.Len(), len(model))
		}
		for _, a := range append(addresses, "a/z/7") {
			checkMatch(t, &x, model, a)
		}
	})
}

func checkMatch(t *rapid.T, x *addressing.Index[int], model map[pair]bool, a addressing.Address) {
	var want []int
	for p := range model {
		if modelMatches(p.filter, a.String()) {
			want = append(want, p.value)
		}
	}
	got := x.Match(a, nil)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("%q: got %v, want %v", a, got, want)
	}
}
