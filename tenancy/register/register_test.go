package register

import (
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// guest is an entry that knows its number.
type guest struct{ number uint64 }

func TestRegisterIsThatOfASimpleModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var numbers Numbers
		var r Of[*guest]
		var model []*guest
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			if len(model) == 0 || rapid.IntRange(0, 9).Draw(t, "step") < 5 {
				g := new(guest)
				r.Add(&numbers, g, &g.number)
				model = append(model, g)
			} else {
				at := rapid.IntRange(0, len(model)-1).Draw(t, "who")
				if !r.Remove(model[at].number) || r.Remove(model[at].number) {
					t.Fatal("an entry is not removed once")
				}
				model = slices.Delete(model, at, at+1)
			}
		}
		if r.Len() != len(model) {
			t.Fatalf("%d are there, want %d", r.Len(), len(model))
		}
		most := rapid.IntRange(1, 20).Draw(t, "most")
		var listed []*guest
		for after := uint64(0); ; {
			page := r.Page(after, most)
			if len(page) == 0 {
				break
			}
			listed = append(listed, page...)
			after = page[len(page)-1].number
		}
		if !slices.Equal(listed, model) {
			t.Fatalf("the pages have %d entries, want the %d of the model in their order", len(listed), len(model))
		}
		for _, g := range model {
			if found, ok := r.Get(g.number); !ok || found != g {
				t.Fatalf("number %d is not found", g.number)
			}
		}
	})
}

func TestManyComeAndGoAtOnce(t *testing.T) {
	var numbers Numbers
	var r Of[*guest]
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				g := new(guest)
				r.Add(&numbers, g, &g.number)
				if found, ok := r.Get(g.number); !ok || found != g {
					t.Error("who has come is not there")
				}
				r.Page(g.number-1, 3)
				r.Remove(g.number)
			}
		})
	}
	all.Wait()
	if n := r.Len(); n != 0 {
		t.Errorf("%d are left", n)
	}
}

// BenchmarkPage is a page of 100 in the middle of 100,000 entries.
func BenchmarkPage(b *testing.B) {
	var numbers Numbers
	var r Of[*guest]
	for range 100_000 {
		g := new(guest)
		r.Add(&numbers, g, &g.number)
	}
	for b.Loop() {
		r.Page(50_000, 100)
	}
}

// BenchmarkVisit is one that comes and goes among 100,000.
func BenchmarkVisit(b *testing.B) {
	var numbers Numbers
	var r Of[*guest]
	for range 100_000 {
		g := new(guest)
		r.Add(&numbers, g, &g.number)
	}
	g := new(guest)
	for b.Loop() {
		r.Add(&numbers, g, &g.number)
		r.Remove(g.number)
	}
}
