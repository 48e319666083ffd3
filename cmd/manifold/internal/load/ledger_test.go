package load

import (
	"testing"

	"pgregory.net/rapid"
)

func TestLedgerAgreesWithASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l ledger
		seen := map[uint64]bool{}
		var duplicated, late, highest uint64
		for _, s := range rapid.SliceOf(rapid.Uint64Range(0, 40)).Draw(t, "arrivals") {
			isNew := l.note(s)
			if isNew == seen[s] {
				t.Fatalf("message %d: new is %v", s, isNew)
			}
			switch {
			case seen[s]:
				duplicated++
			case s < highest:
				late++
			}
			seen[s] = true
			highest = max(highest, s+1)
		}
		const sent = 50
		if l.unique != uint64(len(seen)) || l.duplicated != duplicated || l.misordered != late {
			t.Fatalf("unique %d of %d, duplicated %d of %d, misordered %d of %d",
				l.unique, len(seen), l.duplicated, duplicated, l.misordered, late)
		}
		if got := l.lost(sent); got != sent-uint64(len(seen)) {
			t.Fatalf("lost %d, want %d", got, sent-len(seen))
		}
	})
}
