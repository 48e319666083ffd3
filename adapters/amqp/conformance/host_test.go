package conformance

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/adapters/amqp"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

var (
	addr     = flag.String("addr", "", "host:port of the container to talk to; our own door if empty")
	queue    = flag.String("queue", "/queue/conformance", "what the addresses of queues begin with; a number follows")
	nowhere  = flag.String("nowhere", "/exchange/nowhere/x", "an address that the container refuses")
	user     = flag.String("user", "", "user name for PLAIN; ANONYMOUS if empty")
	password = flag.String("password", "", "password for PLAIN")
)

// host is the container under test.
type host struct {
	addr   string
	ours   bool  // our own door
	base   int64 // differs from run to run
	queues atomic.Int64
}

// newQueue gives the address of a queue that nobody has used.
func (h *host) newQueue() string { return fmt.Sprintf("%s-%d-%d", *queue, h.base, h.queues.Add(1)) }

// findHost gives the container that -addr names, or our own.
func findHost(t *testing.T) *host {
	h := &host{addr: *addr, base: time.Now().Unix()}
	if h.addr == "" {
		h.addr, h.ours = startOurs(t), true
	}
	return h
}

// startOurs runs our door on a broker in memory, and gives its address.
func startOurs(t *testing.T) string {
	t.Helper()
	store, err := broker.Open(broker.Options{Dir: "data", FS: vfs.NewMem(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	tenant := routertest.User(t, "default", routertest.Define(t, "queue/#", addressing.Queue)).Tenant
	directory, err := tenancy.NewDirectory(tenant)
	if err != nil {
		t.Fatal(err)
	}
	limits := amqp.DefaultLimits()
	limits.CloseTimeout = 100 * time.Millisecond // for those whose frames cannot be read any more
	direct := router.NewDirect(router.Limits{})
	door := amqp.New(amqp.Config{
		Router: router.New(router.Limits{}, map[addressing.Kind]router.Resolver{
			addressing.Anycast: direct, addressing.Broadcast: direct, addressing.Queue: store,
		}),
		Directory: directory, Limits: limits, Log: slog.New(slog.DiscardHandler),
		Driver: transport.NewDriver(transport.Options{}), ContainerID: "ours", Version: "test",
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := door.Serve(ctx, ln); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		serving.Wait()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().String()
}
