package store

// PutHistory replaces what is remembered of a message besides itself. It goes with the message's queue, but not with the
// message: see DeleteHistory.
func (b Batch) PutHistory(id QueueID, seq uint64, value []byte) {
	b.put(historyKey(id, seq), value)
}

// DeleteHistory forgets what is remembered of a message, if anything is.
func (b Batch) DeleteHistory(id QueueID, seq uint64) { b.delete(historyKey(id, seq)) }

// EachHistory visits what is remembered of messages; value is valid until visit returns. Errors are those of Catalogue.
func (s *Store) EachHistory(visit func(id QueueID, seq uint64, value []byte)) error {
	return s.walk([]byte{historySpace}, func(key []byte, _ byte, value []byte) error {
		id, seq, ok := splitBesideKey(key)
		if !ok {
			return corrupt(key, errLength)
		}
		visit(id, seq, value)
		return nil
	})
}
