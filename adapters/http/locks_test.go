package http

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestLocksAgreeWithTheModel runs random operations against a plain map.
func TestLocksAgreeWithTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const most = 5
		table := newLocks(most)
		now := time.UnixMilli(0)
		model := make(map[lockID]*lock)
		count := func(h holder) (n int) {
			for _, l := range model {
				if l.holder == h {
					n++
				}
			}
			return n
		}
		drawHolder := func() holder { return holder{tenant: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "tenant")} }
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				h := drawHolder()
				if room := table.reserve(h, 2); room != min(2, most-count(h)) {
					t.Fatalf("room for %d beside %d", room, count(h))
				} else if room > 1 {
					table.giveBack(h, room-1)
				} else if room == 0 {
					return
				}
				l := &lock{holder: h, text: "q", expires: now.Add(time.Duration(rapid.IntRange(1, 9).Draw(t, "ms")) * time.Millisecond)}
				table.add(l)
				model[l.id] = l
			},
			"take": func(t *rapid.T) {
				for id, l := range model {
					if _, ok := table.take("c", "q", id); ok {
						t.Fatal("taken by another tenant")
					}
					if got, ok := table.take(l.holder.tenant, "q", id); !ok || got != l {
						t.Fatal("not found")
					}
					if _, ok := table.take(l.holder.tenant, "q", id); ok {
						t.Fatal("taken twice")
					}
					delete(model, id)
					return
				}
			},
			"pass": func(t *rapid.T) {
				now = now.Add(3 * time.Millisecond)
				for _, l := range table.due(now) {
					if l.expires.After(now) || model[l.id] != l {
						t.Fatal("not due")
					}
					delete(model, l.id)
				}
			},
			"": func(t *rapid.T) {
				first, ok := table.next()
				if ok != (len(model) > 0) || len(table.byToken) != len(model) {
					t.Fatalf("%d locks, want %d", len(table.byToken), len(model))
				}
				for _, l := range model {
					if l.expires.Before(first) || !l.expires.After(now) {
						t.Fatal("expires before the first, or has expired")
					}
				}
			},
		})
		if got := len(table.all()); got != len(model) || len(table.held) != 0 {
			t.Fatalf("%d locks, %d holders", got, len(table.held))
		}
	})
}
