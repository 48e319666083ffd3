package broker

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/addressing"
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
	MinFree      int64        // bytes free on the disk below which no new messages are taken; see store.Options
	MaxPending   int          // bytes that may wait for the disk until no new messages are taken; see store.Options

	// Allowance gives what a tenant may use, in place of the limits below where its plan has some; nil for nothing.
	Allowance func(tenant string) *tenancy.Allowance

	// Watcher hears of all subscriptions to topics; nil for nobody.
	Watcher Watcher

	MaxQueues        int   // queues of a tenant; default 200,000
	MaxSubscriptions int   // durable subscriptions of a tenant; default 10,000
	MaxVolatile      int64 // bytes of a volatile subscription, in memory; a message counts for 256 or more; default 16 MiB
	MaxRetained      int   // retained messages of a tenant; default 100,000
	MaxRetainedBytes int64 // their bytes, which are kept in memory as well; default 256 MiB
}

func (o *Options) setDefaults() {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Watcher == nil {
		o.Watcher = nobody{}
	}
	if o.MaxQueues == 0 {
		o.MaxQueues = 200_000
	}
	if o.MaxSubscriptions == 0 {
		o.MaxSubscriptions = 10_000
	}
	if o.MaxVolatile == 0 {
		o.MaxVolatile = 16 << 20
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

// Broker holds the queues and topics of all tenants. Its methods may be called from any goroutine.
type Broker struct {
	options Options
	log     *slog.Logger
	store   *store.Store
	readers readers
	clock   clock
	failed  chan struct{}
	aside   atomic.Int64 // how often setAside was called

	mu     sync.Mutex // guards everything below; taken before a node's lock
	queues map[store.Name]*queueNode
	counts map[countKey]int
	named  map[subscriptionKey][]*queueNode // durable subscriptions
	topics map[string]*topics               // by tenant

	defined map[string]*tenancy.Tenant // by name; see Define

	volatileID store.QueueID // of the next volatile subscription; the store gives none as high
}

var _ router.Resolver = (*Broker)(nil)

// Open opens the data directory and recovers what is in it. The errors are those of the store: another process uses
// the directory, a newer version wrote it, or it cannot be read.
func Open(o Options) (*Broker, error) { return open(o, nil) }

// open is Open over a journal, or over a directory of its own if that is nil.
func open(o Options, journal store.Journal) (*Broker, error) {
	o.setDefaults()
	b := &Broker{
		options: o,
		log:     o.Log,
		failed:  make(chan struct{}),
		queues:  make(map[store.Name]*queueNode),
		counts:  make(map[countKey]int),
		named:   make(map[subscriptionKey][]*queueNode),
		topics:  make(map[string]*topics),
		defined: make(map[string]*tenancy.Tenant),

		volatileID: 1 << 63,
	}
	var err error
	b.store, err = store.Open(store.Options{
		Dir: o.Dir, FS: o.FS, Logger: o.Log, CacheSize: o.CacheSize, MemTableSize: o.MemTableSize,
		MinFree: o.MinFree, MaxPendingBytes: o.MaxPending, Journal: journal,
		OnFailure: func(error) { close(b.failed) },
	})
	if err != nil {
		return nil, err
	}
	if err := b.recover(); err != nil {
		return nil, errors.Join(err, b.store.Close())
	}
	b.readers.start(readerCount)
	b.clock.start()
	return b, nil
}

// Failed is closed when the store has failed: nothing is accepted any more, and the process had better be restarted.
func (b *Broker) Failed() <-chan struct{} { return b.failed }

// Close writes what a clean stop remembers and closes the store. All links are closed before.
func (b *Broker) Close() error {
	b.clock.stop()
	b.readers.stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for _, n := range b.queues {
		errs = append(errs, n.close())
	}
	return errors.Join(append(errs, b.store.Close())...)
}

// Resolve implements router.Resolver for queues and topics. A receiver that names a subscription gets the node of that
// subscription, which is made, and on disk if it is durable, when Resolve returns.
func (b *Broker) Resolve(
	ctx context.Context, t *tenancy.Tenant, def *addressing.Definition, source router.Source,
) (router.Node, error) {
	t, def = b.current(t, def, source)
	switch {
	case def.Kind == addressing.Queue:
		return b.queue(t, def, source)
	case source.Subscription != "" && source.Browse:
		return nil, router.Errorf(router.Unsupported, "%s: only a queue can be browsed", source.Filter)
	case source.Subscription != "":
		return b.subscription(ctx, t, def, source)
	default:
		topics := b.topicsOf(t.Name)
		b.configureSubscriptions(topics, t, def, source)
		return topics, nil
	}
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
