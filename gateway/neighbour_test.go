package gateway

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/eclipse/paho.golang/paho"

	"github.com/manifoldmq/manifold/gateway/config"
)

// TestNeighbourAtItsLimits: while the clients of one tenant send as fast as they can and are held back, those of another
// are served as before. It tells how long their messages take, alone and beside it, in turns; how much that differs is for
// who reads it, as the machine may be busy with other things.
func TestNeighbourAtItsLimits(t *testing.T) {
	declared, err := config.Parse("neighbours.yaml", []byte(`
tenants:
  - {name: default, anonymous: true, addresses: [{name: jobs, kind: queue, maxMessages: 100, overflow: dropHead}]}
  - name: loud
    anonymous: true
    limits: {messagesIn: {rate: 500, burst: 10}, bytesIn: {rate: 1MiB}, maxStoredMessages: 1000}
    addresses: [{name: "jobs/#", kind: queue}, {name: "news/#", kind: topic}]
`))
	if err != nil {
		t.Fatal(err)
	}
	c := quickstart(t)
	c.Anonymous, c.Addresses, c.Tenants = false, nil, declared.Tenants
	doors := startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	quiet := dialAMQP(ctx, t, doors["amqp"])
	link, err := quiet.session.NewSender(ctx, "jobs", nil)
	if err != nil {
		t.Fatal(err)
	}
	var alone, beside []time.Duration
	for range 7 {
		alone = append(alone, worst(ctx, t, link))
		silence := makeNoise(ctx, t, doors["mqtt"])
		beside = append(beside, worst(ctx, t, link))
		silence()
	}
	n := metricsOf(t, doors)[`manifold_limit_breaches_total{limit="messagesIn",tenant="loud"}`]
	if n == "" || n == "0" {
		t.Errorf("the neighbour was not at its limits: %q breaches", n)
	}
	slices.Sort(alone)
	slices.Sort(beside)
	t.Logf("99 of 100 messages take at most %v alone and %v beside a tenant at its limits (medians of %d), which was held back %s times",
		alone[3], beside[3], len(alone), n)
}

// worst gives what the slowest of each hundred messages takes.
func worst(ctx context.Context, t *testing.T, link *goamqp.Sender) time.Duration {
	t.Helper()
	const messages = 300
	took := make([]time.Duration, messages)
	for i := range took {
		began := time.Now()
		if err := sendAMQP(ctx, link, goamqp.NewMessage(make([]byte, 256))); err != nil {
			t.Fatal(err)
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return took[messages*99/100]
}

// makeNoise has clients of the tenant loud send as fast as they are let, until it is ended. They are held back when it
// returns.
func makeNoise(ctx context.Context, t *testing.T, door string) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	var conns []net.Conn
	var sending sync.WaitGroup
	var all []chan struct{}
	for range 8 {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", door)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		client := paho.NewClient(paho.ClientConfig{Conn: conn})
		if _, err := client.Connect(ctx, &paho.Connect{CleanStart: true, Username: "x@loud", UsernameFlag: true}); err != nil {
			t.Fatal(err)
		}
		begun := make(chan struct{})
		sending.Go(func() {
			for i := 0; ; i++ {
				if i == 10 { // the burst is over
					close(begun)
				}
				if _, err := client.Publish(ctx, &paho.Publish{Topic: "news/x", QoS: 1, Payload: make([]byte, 256)}); err != nil {
					return
				}
			}
		})
		all = append(all, begun)
	}
	for _, begun := range all {
		<-begun
	}
	return func() {
		cancel()
		for _, conn := range conns {
			conn.Close()
		}
		sending.Wait()
	}
}
