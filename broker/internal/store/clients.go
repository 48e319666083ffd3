package store

// A client's records are small things that a door remembers of one of its clients, by name. The store does not know what
// they mean.

// PutClient replaces a record of a client.
func (b Batch) PutClient(tenant, client, name string, value []byte) {
	b.put(clientKey(tenant, client, name), value)
}

// DeleteClient removes a record of a client, if there is one.
func (b Batch) DeleteClient(tenant, client, name string) { b.delete(clientKey(tenant, client, name)) }

// DropClient removes all records of a client.
func (b Batch) DropClient(tenant, client string) {
	prefix := clientKey(tenant, client, "")
	_ = b.changes().DeleteRange(prefix, after(prefix), nil)
}

// EachClient calls visit for every record of every client, each client's in the order of their names; value is valid until
// visit returns. Errors are those of Catalogue.
func (s *Store) EachClient(visit func(tenant, client, name string, value []byte) error) error {
	return s.walk([]byte{clientSpace}, func(key []byte, _ byte, value []byte) error {
		tenant, rest, ok := splitTenant(key[1:])
		if !ok {
			return corrupt(key, errLength)
		}
		client, name, ok := splitTenant([]byte(rest))
		if !ok {
			return corrupt(key, errLength)
		}
		return visit(tenant, client, name, value)
	})
}
