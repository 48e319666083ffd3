package memlog

import (
	"bytes"
	"context"
	"io"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/manifoldmq/manifold/broker/internal/store"
)

// Owner is a Log as somebody has it who opened it, with the state that he makes of it.
type Owner struct {
	log   *Log
	term  uint64
	at    store.Position // of the state; of the goroutine that appends
	state atomic.Pointer[state]
}

var (
	_ store.Journal = (*Owner)(nil)
	_ store.View    = (*Owner)(nil)
)

// NewBatch implements store.Journal.
func (o *Owner) NewBatch() *pebble.Batch { return new(pebble.Batch) }

// apply makes a group part of the state.
func (o *Owner) apply(at store.Position, group []byte) error {
	next, err := o.state.Load().after(group)
	if err != nil {
		return err
	}
	o.state.Store(&next)
	o.at = at
	return nil
}

// Append implements store.Journal.
func (o *Owner) Append(at store.Position, group *pebble.Batch, sync bool) error {
	entry := bytes.Clone(group.Repr())
	if err := o.log.append(o.term, at, entry, sync); err != nil {
		return err
	}
	return o.apply(at, entry)
}

// ReadFrom implements store.Journal.
func (o *Owner) ReadFrom(after store.Position, visit func(store.Position, []byte) error) error {
	entries, err := o.log.readFrom(after)
	for i, entry := range entries {
		if err := visit(after+store.Position(i)+1, entry); err != nil {
			return err
		}
	}
	return err
}

// Snapshot implements store.Journal.
func (o *Owner) Snapshot() (store.View, store.Position) { return o, o.at }

// Compact implements store.Journal: nothing is kept of what was deleted.
func (o *Owner) Compact(context.Context, []byte, []byte) error { return nil }

// Truncate implements store.Journal.
func (o *Owner) Truncate(upTo store.Position) error { return o.log.truncate(upTo) }

// Size implements store.Journal: it takes no disk.
func (o *Owner) Size() uint64 { return 0 }

// Close implements store.Journal.
func (o *Owner) Close() error { return nil }

// Get implements store.View.
func (o *Owner) Get(key []byte) ([]byte, io.Closer, error) {
	s := *o.state.Load()
	i, found := s.find(key)
	if !found {
		return nil, nil, pebble.ErrNotFound
	}
	return s[i].value, io.NopCloser(nil), nil
}

// Iterate implements store.View.
func (o *Owner) Iterate(lower, upper []byte) (store.Iterator, error) {
	s := *o.state.Load()
	first, _ := s.find(lower)
	end, _ := s.find(upper)
	return &iterator{pairs: s[first:max(first, end)], at: -1}, nil
}
