package store

import (
	"encoding/binary"

	"github.com/cockroachdb/pebble/v2"
)

// QueueID is the number of a queue in the store. Numbers are never used again.
type QueueID uint64

// Meta is what is remembered of a queue besides its messages; the broker's queue says what the numbers mean.
type Meta struct {
	Head  uint64         // no lower message number is in the queue
	Last  uint64         // the highest message number ever given, if it is neither in the queue nor leased
	Lease [Leases]uint64 // every message of a line up to here may have been delivered
}

// Leases is how many lines a queue has.
const Leases = 10

// Meta on disk: head, last and leases. Schema 1 had head and one lease.
const (
	metaLen  = 8 * (2 + Leases)
	metaLen1 = 8 * 2
)

// parseMeta reverses what PutMeta writes.
func parseMeta(value []byte) (m Meta, ok bool) {
	number := func(i int) uint64 { return binary.BigEndian.Uint64(value[8*i:]) }
	switch len(value) {
	case metaLen:
		m.Head, m.Last = number(0), number(1)
		for i := range m.Lease {
			m.Lease[i] = number(2 + i)
		}
	case metaLen1:
		m.Head = number(0)
		m.lease(number(1))
	default:
		return Meta{}, false
	}
	return m, true
}

// lease leases every line up to a number.
func (m *Meta) lease(upTo uint64) {
	for i := range m.Lease {
		m.Lease[i] = upTo
	}
}

// Completer hears how a batch ended.
type Completer interface {
	// Committed is called once per Commit, by the store's committer: with nil after the batch is on disk, or with
	// the reason why it is not known to be. It may begin further batches. While it runs, no other group is written.
	Committed(token uint64, err error)
}

// waiter is a Completer for who waits.
type waiter chan error

// Committed implements Completer.
func (w waiter) Committed(_ uint64, err error) { w <- err }

// Batch is a set of changes that reach the disk together. From Begin to Commit or CommitLazy it holds the store's
// lock: add the changes and commit, and do nothing else in between. Bytes passed in are copied.
type Batch struct{ s *Store }

// Begin starts a batch. An error (ErrClosed, or why the store failed) means that nothing will ever be written again.
// A full store still takes batches, so that consumers can always be answered: ask Admit before taking messages in.
func (s *Store) Begin() (Batch, error) {
	s.mu.Lock()
	err := s.failed
	if err == nil && s.closing {
		err = ErrClosed
	}
	if err != nil {
		s.mu.Unlock()
		return Batch{}, err
	}
	return Batch{s}, nil
}

// Commit ends the batch and asks for it to be on disk; done is told with token.
func (b Batch) Commit(done Completer, token uint64) {
	g := b.s.pending
	g.sync = true
	g.calls = append(g.calls, call{done, token})
	b.end()
}

// CommitLazy ends the batch without asking for a sync and without an answer; see the package comment.
func (b Batch) CommitLazy() { b.end() }

func (b Batch) end() {
	if b.s.pending.bytes() >= b.s.options.MaxPendingBytes {
		b.s.full.Store(true)
	}
	b.s.arrived.Signal()
	b.s.mu.Unlock()
}

// Append adds a message: the head, which is what recovery is to find, and the body, which then follows it when it is read
// and which recovery does not read if it is large. A number is used once per queue; numbers start at 1. The highest of the
// flags is the store's own.
func (b Batch) Append(id QueueID, seq uint64, flags byte, head, body []byte) {
	if len(body) > b.s.options.LargeBody {
		b.appendBody(id, seq, body)
		flags, body = flags|flagApart, nil
	}
	r := setRecord(b.changes(), messageKeyLen, len(head)+len(body))
	messageKey(r.Key[:0], id, seq)
	value := payload(r.Value)
	copy(value[copy(value, head):], body)
	finishRecord(r, flags)
}

// Delete removes a message that was appended; call it once per message.
func (b Batch) Delete(id QueueID, seq uint64) {
	d := b.changes().SingleDeleteDeferred(messageKeyLen)
	messageKey(d.Key[:0], id, seq)
	_ = d.Finish()
	b.s.pending.deleted++
	b.deleteBody(id, seq)
}

// PutMeta replaces a queue's metadata. What may be left of messages below its head goes for good, now and then.
func (b Batch) PutMeta(id QueueID, m Meta) {
	r := setRecord(b.changes(), metaKeyLen, metaLen)
	metaKey(r.Key[:0], id)
	value := payload(r.Value)
	binary.BigEndian.PutUint64(value, m.Head)
	binary.BigEndian.PutUint64(value[8:], m.Last)
	for i, lease := range m.Lease {
		binary.BigEndian.PutUint64(value[8*(2+i):], lease)
	}
	finishRecord(r, 0)
	b.trimTo(id, m.Head)
}

// put replaces a record of any other kind.
func (b Batch) put(key []byte, parts ...[]byte) { b.putFlagged(key, 0, parts...) }

func (b Batch) putFlagged(key []byte, flags byte, parts ...[]byte) {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	r := setRecord(b.changes(), len(key), size)
	copy(r.Key, key)
	to := payload(r.Value)
	for _, p := range parts {
		to = to[copy(to, p):]
	}
	finishRecord(r, flags)
}

// delete removes a record of any other kind.
func (b Batch) delete(key []byte) { _ = b.changes().Delete(key, nil) }

func (b Batch) changes() *pebble.Batch { return b.s.pending.batch }
