package gateway

import (
	"context"
	"fmt"
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
)

// lane is an address of the quickstart's configuration, and what its kind promises.
type lane struct {
	kind    string
	address string
	keeps   bool // a message waits until a consumer has taken it
	waits   bool // the sender is told yes only once a consumer has settled
}

var lanes = []lane{
	{kind: "anycast", address: "commands/licht an//1", waits: true},
	{kind: "broadcast", address: "alerts"},
	{kind: "queue", address: "jobs", keeps: true},
	{kind: "topic", address: "telemetry/küche/a.b%2F"},
}

// TestEverySenderReachesEveryReceiver sends over each protocol and receives over each, at each kind of address: what
// both have a place for arrives unchanged, the sender is told yes, and not before it is true, and what was settled is
// gone.
func TestEverySenderReachesEveryReceiver(t *testing.T) {
	for _, from := range []string{mqtt3, mqtt5, httpSend} {
		for _, to := range []string{mqtt3, mqtt5, httpHead, httpStream} {
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
	ctx      context.Context
	http     *httpClient
	sender   sender
	receiver receiver
}

// sender sends over one protocol.
type sender interface {
	// send gives, once, what the client was told: nil for yes.
	send(to string, l letter) (told <-chan error)
	// roundTrip returns when the door has answered a later request of the client.
	roundTrip() error
}

// receiver receives over one protocol.
type receiver interface {
	// next gives the next message, which is not settled before settle is called, unless the protocol settles itself.
	next() <-chan arrival
	// settle accepts it and returns when the door has heard so.
	settle() error
	// leave ends the receiver in such a way that what the door thinks unsettled is given back at once.
	leave() error
}

func newCell(t *testing.T, doors map[string]string, from, to string, l lane) *cell {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	c := &cell{lane: l, from: from, to: to, ctx: ctx, http: newHTTPClient(t, doors["http"])}
	if from == httpSend {
		c.sender = httpSender{ctx, c.http}
	} else {
		c.sender = &mqttSender{t: t, protocol: from, door: doors["mqtt"]}
	}
	switch to {
	case httpHead:
		c.receiver = c.newHeadReceiver(t)
	case httpStream:
		c.receiver = c.newStreamReceiver(t)
	default:
		c.receiver = newMQTTReceiver(t, to, doors["mqtt"], l.address)
	}
	return c
}

func (c *cell) run(t *testing.T) {
	for _, l := range letters() {
		got, told := c.pass(t, l)
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
	if c.keeps || c.waits {
		c.expectNothing(t, c.address)
	}
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
				<-told // of the last copy, which nobody took
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
func (c *cell) expectNothing(t *testing.T, address string) {
	t.Helper()
	p, err := c.http.ask(c.ctx, http.MethodPost, pathOf("default", address, "messages/head?timeout=0"), nil, nil)
	if err != nil || p.code != http.StatusNoContent {
		t.Errorf("after all was settled a receive gave status %d, %q, %v", p.code, p.body, err)
	}
}

// httpSender sends with POST.
type httpSender struct {
	ctx  context.Context
	http *httpClient
}

func (s httpSender) send(to string, l letter) <-chan error {
	told := make(chan error, 1)
	go func() {
		p, err := s.http.ask(s.ctx, http.MethodPost, pathOf("default", to, "messages"), l.header(), l.payload)
		if err == nil && p.code != http.StatusCreated {
			err = fmt.Errorf("status %d: %s", p.code, p.body)
		}
		told <- err
	}()
	return told
}

func (s httpSender) roundTrip() error {
	_, err := s.http.ask(s.ctx, http.MethodOptions, pathOf("default", "jobs", "messages"), nil, nil)
	return err
}

// mqttSender publishes with QoS 1, each message over a connection of its own: a no ends one before MQTT 5.
type mqttSender struct {
	t              *testing.T
	protocol, door string
	client         mqttClient
}

func (s *mqttSender) send(to string, l letter) <-chan error {
	s.client = dialMQTT(s.t, s.protocol, s.door, "", func(arrival) {})
	client, told := s.client, make(chan error, 1)
	go func() { told <- client.publish(to, l, false) }()
	return told
}

func (s *mqttSender) roundTrip() error { return s.client.subscribe("telemetry/round trip") }

// mqttReceiver subscribes with QoS 1.
type mqttReceiver struct {
	client  mqttClient
	address string
	came    chan arrival
	release chan struct{}
	markers chan struct{}
}

// marker is a topic by which a receiver finds out that its client has acknowledged all that came before.
const marker = "telemetry/marker"

func newMQTTReceiver(t *testing.T, protocol, door, address string) *mqttReceiver {
	t.Helper()
	r := &mqttReceiver{
		address: address, came: make(chan arrival), release: make(chan struct{}), markers: make(chan struct{}),
	}
	r.client = dialMQTT(t, protocol, door, "", func(a arrival) {
		if a.address == marker {
			r.markers <- struct{}{}
			return
		}
		select {
		case r.came <- a:
		case <-t.Context().Done():
		}
		select {
		case <-r.release:
		case <-t.Context().Done():
		}
	})
	for _, filter := range []string{address, marker} {
		if err := r.client.subscribe(filter); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func (r *mqttReceiver) next() <-chan arrival { return r.came }

func (r *mqttReceiver) settle() error {
	r.release <- struct{}{}
	sent := make(chan error, 1)
	go func() { sent <- r.client.publish(marker, letter{}, false) }()
	<-r.markers
	return <-sent
}

func (r *mqttReceiver) leave() error { return r.client.unsubscribe(r.address) }

// headReceiver receives under a lock; from a topic by a durable subscription, which holds what comes between.
type headReceiver struct {
	*cell
	source   string
	came     chan arrival
	location string
}

func (c *cell) newHeadReceiver(t *testing.T) *headReceiver {
	r := &headReceiver{cell: c, source: c.address, came: make(chan arrival, 1)}
	if c.kind == "topic" {
		r.source += "::matrix"
		c.expectNothing(t, r.source)
	}
	return r
}

func (r *headReceiver) next() <-chan arrival {
	go func() {
		p, err := r.http.ask(r.ctx, http.MethodPost, pathOf("default", r.source, "messages/head?timeout=15"), nil, nil)
		if err != nil || p.code != http.StatusOK {
			r.came <- arrival{letter{payload: fmt.Append(nil, p.code, err)}, ""}
			return
		}
		r.location = p.header.Get("Location")
		address := readHeader(http.Header{"Manifold-Reply-To": p.header["Manifold-Address"]}, nil).replyTo
		r.came <- arrival{readHeader(p.header, p.body), address}
	}()
	return r.came
}

func (r *headReceiver) settle() error {
	if (r.location == "") != (r.kind == "broadcast") {
		return fmt.Errorf("a %s message came with Location %q", r.kind, r.location)
	}
	if r.location == "" {
		return nil
	}
	p, err := r.http.ask(r.ctx, http.MethodDelete, r.location, nil, nil)
	if err == nil && p.code != http.StatusNoContent {
		err = fmt.Errorf("DELETE %s: status %d: %s", r.location, p.code, p.body)
	}
	return err
}

func (r *headReceiver) leave() error {
	if r.kind == "topic" {
		p, err := r.http.ask(r.ctx, http.MethodPost, pathOf("default", r.source, "messages/head?timeout=0"), nil, nil)
		if err != nil || p.code != http.StatusNoContent {
			return fmt.Errorf("the durable subscription still has something: status %d, %w", p.code, err)
		}
	}
	return nil
}

// streamReceiver watches an event stream, which settles what it has written.
type streamReceiver struct {
	*cell
	events *events
	end    context.CancelFunc
}

func (c *cell) newStreamReceiver(t *testing.T) *streamReceiver {
	ctx, end := context.WithCancel(c.ctx)
	t.Cleanup(end)
	return &streamReceiver{c, c.http.stream(ctx, t, pathOf("default", c.address, "stream")), end}
}

func (r *streamReceiver) next() <-chan arrival {
	came := make(chan arrival, 1)
	go func() {
		if e, ok := r.events.next(); ok {
			came <- arrival{e.letter(letters()[0].properties), e.Address}
		}
	}()
	return came
}

func (r *streamReceiver) settle() error { return nil }

func (r *streamReceiver) leave() error {
	r.end()
	return nil
}
