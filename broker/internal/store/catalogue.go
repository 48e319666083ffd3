package store

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Kind keeps different kinds of things that may share a name apart in the catalogue; the broker assigns the values.
type Kind byte

// Name is how the broker knows a thing that has a queue.
type Name struct {
	Tenant string
	Kind   Kind
	Name   string
}

// Create enters a thing into the catalogue with a description of the caller's and gives its queue a new number.
// Entering a name that is there already replaces the entry: look first.
func (b Batch) Create(n Name, description []byte) QueueID {
	id := b.s.nextID
	b.s.nextID++
	var next [8]byte
	binary.BigEndian.PutUint64(next[:], uint64(b.s.nextID))
	b.put(nextIDKey, next[:])
	b.Describe(n, id, description)
	return id
}

// Describe replaces the description of a thing.
func (b Batch) Describe(n Name, id QueueID, description []byte) {
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], uint64(id))
	b.put(catalogueKey(n), number[:], description)
}

// Drop removes a thing, its queue's metadata and all its messages, with what is remembered of them.
func (b Batch) Drop(n Name, id QueueID) {
	b.delete(catalogueKey(n))
	_ = b.changes().DeleteRange(historyKey(id, 0), historyKey(id+1, 0), nil)
	_ = b.changes().DeleteRange(identityKey(id, 0), identityKey(id+1, 0), nil)
	b.dropFootprint(id)
}

// Catalogue calls visit for every thing; the description is valid until visit returns. A corrupt entry is passed
// over and returned, as *CorruptError joined to the others, after all the rest were visited; an error of visit ends
// the walk.
func (s *Store) Catalogue(visit func(n Name, id QueueID, description []byte) error) error {
	return s.walk([]byte{catalogueSpace}, func(key []byte, _ byte, value []byte) error {
		tenant, name, ok := splitTenant(key[2:])
		if !ok || len(value) < 8 {
			return corrupt(key, errLength)
		}
		n := Name{Tenant: tenant, Kind: Kind(key[1]), Name: name}
		return visit(n, QueueID(binary.BigEndian.Uint64(value)), value[8:])
	})
}

// walk visits the flags and payloads of all records whose key begins with prefix. Corrupt ones are gathered and returned at
// the end; another error ends the walk.
func (s *Store) walk(prefix []byte, visit func(key []byte, flags byte, value []byte) error) (err error) {
	it, err := s.view.Iterate(prefix, after(prefix))
	if err != nil {
		return fmt.Errorf("store read: %w", err)
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	var bad []error
	for valid := it.First(); valid; valid = it.Next() {
		err := visitRecord(it, visit)
		if broken := (*CorruptError)(nil); errors.As(err, &broken) {
			bad = append(bad, err)
		} else if err != nil {
			return err
		}
	}
	return errors.Join(bad...)
}

func visitRecord(it Iterator, visit func(key []byte, flags byte, value []byte) error) error {
	record, err := it.ValueAndErr()
	if err != nil {
		return fmt.Errorf("store read: %w", err)
	}
	flags, value, err := openRecord(it.Key(), record)
	if err != nil {
		return err
	}
	return visit(it.Key(), flags, value)
}
