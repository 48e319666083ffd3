package memlog

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/manifoldmq/manifold/broker/internal/store"
)

// state is what entries make together: pairs in the order of their keys. It is never changed, only followed by another one.
type state []pair

type pair struct{ key, value []byte }

// find gives the place of a key, or where it would be.
func (s state) find(key []byte) (at int, found bool) {
	return slices.BinarySearchFunc(s, key, func(p pair, key []byte) int { return bytes.Compare(p.key, key) })
}

// after gives the state after a group, whose bytes it keeps.
func (s state) after(group []byte) (state, error) {
	var batch pebble.Batch
	if err := batch.SetRepr(group); err != nil {
		return nil, err
	}
	next, changes := slices.Clone(s), batch.Reader()
	for range batch.Count() {
		kind, key, value, ok, err := changes.Next()
		if !ok || err != nil {
			return nil, fmt.Errorf("the group is cut short: %w", err)
		}
		at, found := next.find(key)
		switch kind {
		case pebble.InternalKeyKindSet:
			if !found {
				next = slices.Insert(next, at, pair{})
			}
			next[at] = pair{key, value}
		case pebble.InternalKeyKindDelete, pebble.InternalKeyKindSingleDelete:
			if found {
				next = slices.Delete(next, at, at+1)
			}
		case pebble.InternalKeyKindRangeDelete:
			end, _ := next.find(value)
			next = slices.Delete(next, at, max(at, end))
		default:
			return nil, fmt.Errorf("the group has a change of kind %v", kind)
		}
	}
	return next, nil
}

// iterator walks over a state.
type iterator struct {
	pairs state
	at    int
}

var _ store.Iterator = (*iterator)(nil)

// First and the other methods implement store.Iterator.
func (it *iterator) First() bool { it.at = 0; return it.Valid() }
func (it *iterator) Next() bool  { it.at++; return it.Valid() }
func (it *iterator) Valid() bool { return it.at >= 0 && it.at < len(it.pairs) }

func (it *iterator) SeekGE(key []byte) bool {
	it.at, _ = it.pairs.find(key)
	return it.Valid()
}

func (it *iterator) SeekLT(key []byte) bool {
	it.at, _ = it.pairs.find(key)
	it.at--
	return it.Valid()
}

func (it *iterator) Key() []byte                  { return it.pairs[it.at].key }
func (it *iterator) ValueAndErr() ([]byte, error) { return it.pairs[it.at].value, nil }
func (it *iterator) Error() error                 { return nil }
func (it *iterator) Close() error                 { return nil }
