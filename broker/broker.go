package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/broker/internal/store"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// Options say where a broker keeps its data and what it may use. The zero value of a field means its default.
type Options struct {
	Dir          string       // created when missing
	FS           vfs.FS       // the operating system's
	Log          *slog.Logger // slog.Default
	CacheSize    int64        // bytes of disk blocks kept in memory; see store.Options
	MemTableSize int64        // bytes gathered in memory before they become a table file; see store.Options

	MaxQueues        int   // queues of a tenant; default 200,000
	MaxSubscriptions int   // durable subscriptions of a tenant; default 10,000
	MaxRetained      int   // retained messages of a tenant; default 100,000
	MaxRetainedBytes int64 // their bytes, which are kept in memory as well; default 256 MiB
}

func (o *Options) setDefaults() {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.MaxQueues == 0 {
		o.MaxQueues = 200_000
	}
	if o.MaxSubscriptions == 0 {
		o.MaxSubscriptions = 10_000
	}
	if o.MaxRetained == 0 {
		o.MaxRetained = 100_000
	}
	if o.MaxRetainedBytes == 0 {
		o.MaxRetainedBytes = 256 << 20
	}
}

// readerCount is how many goroutines fetch bodies from the disk.
const readerCount = 4

// What the catalogue knows by name.
const (
	queueKind        store.Kind = 'q'
	subscriptionKind store.Kind = 's' // named by its filter, a NUL and its own name
)

// Broker holds the queues and topics of all tenants. Its methods may be called from any goroutine.
type Broker struct {
	options Options
	log     *slog.Logger
	store   *store.Store
	readers readers
	failed  chan struct{}

	mu     sync.Mutex // guards everything below; taken before a node's lock
	queues map[store.Name]*queueNode
	counts map[countKey]int
	topics map[string]*topics // by tenant
}

// countKey is whose things of a kind are counted.
type countKey struct {
	tenant string
	kind   store.Kind
}

var _ router.Resolver = (*Broker)(nil)

// Open opens the data directory and recovers what is in it. The errors are those of the store: another process uses
// the directory, a newer version wrote it, or it cannot be read.
func Open(o Options) (*Broker, error) {
	o.setDefaults()
	b := &Broker{
		options: o,
		log:     o.Log,
		failed:  make(chan struct{}),
		queues:  make(map[store.Name]*queueNode),
		counts:  make(map[countKey]int),
		topics:  make(map[string]*topics),
	}
	var err error
	b.store, err = store.Open(store.Options{
		Dir: o.Dir, FS: o.FS, Logger: o.Log, CacheSize: o.CacheSize, MemTableSize: o.MemTableSize,
		OnFailure: func(error) { close(b.failed) },
	})
	if err != nil {
		return nil, err
	}
	if err := b.recover(); err != nil {
		return nil, errors.Join(err, b.store.Close())
	}
	b.readers.start(readerCount)
	return b, nil
}

// Failed is closed when the store has failed: nothing is accepted any more, and the process had better be restarted.
func (b *Broker) Failed() <-chan struct{} { return b.failed }

// Close writes what a clean stop remembers and closes the store. All links are closed before.
func (b *Broker) Close() error {
	b.readers.stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for _, n := range b.queues {
		errs = append(errs, n.close())
	}
	return errors.Join(append(errs, b.store.Close())...)
}

// Resolve implements router.Resolver for queues and topics. A receiver that names a durable subscription gets the node
// of that subscription, which is made, and on disk, when Resolve returns.
func (b *Broker) Resolve(
	ctx context.Context, t *tenancy.Tenant, def *addressing.Definition, source router.Source,
) (router.Node, error) {
	switch {
	case def.Kind == addressing.Queue:
		return b.queue(t.Name, def, source)
	case source.Subscription != "":
		return b.subscription(ctx, t.Name, def, source)
	default:
		return b.topicsOf(t.Name), nil
	}
}

// queue gives the node of a queue. A new queue is entered into the catalogue without waiting: its entry reaches the
// disk before its first message does.
func (b *Broker) queue(tenant string, def *addressing.Definition, source router.Source) (router.Node, error) {
	a, literal := source.Filter.Literal()
	if !literal {
		return nil, router.Errorf(router.Unsupported, "%s: a queue is received from by its own name", source.Filter)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	name := store.Name{Tenant: tenant, Kind: queueKind, Name: string(a)}
	n, ok := b.queues[name]
	if !ok {
		var err error
		if n, err = b.create(name, nil, func(batch store.Batch) { batch.CommitLazy() }); err != nil {
			return nil, err
		}
	}
	n.configure(def.Queue)
	return n, nil
}

// subscription gives the node of a durable subscription.
func (b *Broker) subscription(
	ctx context.Context, tenant string, def *addressing.Definition, source router.Source,
) (router.Node, error) {
	t := b.topicsOf(tenant)
	name := subscriptionName(tenant, source)
	b.mu.Lock()
	n, ok := b.queues[name]
	if ok {
		n.configure(def.Queue)
		b.mu.Unlock()
		return n, nil
	}
	onDisk := make(synced, 1)
	n, err := b.create(name, []byte(source.Filter.String()), func(batch store.Batch) { batch.Commit(onDisk, 0) })
	if err == nil {
		n.configure(def.Queue)
		t.subscribe(source.Filter, n)
	}
	b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return n, onDisk.wait(ctx)
}

func subscriptionName(tenant string, source router.Source) store.Name {
	return store.Name{
		Tenant: tenant, Kind: subscriptionKind, Name: source.Filter.String() + "\x00" + source.Subscription,
	}
}

// synced is told once that a batch is on disk.
type synced chan error

func (s synced) Committed(_ uint64, err error) { s <- err }

func (s synced) wait(ctx context.Context) error {
	select {
	case err := <-s:
		if err != nil {
			return storeError()
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// create enters a queue into the catalogue; the caller holds b.mu.
func (b *Broker) create(name store.Name, description []byte, commit func(store.Batch)) (*queueNode, error) {
	if err := b.checkCount(name); err != nil {
		return nil, err
	}
	batch, err := b.store.Begin()
	if err != nil {
		return nil, storeError()
	}
	id := batch.Create(name, description)
	commit(batch)
	return b.add(name, id), nil
}

// checkCount refuses a queue or subscription too many; the caller holds b.mu.
func (b *Broker) checkCount(name store.Name) error {
	limit, setting := b.options.MaxQueues, "store.maxQueues"
	if name.Kind == subscriptionKind {
		limit, setting = b.options.MaxSubscriptions, "store.maxSubscriptions"
	}
	if b.counts[countKey{name.Tenant, name.Kind}] >= limit {
		return router.Errorf(router.Quota, "the tenant has as many as it may (%s)", setting)
	}
	return nil
}

// add makes the node of a queue that is in the catalogue; the caller holds b.mu, or is alone.
func (b *Broker) add(name store.Name, id store.QueueID) *queueNode {
	n := &queueNode{
		broker: b, id: id, name: name,
		exclusive: name.Kind == subscriptionKind,
		machine:   queue.New(queue.Settings{}),
	}
	b.queues[name] = n
	b.counts[countKey{name.Tenant, name.Kind}]++
	return n
}

// Forget implements router.Resolver.
func (b *Broker) Forget(ctx context.Context, t *tenancy.Tenant, source router.Source) error {
	topics := b.topicsOf(t.Name)
	name := subscriptionName(t.Name, source)
	onDisk := make(synced, 1)
	if err := b.drop(topics, name, source.Filter, onDisk); err != nil {
		return err
	}
	return onDisk.wait(ctx)
}

// drop takes a subscription out of everything; done hears when that is on disk.
func (b *Broker) drop(t *topics, name store.Name, f addressing.Filter, done store.Completer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, ok := b.queues[name]
	if !ok {
		return router.Errorf(router.NotFound, "no such subscription")
	}
	if !n.retire() {
		return router.Errorf(router.Conflict, "the subscription has a consumer")
	}
	t.unsubscribe(f, n)
	delete(b.queues, name)
	b.counts[countKey{name.Tenant, name.Kind}]--
	batch, err := b.store.Begin()
	if err != nil {
		return storeError()
	}
	batch.Drop(name, n.id)
	batch.Commit(done, 0)
	return nil
}

func storeError() error { return router.Errorf(router.Internal, "the store takes no more writes") }

func (n *queueNode) configure(s addressing.QueueSettings) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.machine.Configure(queue.Settings{MaxMessages: int(s.MaxMessages), MaxBytes: s.MaxBytes})
}

func (b *Broker) topicsOf(tenant string) *topics {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, ok := b.topics[tenant]
	if !ok {
		t = newTopics(b, tenant)
		t.recoverRetained()
		b.topics[tenant] = t
	}
	return t
}

// recover rebuilds the nodes from the store.
func (b *Broker) recover() error {
	r := recovery{broker: b, nodes: make(map[store.QueueID]*queueNode)}
	if err := b.store.Catalogue(r.enter); err != nil {
		return fmt.Errorf("recover the catalogue: %w", err)
	}
	if err := b.store.Recover(&r); err != nil {
		return err
	}
	for name, n := range b.queues {
		if name.Kind == subscriptionKind {
			b.topicsOf(name.Tenant).subscribe(r.filters[n.id], n)
		}
	}
	return nil
}

// recovery is a store.Visitor that fills the nodes.
type recovery struct {
	broker  *Broker
	nodes   map[store.QueueID]*queueNode
	filters map[store.QueueID]addressing.Filter // of subscriptions
}

func (r *recovery) enter(name store.Name, id store.QueueID, description []byte) error {
	if name.Kind == subscriptionKind {
		f, err := addressing.ParseFilter(string(description))
		if err != nil {
			return fmt.Errorf("the filter of subscription %q: %w", name.Name, err)
		}
		if r.filters == nil {
			r.filters = make(map[store.QueueID]addressing.Filter)
		}
		r.filters[id] = f
	}
	r.nodes[id] = r.broker.add(name, id)
	return nil
}

func (r *recovery) Queue(id store.QueueID, m store.Meta) {
	if n, ok := r.nodes[id]; ok {
		n.machine = queue.Recover(queue.Settings{}, queue.Past{Head: queue.Seq(m.Head), Lease: queue.Seq(m.Lease)})
		n.lease = queue.Seq(m.Lease)
	}
}

func (r *recovery) Message(id store.QueueID, seq uint64, flags byte, value []byte) {
	n, ok := r.nodes[id]
	if !ok {
		r.broker.log.Error("a stored message belongs to no known queue", "queue", uint64(id), "seq", seq)
		return
	}
	d, err := parseRecord(flags, value)
	if err != nil {
		r.broker.log.Error("a stored message cannot be read and is set aside",
			"tenant", n.name.Tenant, "address", n.name.Name, "seq", seq, "err", err)
		n.machine.Skip(queue.Seq(seq))
		return
	}
	n.machine.Restore(queue.Seq(seq), d.Message.Len(), 0)
}

func (r *recovery) Corrupt(err *store.CorruptError) {
	r.broker.log.Error("a stored message is corrupt and is set aside", "err", err)
	if n, ok := r.nodes[err.Queue]; ok && err.Seq > 0 {
		n.machine.Skip(queue.Seq(err.Seq))
	}
}
