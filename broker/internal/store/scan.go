package store

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Read visits a queue's messages in order, beginning with the first whose number is at least from, until visit returns
// false. The value is valid until visit returns. A corrupt message ends it with *CorruptError, which names it.
//
// A spoilt block also keeps an iterator from what is not in it, but between its keys or, of the last one of a table, above
// them. So a message that cannot be walked to is looked up.
func (s *Store) Read(id QueueID, from uint64, visit func(seq uint64, flags byte, value []byte) bool) error {
	for next := max(from, 1); ; next++ {
		err := s.walkMessages(id, &next, visit)
		broken, ok := errors.AsType[*CorruptError](err)
		if !ok || !pebble.IsCorruptionError(broken.Cause) {
			return err
		}
		flags, value, lookUp := s.Load(id, next, nil)
		if lookUp != nil {
			return err
		}
		if !visit(next, flags, value) {
			return nil
		}
	}
}

// walkMessages is Read as far as an iterator comes. It leaves in next the number after the last message that was visited.
func (s *Store) walkMessages(id QueueID, next *uint64, visit func(uint64, byte, []byte) bool) (err error) {
	it, err := s.view.Iterate(messageKey(nil, id, *next), metaKey(nil, id+1))
	if pebble.IsCorruptionError(err) {
		return corrupt(messageKey(nil, id, *next), err)
	}
	if err != nil {
		return fmt.Errorf("store read: %w", err)
	}
	defer func() {
		if closing := it.Close(); err == nil {
			err = closing
		}
	}()
	var joined []byte
	for valid := it.First(); valid; valid = it.Next() {
		_, seq, _ := splitQueueKey(it.Key())
		flags, value, err := s.readMessage(it, id, seq, &joined)
		switch {
		case errors.Is(err, ErrNotFound):
			continue
		case err != nil:
			return err
		}
		if *next = seq + 1; !visit(seq, flags, value) {
			return nil
		}
	}
	if err := it.Error(); pebble.IsCorruptionError(err) {
		return corrupt(messageKey(nil, id, *next), err)
	}
	return it.Error()
}

// readMessage gives the message at an iterator, with what is apart joined to it in a buffer.
func (s *Store) readMessage(it Iterator, id QueueID, seq uint64, joined *[]byte) (flags byte, value []byte, err error) {
	record, err := it.ValueAndErr()
	if pebble.IsCorruptionError(err) {
		return 0, nil, corrupt(it.Key(), err)
	}
	if err != nil {
		return 0, nil, err
	}
	flags, value, err = openRecord(it.Key(), record)
	if err != nil || flags&flagApart == 0 {
		return flags, value, err
	}
	flags, *joined, err = s.join(id, seq, flags, append((*joined)[:0], value...))
	return flags, *joined, err
}

// Load appends the payload of one message, head and body, to dst. It fails with ErrNotFound, which is also the answer for a
// message that is not written yet, or with *CorruptError.
func (s *Store) Load(id QueueID, seq uint64, dst []byte) (flags byte, value []byte, err error) {
	var key [messageKeyLen]byte
	if flags, value, err = getRecord(s.view, messageKey(key[:0], id, seq), dst); err == nil {
		flags, value, err = s.join(id, seq, flags, value)
	}
	if err != nil {
		return 0, dst, err
	}
	return flags, value, nil
}

// LoadHead is Load without a body that is large.
func (s *Store) LoadHead(id QueueID, seq uint64, dst []byte) (flags byte, value []byte, err error) {
	var key [messageKeyLen]byte
	flags, value, err = getRecord(s.view, messageKey(key[:0], id, seq), dst)
	return flags &^ flagApart, value, err
}
