package store

// PutRetained replaces the retained message of a topic name.
func (b Batch) PutRetained(tenant, topic string, flags byte, value []byte) {
	b.putFlagged(retainedKey(tenant, topic), flags, value)
}

// DeleteRetained removes the retained message of a topic name, if there is one.
func (b Batch) DeleteRetained(tenant, topic string) { b.delete(retainedKey(tenant, topic)) }

// Retained appends the retained message of a topic name to dst, or fails with ErrNotFound or *CorruptError.
func (s *Store) Retained(tenant, topic string, dst []byte) ([]byte, error) {
	_, value, err := getRecord(s.view, retainedKey(tenant, topic), dst)
	return value, err
}

// EachRetained calls visit for every retained message of a tenant whose topic name begins with prefix, in the order
// of the names; value is valid until visit returns. Errors are those of Catalogue.
func (s *Store) EachRetained(tenant, prefix string, visit func(topic string, flags byte, value []byte) error) error {
	return s.walk(retainedKey(tenant, prefix), func(key []byte, flags byte, value []byte) error {
		_, topic, ok := splitTenant(key[1:])
		if !ok {
			return corrupt(key, errLength)
		}
		return visit(topic, flags, value)
	})
}
