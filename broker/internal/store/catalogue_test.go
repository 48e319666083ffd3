package store_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/broker/internal/store"
)

type entry struct {
	name        store.Name
	id          store.QueueID
	description string
}

func catalogue(t *testing.T, s *store.Store) (entries []entry) {
	t.Helper()
	err := s.Catalogue(func(n store.Name, id store.QueueID, d []byte) error {
		entries = append(entries, entry{n, id, string(d)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestTheCatalogueSurvivesReopeningAndNumbersAreNotUsedAgain(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs)
	orders := store.Name{Tenant: "acme", Kind: 1, Name: "orders"}
	sameInOther := store.Name{Tenant: "other", Kind: 1, Name: "orders"}
	sub := store.Name{Tenant: "acme", Kind: 2, Name: "orders"}
	var first, second, third store.QueueID
	write(t, s, func(b store.Batch) {
		first, second, third = b.Create(orders, nil), b.Create(sameInOther, nil), b.Create(sub, []byte("filter"))
		b.Append(third, 1, 0, nil, nil)
		b.PutMeta(third, store.Meta{Last: 1})
	})
	write(t, s, func(b store.Batch) { b.Describe(orders, first, []byte("changed")) })
	s = reopen(t, s, fs)
	want := []entry{{orders, first, "changed"}, {sameInOther, second, ""}, {sub, third, "filter"}}
	if got := catalogue(t, s); !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}

	write(t, s, func(b store.Batch) { b.Drop(sub, third) })
	s = reopen(t, s, fs)
	if got := catalogue(t, s); !slices.Equal(got, want[:2]) {
		t.Errorf("got %v, want %v", got, want[:2])
	}
	if r := recoverAll(t, s); len(r.metas) != 0 {
		t.Errorf("the dropped queue left %v", r.metas)
	}
	write(t, s, func(b store.Batch) {
		if id := b.Create(sub, nil); id <= third {
			t.Errorf("number %d is used again", id)
		}
	})
}

func TestRetainedMessagesStayWithinTheirTenant(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs)
	write(t, s, func(b store.Batch) {
		b.PutRetained("a", "room/1", 0, []byte("old"))
		b.PutRetained("a", "room/1", 0, []byte("one"))
		b.PutRetained("a", "room/2", 0, []byte("two"))
		b.PutRetained("a", "roof", 0, []byte("three"))
		b.PutRetained("ab", "room/1", 0, []byte("foreign"))
		b.PutRetained("", "aroom/1", 0, []byte("foreign"))
	})
	write(t, s, func(b store.Batch) { b.DeleteRetained("a", "room/2") })
	s = reopen(t, s, fs)

	for prefix, want := range map[string][]string{"": {"roof=three", "room/1=one"}, "room/": {"room/1=one"}, "x": nil} {
		var got []string
		err := s.EachRetained("a", prefix, func(topic string, _ byte, value []byte) error {
			got = append(got, topic+"="+string(value))
			return nil
		})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("prefix %q: got %v %v, want %v", prefix, got, err, want)
		}
	}
	if value, err := s.Retained("a", "room/1", nil); string(value) != "one" || err != nil {
		t.Errorf("got %q %v", value, err)
	}
	if _, err := s.Retained("a", "room/2", nil); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}
