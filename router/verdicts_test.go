package router

import (
	"math/rand/v2"
	"testing"
)

func TestWeightiestOutcomeCounts(t *testing.T) {
	rejected, another := Reject(Malformed, "bad"), Reject(Quota, "full")
	for _, c := range []struct {
		name string
		said []Outcome
		want Outcome
	}{
		{"nobody", nil, Release()},
		{"all accept", []Outcome{Accept(), Accept()}, Accept()},
		{"one accepts", []Outcome{Release(), Fail(), Accept(), Release()}, Accept()},
		{"one rejects", []Outcome{Accept(), Release(), rejected, Fail()}, rejected},
		{"the first who rejects gives the reason", []Outcome{rejected, another}, rejected},
		{"one has tried", []Outcome{Release(), Fail(), Release()}, Fail()},
		{"all release", []Outcome{Release(), Release()}, Release()},
	} {
		v := verdicts{missing: len(c.said)}
		for i, o := range c.said {
			if last := v.add(o); last != (i == len(c.said)-1) {
				t.Errorf("%s: outcome %d is the last: %v", c.name, i+1, last)
			}
		}
		if got := v.outcome(); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestOrderOfOutcomesDoesNotCount: receivers settle as they like.
func TestOrderOfOutcomesDoesNotCount(t *testing.T) {
	all := []Outcome{Accept(), Release(), Fail(), Reject(Malformed, "")}
	for range 100 {
		said := make([]Outcome, 1+rand.N(6))
		for i := range said {
			said[i] = all[rand.N(len(all))]
		}
		merge := func() State {
			v := verdicts{missing: len(said)}
			for _, o := range said {
				v.add(o)
			}
			return v.outcome().State
		}
		want := merge()
		rand.Shuffle(len(said), func(i, j int) { said[i], said[j] = said[j], said[i] })
		if got := merge(); got != want {
			t.Fatalf("%v becomes %v, or %v in another order", said, got, want)
		}
	}
}
