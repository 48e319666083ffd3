package store

import (
	"context"
	"errors"
	"io"

	"github.com/cockroachdb/pebble/v2"
)

var (
	// ErrFenced answers an append at a position that is not the next one: somebody else has written, or owns the journal.
	ErrFenced = errors.New("somebody else writes to the journal")
	// ErrTruncated answers a read of entries that the journal no longer keeps apart from its state.
	ErrTruncated = errors.New("the entries are no longer in the journal")
)

// Position is the place of a group in a Journal. They rise by one, and may leap when it is opened.
type Position uint64

// Journal is where the groups of a store go, one after the other, and what they make together: a log with a state. It has
// one owner, who knows the position of the last entry; whoever else writes fences him off. Everything that a store is lies
// in its entries, so that a second one over the same entries has the same state.
//
// A journal's owner appends from one goroutine at a time. Everything else may be called by any.
type Journal interface {
	// NewBatch gives an empty group.
	NewBatch() *pebble.Batch

	// Append adds a group at a position: the one after the last, or it fails with ErrFenced and nothing has happened. When it returns, its
	// changes are part of the state; if sync is set, they and all before them are kept whatever happens. After any other
	// error nobody knows. The group is borrowed until Append returns, and may have been added to.
	Append(at Position, group *pebble.Batch, sync bool) error

	// ReadFrom visits the entries after a position in order, each a group as Pebble encodes it, see [pebble.Batch.SetRepr],
	// and valid until visit returns; an error of visit ends it. It fails with ErrTruncated if they are not all there.
	ReadFrom(after Position, visit func(at Position, group []byte) error) error

	// Snapshot gives the state, and the position of the last entry that is part of it. What this owner appends later
	// becomes part of it, too: each read sees the state of a moment.
	Snapshot() (View, Position)

	// Truncate says that entries up to a position need not be read any more: they are to go into what the state keeps for
	// good, and give their space back. It begins that and does not wait for it.
	Truncate(upTo Position) error

	// Compact gives back the space of what was deleted between two keys. It returns when that is done, or when ctx ends.
	Compact(ctx context.Context, lower, upper []byte) error

	// Size is how many bytes of disk it takes.
	Size() uint64

	// Close ends the ownership.
	Close() error
}

// View is a state that can be read: keys in order, with their values.
type View interface {
	// Get gives a value, valid until it is closed, or pebble.ErrNotFound.
	Get(key []byte) (value []byte, closer io.Closer, err error)
	// Iterate walks over the keys from lower up to but without upper, as they are now.
	Iterate(lower, upper []byte) (Iterator, error)
}

// Iterator is what a store needs of a [pebble.Iterator].
type Iterator interface {
	First() bool
	Next() bool
	SeekGE(key []byte) bool
	SeekLT(key []byte) bool
	Valid() bool
	Key() []byte
	ValueAndErr() ([]byte, error)
	Error() error
	Close() error
}

var _ Iterator = (*pebble.Iterator)(nil)
