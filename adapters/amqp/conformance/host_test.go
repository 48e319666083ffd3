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
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

var (
	addr     = flag.String("addr", "", "host:port of the container to talk to; our own door if empty")
	topic    = flag.String("topic", "/topic/conformance", "what the addresses of topics begin with; a number follows")
	queue    = flag.String("queue", "/queue/conformance", "what the addresses of queues begin with; a number follows")
	nowhere  = flag.String("nowhere", "/exchange/nowhere/x", "an address that the container refuses")
	user     = flag.String("user", "", "user name for PLAIN; ANONYMOUS if empty")
	password = flag.String("password", "", "password for PLAIN")
)

// host is the container under test.
type host struct {
	addr  string
	login *frame.SASLInit
	ours  bool  // our own door
	base  int64 // differs from run to run
	nodes atomic.Int64

	strict      string // address of a door where nobody is anonymous, and silence is cut short
	strictLogin *frame.SASLInit
}

// newQueue gives the address of a queue that nobody has used, newTopic that of a topic.
func (h *host) newQueue() string { return h.newNode(*queue) }
func (h *host) newTopic() string { return h.newNode(*topic) }

func (h *host) newNode(prefix string) string {
	return fmt.Sprintf("%s-%d-%d", prefix, h.base, h.nodes.Add(1))
}

// findHost gives the container that -addr names, or our own.
func findHost(t *testing.T) *host {
	h := &host{addr: *addr, login: anonymous(), base: time.Now().Unix()}
	if *user != "" {
		h.login = plain(*user, *password)
	}
	h.strict, h.strictLogin = h.addr, h.login
	if h.addr == "" {
		startOurs(t, h)
	}
	return h
}

func anonymous() *frame.SASLInit {
	return &frame.SASLInit{Mechanism: "ANONYMOUS", InitialResponse: []byte("conformance")}
}

func plain(user, password string) *frame.SASLInit {
	return &frame.SASLInit{Mechanism: "PLAIN", InitialResponse: []byte("\x00" + user + "\x00" + password)}
}

// ourUser has the password "a" at the doors of our own.
const (
	ourUser       = "ann"
	ourCredential = "SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==" +
		"$L8gfk2vT/xsUcH5JAJH1MJzhhiPb7e10GqM/YzUrL4Y=:cFgyfg2244XE1OAqtpz+YSApH0ihf7BFHiSv7TA6MXU="
)

// startOurs runs our two doors on a broker in memory.
func startOurs(t *testing.T, h *host) {
	t.Helper()
	store, err := broker.Open(broker.Options{Dir: "data", FS: vfs.NewMem(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	credential, err := tenancy.ParseCredential(ourCredential)
	if err != nil {
		t.Fatal(err)
	}
	tenant := *routertest.User(t, tenancy.DefaultTenant,
		routertest.Define(t, "queue/#", addressing.Queue), routertest.Define(t, "topic/#", addressing.Topic)).Tenant
	tenant.Users = []tenancy.User{{Name: ourUser, Credential: credential}}
	closed := tenant
	closed.Anonymous = false
	direct := router.NewDirect(router.Limits{})
	config := amqp.Config{
		Router: router.New(router.Limits{}, map[addressing.Kind]router.Resolver{
			addressing.Anycast: direct, addressing.Broadcast: direct, addressing.Queue: store, addressing.Topic: store,
		}),
		Limits: amqp.DefaultLimits(), Log: slog.New(slog.DiscardHandler), PlainWithoutTLS: true,
		Driver: transport.NewDriver(transport.Options{}), ContainerID: "ours", Version: "test",
	}
	config.Limits.CloseTimeout = 100 * time.Millisecond // for those whose frames cannot be read any more
	h.ours = true
	h.addr = serveOurs(t, config, &tenant)
	config.Limits.IdleTimeout = 4 * time.Second
	h.strict, h.strictLogin = serveOurs(t, config, &closed), plain(ourUser, "a")
}

// serveOurs runs a door, and gives its address.
func serveOurs(t *testing.T, config amqp.Config, tenant *tenancy.Tenant) string {
	t.Helper()
	directory, err := tenancy.NewDirectory(tenant)
	if err != nil {
		t.Fatal(err)
	}
	config.Directory = directory
	door := amqp.New(config)
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
	})
	return ln.Addr().String()
}
