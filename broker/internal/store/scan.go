package store

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Read visits a queue's messages in order, beginning with the first whose number is at least from, until visit returns
// false. The value is valid until visit returns. A corrupt message ends it with *CorruptError, which names it.
func (s *Store) Read(id QueueID, from uint64, visit func(seq uint64, flags byte, value []byte) bool) (err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{
		LowerBound: messageKey(nil, id, max(from, 1)),
		UpperBound: metaKey(nil, id+1),
	})
	if err != nil {
		return fmt.Errorf("store read: %w", err)
	}
	next := max(from, 1)
	defer func() {
		if closing := it.Close(); err == nil {
			err = closing
		}
	}()
	for valid := it.First(); valid; valid = it.Next() {
		record, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("store read: %w", err)
		}
		flags, value, err := openRecord(it.Key(), record)
		if err != nil {
			return err
		}
		_, seq, _ := splitQueueKey(it.Key())
		if next = seq + 1; !visit(seq, flags, value) {
			return nil
		}
	}
	if err := it.Error(); pebble.IsCorruptionError(err) {
		return corrupt(messageKey(nil, id, next), err)
	}
	return it.Error()
}
