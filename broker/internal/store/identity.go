package store

// PutIdentity remembers under the number of a message who it was, so that it is known when it is sent again. It goes with
// the message's queue, but not with the message: see DeleteIdentity.
func (b Batch) PutIdentity(id QueueID, seq uint64, value []byte) {
	b.put(identityKey(id, seq), value)
}

// DeleteIdentity forgets what PutIdentity remembered, if anything is.
func (b Batch) DeleteIdentity(id QueueID, seq uint64) { b.delete(identityKey(id, seq)) }

// EachIdentity visits what is remembered, each queue's in the order of its numbers; value is valid until visit returns.
// Errors are those of Catalogue.
func (s *Store) EachIdentity(visit func(id QueueID, seq uint64, value []byte)) error {
	return s.walk([]byte{identitySpace}, func(key []byte, _ byte, value []byte) error {
		id, seq, ok := splitBesideKey(key)
		if !ok {
			return corrupt(key, errLength)
		}
		visit(id, seq, value)
		return nil
	})
}
