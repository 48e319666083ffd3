package broker

import (
	"github.com/manifoldmq/manifold/broker/internal/store"
)

// Sessions keeps what a door remembers of its clients from one connection to the next: small records of each client, by
// name. Its methods may be called from any goroutine and return at once. Changes reach the disk in the order of the calls;
// done, unless nil, is called once that is so, or with why it is not, by a goroutine that must not be kept waiting. What
// nobody waits for survives the end of the process, and may be lost in a power cut.
type Sessions struct{ store *store.Store }

// Sessions gives the records of clients.
func (b *Broker) Sessions() Sessions { return Sessions{b.store} }

// Put replaces a record of a client.
func (s Sessions) Put(tenant, client, name string, value []byte, done func(error)) {
	s.change(done, clientRecord{tenant, client, name, value}.write)
}

// Record gives what puts a record of a client on disk together with a message, for router.Sender.SendWith.
func (s Sessions) Record(tenant, client, name string, value []byte) any {
	return clientRecord{tenant, client, name, value}
}

// Delete removes a record of a client, if there is one.
func (s Sessions) Delete(tenant, client, name string, done func(error)) {
	s.change(done, func(b store.Batch) { b.DeleteClient(tenant, client, name) })
}

// Forget removes all records of a client, from the disk too before long.
func (s Sessions) Forget(tenant, client string) {
	s.change(func(error) {}, func(b store.Batch) { b.DropClient(tenant, client) })
}

// All calls visit for every record, each client's in the order of their names; value is valid until visit returns. A record
// that cannot be read is left out, and reported when all others have been visited.
func (s Sessions) All(visit func(tenant, client, name string, value []byte) error) error {
	return s.store.EachClient(visit)
}

// clientRecord is a record on its way to the disk.
type clientRecord struct {
	tenant, client, name string
	value                []byte
}

func (r clientRecord) write(b store.Batch) { b.PutClient(r.tenant, r.client, r.name, r.value) }

func (s Sessions) change(done func(error), change func(store.Batch)) {
	batch, err := s.store.Begin()
	if err != nil {
		if done != nil {
			done(storeError())
		}
		return
	}
	change(batch)
	if done == nil {
		batch.CommitLazy()
	} else {
		batch.Commit(confirmation(done), 0)
	}
}
