package store

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A body that is large has a record of its own, beside that of its message: what walks over messages to see what there is
// does not read it. A queue that has, or had, such bodies has a record that says so, so that in all others nobody looks for
// them.

// flagApart says in a message's record that the body is in one of its own.
const flagApart = 1 << 7

var errNoBody = errors.New("it is missing")

// appendBody adds the body of a message, and before the first of a queue that there are some.
func (b Batch) appendBody(id QueueID, seq uint64, body []byte) {
	if of := b.s.footprint(id); !of.apart {
		of.apart = true
		b.put(bodiesKey(nil, id))
	}
	r := setRecord(b.changes(), messageKeyLen, len(body))
	bodyKey(r.Key[:0], id, seq)
	copy(payload(r.Value), body)
	finishRecord(r, 0)
}

// deleteBody removes the body of a message, if it has a record of its own.
func (b Batch) deleteBody(id QueueID, seq uint64) {
	of := b.s.footprints[id]
	if of == nil || !of.apart {
		return
	}
	d := b.changes().SingleDeleteDeferred(messageKeyLen)
	bodyKey(d.Key[:0], id, seq)
	_ = d.Finish()
	of.deleted = max(of.deleted, seq)
	b.s.pending.deleted += largeWeight
}

// findBodies finds the queues that have bodies of their own, with one step for each.
func (s *Store) findBodies() (err error) {
	space := []byte{bodySpace}
	it, err := s.view.Iterate(space, after(space))
	if err != nil {
		return fmt.Errorf("store read: %w", err)
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for valid := it.First(); valid; {
		if len(it.Key()) < metaKeyLen {
			valid = it.Next()
			continue
		}
		id := QueueID(binary.BigEndian.Uint64(it.Key()[1:]))
		s.footprint(id).apart = true
		valid = it.SeekGE(bodiesKey(nil, id+1))
	}
	return it.Error()
}

// join adds the body of a message to its head, if it has a record of its own. A message without it is corrupt, unless it was
// deleted since its head was read: then join fails with ErrNotFound.
func (s *Store) join(id QueueID, seq uint64, flags byte, head []byte) (byte, []byte, error) {
	if flags&flagApart == 0 {
		return flags, head, nil
	}
	var key [messageKeyLen]byte
	_, value, err := getRecord(s.view, bodyKey(key[:0], id, seq), head)
	if errors.Is(err, ErrNotFound) {
		if _, _, gone := getRecord(s.view, messageKey(key[:0], id, seq), nil); !errors.Is(gone, ErrNotFound) {
			err = corrupt(bodyKey(key[:0], id, seq), errNoBody)
		}
	}
	return flags &^ flagApart, value, err
}
