package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// The protocols of the matrix; HTTP receives in two ways.
const (
	mqtt3      = "MQTT 3.1.1"
	mqtt5      = "MQTT 5"
	httpSend   = "HTTP"
	httpHead   = "HTTP head"
	httpStream = "HTTP stream"
	amqp1      = "AMQP 1.0"
	stomp12    = "STOMP 1.2"
)

// lane is an address of the quickstart's configuration, and what its kind promises.
type lane struct {
	kind    string
	address string
	waits   bool // the sender is told yes only once a consumer has settled
}

var lanes = []lane{
	{kind: "anycast", address: "commands/licht an//1", waits: true},
	{kind: "broadcast", address: "alerts"},
	{kind: "queue", address: "jobs"},
	{kind: "topic", address: "telemetry/küche/a.b%2F"},
}

// TestEverySenderReachesEveryReceiver sends over each protocol and receives over each, at each kind of address: what
// both have a place for arrives unchanged, the sender is told yes, and not before it is true, and what was settled is
// gone.
func TestEverySenderReachesEveryReceiver(t *testing.T) {
	for _, from := range []string{mqtt3, mqtt5, httpSend, amqp1, stomp12} {
		for _, to := range []string{mqtt3, mqtt5, httpHead, httpStream, amqp1, stomp12} {
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				c := quickstart(t)
				c.MQTT.DeliveryTimeout = 10 * time.Millisecond // a receive that is not there yet costs MQTT 3.1.1 that much
				doors := startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))
				for _, l := range lanes {
					t.Run(l.kind, func(t *testing.T) { newCell(t, doors, from, to, l).run(t) })
				}
			})
		}
	}
}

// cell is one pair of protocols at one address.
type cell struct {
	lane
	from, to string
	source   string // what a receive under a lock takes from
	ctx      context.Context
	http     *httpClient
	sender   sender
	receiver receiver
}

func newCell(t *testing.T, doors map[string]string, from, to string, l lane) *cell {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	c := &cell{lane: l, from: from, to: to, source: l.address, ctx: ctx, http: newHTTPClient(t, doors["http"])}
	switch from {
	case httpSend:
		c.sender = httpSender{ctx, c.http}
	case amqp1:
		c.sender = newAMQPSender(ctx, t, doors["amqp"], l.address)
	case stomp12:
		c.sender = stompSender{t, doors["stomp"]}
	default:
		c.sender = &mqttSender{t: t, protocol: from, door: doors["mqtt"]}
	}
	switch to {
	case httpHead:
		c.receiver = c.newHeadReceiver(t)
	case httpStream:
		c.receiver = c.newStreamReceiver(t)
	case amqp1:
		c.receiver = newAMQPReceiver(ctx, t, doors["amqp"], l.address)
	case stomp12:
		c.receiver = newSTOMPReceiver(t, doors["stomp"], l.address)
	default:
		c.receiver = newMQTTReceiver(t, to, doors["mqtt"], l.address)
	}
	return c
}

func (c *cell) run(t *testing.T) {
	for _, l := range letters() {
		got, told := c.pass(t, l)
		if c.from == amqp1 {
			got.orderLike(l.properties) // which are a map to its client, and came in any order
		}
		if want := l.arriving(c.from, c.to); got.address != c.address || !want.equal(got.letter) {
			t.Errorf("at %q\ngot  %+v\nwant %+v", got.address, got.letter, want)
		}
		if c.waits && c.to != httpStream {
			if err := c.sender.roundTrip(); err != nil {
				t.Fatal(err)
			}
			if len(told) > 0 {
				t.Error("the sender was told before the consumer settled")
			}
		}
		if err := c.receiver.settle(); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-told:
			if err != nil {
				t.Errorf("the sender was told %v", err)
			}
		case <-c.ctx.Done():
			t.Fatal("the sender was told nothing")
		}
	}
	if err := c.receiver.leave(); err != nil {
		t.Fatal(err)
	}
	c.expectNothing(t)
}

// pass sends a letter and waits for it at the receiver; told is what the sender is told of the one that arrived. A
// receive under a lock does not say when its route is live: until it is, addresses that store nothing have nobody who
// takes the message, and it is sent again.
func (c *cell) pass(t *testing.T, l letter) (got arrival, told <-chan error) {
	again := c.to == httpHead && (c.kind == "anycast" || c.kind == "broadcast")
	heard, yes := false, make(chan error, 1)
	yes <- nil
	arrived, told := c.receiver.next(), c.sender.send(c.address, l)
	for {
		select {
		case got := <-arrived:
			if !heard {
				return got, told
			}
			if again {
				<-told // of the last copy: it is on its way no more
			}
			return got, yes
		case err := <-told:
			if err != nil && !again {
				t.Fatalf("the sender was told %v", err)
			}
			heard = heard || err == nil
			told = nil
			if again {
				told = c.sender.send(c.address, l)
			}
		case <-c.ctx.Done():
			t.Fatal("the message did not arrive")
		}
	}
}

// expectNothing receives under a lock, and finds nothing.
func (c *cell) expectNothing(t *testing.T) {
	t.Helper()
	p, err := c.http.ask(c.ctx, http.MethodPost, pathOf("default", c.source, "messages/head?timeout=0"), nil, nil)
	if err != nil || p.code != http.StatusNoContent {
		t.Errorf("where nothing is left a receive gave status %d, %q, %v", p.code, p.body, err)
	}
}
