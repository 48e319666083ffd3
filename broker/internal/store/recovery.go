package store

import (
	"errors"
	"fmt"
)

// Visitor hears what Recover finds: for each queue in the order of their numbers first Queue, then its messages in
// order.
type Visitor interface {
	// Queue begins a queue that has metadata or messages.
	Queue(id QueueID, m Meta)
	// Message is one message of that queue: its head at least, and its body unless that is large. The value is valid until
	// Message returns.
	Message(id QueueID, seq uint64, flags byte, value []byte)
	// Corrupt is a message, or a queue's metadata, that cannot be trusted. It stays on disk until it is deleted. A
	// queue with corrupt metadata is then begun with a head of 0 and a lease that covers all its messages.
	Corrupt(err *CorruptError)
}

// Recover walks over all queues once. It reads every message, without the bodies that are large, and keeps none.
func (s *Store) Recover(v Visitor) (err error) {
	space := []byte{queueSpace}
	it, err := s.view.Iterate(space, after(space))
	if err != nil {
		return fmt.Errorf("store recovery: %w", err)
	}
	r := recovery{view: s.view, it: it, visitor: v}
	for valid := it.First(); (valid || r.leap(&valid)) && err == nil; {
		valid, err = r.step()
	}
	if err = errors.Join(err, it.Close()); err != nil {
		return fmt.Errorf("store recovery: %w", err)
	}
	return nil
}

// recovery is the state of one Recover.
type recovery struct {
	view    View
	it      Iterator
	visitor Visitor
	queue   QueueID // the one being visited; 0 before the first
	seq     uint64  // of its last message that was visited
	spoilt  error   // why the last seek failed, if it did
	scratch [messageKeyLen]byte
}

// step reports the record at the iterator and moves on.
func (r *recovery) step() (valid bool, err error) {
	key := r.it.Key()
	id, seq, ok := splitQueueKey(key)
	if !ok {
		r.visitor.Corrupt(corrupt(key, errLength))
		return r.it.Next(), nil
	}
	record, err := r.it.ValueAndErr()
	if err != nil {
		return false, err
	}
	flags, value, err := openRecord(key, record)
	if seq == 0 {
		return r.begin(id, value, err), nil
	}
	if id != r.queue {
		r.queue = id
		r.visitor.Queue(id, Meta{})
	}
	r.seq = seq
	if broken := (*CorruptError)(nil); errors.As(err, &broken) {
		r.visitor.Corrupt(broken)
	} else {
		r.visitor.Message(id, seq, flags&^flagApart, value)
	}
	return r.it.Next(), nil
}

// begin reports a queue's metadata and seeks to its first message, past what was deleted.
func (r *recovery) begin(id QueueID, value []byte, err error) (valid bool) {
	r.queue = id
	var m Meta
	if err == nil {
		var ok bool
		if m, ok = parseMeta(value); !ok {
			err = corrupt(metaKey(nil, id), errLength)
		}
	}
	if broken := (*CorruptError)(nil); errors.As(err, &broken) {
		r.visitor.Corrupt(broken)
		m.lease(r.lastOf(id))
	}
	r.visitor.Queue(id, m)
	r.seq = max(m.Head, 1) - 1
	return r.readable(id, r.seq+1) && r.it.Valid()
}

// lastOf is the number of a queue's last message, or 0; one above all if it cannot be found out.
func (r *recovery) lastOf(id QueueID) uint64 {
	if !r.it.SeekLT(metaKey(r.scratch[:0], id+1)) {
		if r.it.Error() != nil {
			return lostNumbers
		}
		return 0
	}
	_, seq, _ := splitQueueKey(r.it.Key())
	return seq
}
