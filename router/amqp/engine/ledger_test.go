package engine

import (
	"math/rand/v2"
	"testing"
)

// TestLedgerAgreesWithAMap inserts and removes ids around the wrap in any order, and compares with a map.
func TestLedgerAgreesWithAMap(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 2))
		var g ledger
		model := map[uint32]int{}
		base := ^uint32(0) - 300
		for step := range 5000 {
			id := base + uint32(step/8) + uint32(random.IntN(40))
			switch {
			case random.IntN(2) == 0:
				_, known := model[id]
				if got := g.insert(entry{id: id, token: step}); got == known {
					t.Fatalf("seed %d: inserting %d gave %v", seed, id, got)
				}
				if !known {
					model[id] = step
				}
			default:
				token, known := model[id]
				e := g.find(id)
				if (e != nil) != known || known && e.token != token {
					t.Fatalf("seed %d: %d is found as %v, want %v", seed, id, e, known)
				}
				if known {
					g.remove(e)
					delete(model, id)
				}
			}
			checkLedger(t, seed, &g, model)
		}
	}
}

// checkLedger walks over all entries.
func checkLedger(t *testing.T, seed uint64, g *ledger, model map[uint32]int) {
	t.Helper()
	if g.live != len(model) {
		t.Fatalf("seed %d: %d are live, want %d", seed, g.live, len(model))
	}
	if g.live == 0 {
		return
	}
	next := g.entries[0].id
	for range model {
		e := g.from(next)
		if e == nil || model[e.id] != e.token {
			t.Fatalf("seed %d: %v follows %d", seed, e, next)
		}
		next = e.id + 1
	}
	if e := g.from(next); e != nil {
		t.Fatalf("seed %d: %d is one too many", seed, e.id)
	}
}

// TestLedgerWithOneOldEntryStaysSmall keeps one delivery unsettled while many come and go.
func TestLedgerWithOneOldEntryStaysSmall(t *testing.T) {
	var g ledger
	g.insert(entry{id: 0})
	for id := range uint32(1_000_000) {
		if !g.insert(entry{id: id + 1}) {
			t.Fatal(id)
		}
		g.remove(g.find(id + 1))
	}
	for id := uint32(2_000_000); id < 3_000_000; id++ {
		g.insert(entry{id: id})
		if id >= 2_000_010 {
			g.remove(g.find(id - 10))
		}
	}
	if n := cap(g.backing); n > 4*keptSlots {
		t.Errorf("room for %d entries", n)
	}
}

func TestLedgerRefusesWhatIsFarOff(t *testing.T) {
	var g ledger
	first := uint32(100)
	g.insert(entry{id: first})
	for _, id := range []uint32{first, first + maxSpan + 1, first - maxSpan - 1, first + 1<<31} {
		if g.insert(entry{id: id}) {
			t.Errorf("%d is taken", id)
		}
	}
	if !g.insert(entry{id: 100 + maxSpan}) || g.insert(entry{id: 99}) {
		t.Error("the span is not kept")
	}
}
