package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/gateway/config"
)

// lane is a kind of address, and what it promises.
type lane struct {
	kind   addressing.Kind
	stores bool
	waits  bool // the sender is told yes only once a consumer has settled
}

var lanes = []lane{
	{kind: addressing.Anycast, waits: true},
	{kind: addressing.Broadcast},
	{kind: addressing.Queue, stores: true},
	{kind: addressing.Topic, stores: true},
}

// TestEverySenderReachesEveryReceiver sends over each protocol in each way and receives over each, at each kind of address:
// what both have a place for arrives as the mapping says, the sender is told yes, and not before it is true, and what was
// settled is gone.
func TestEverySenderReachesEveryReceiver(t *testing.T) {
	doors := startMatrix(t)
	for i, to := range receiverKinds {
		for _, l := range lanes {
			t.Run(fmt.Sprintf("%v to %s", l.kind, to.name), func(t *testing.T) {
				t.Parallel()
				c := newCell(t, doors, l, i)
				c.attach(t, to)
				for _, from := range senderKinds {
					t.Run("from "+from.name, func(t *testing.T) { c.run(t, from) })
				}
				if err := c.receiver.leave(); err != nil {
					t.Fatal(err)
				}
				c.expectNothing(t)
			})
		}
	}
}

// startMatrix starts a gateway that has an address for each receiver and kind.
func startMatrix(t *testing.T) map[string]string {
	c := quickstart(t)
	c.MQTT.DeliveryTimeout = 10 * time.Millisecond // a receive that is not there yet costs MQTT 3.1.1 that much
	for _, l := range lanes {
		name, err := addressing.ParseFilter(l.kind.String() + "/#")
		if err != nil {
			t.Fatal(err)
		}
		c.Addresses = append(c.Addresses, config.Address{Name: name, Kind: l.kind})
	}
	return startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))
}

// cell is one receiver at one address, and in turn every sender.
type cell struct {
	lane
	doors    map[string]string
	name     string // unique among the cells
	address  string
	source   string // what a receive under a lock takes from
	ctx      context.Context
	http     *httpClient
	to       receiverKind
	receiver receiver
	from     senderKind
	sender   sender
}

func newCell(t *testing.T, doors map[string]string, l lane, number int) *cell {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	c := &cell{lane: l, doors: doors, ctx: ctx, http: newHTTPClient(t, doors["http"])}
	c.name = fmt.Sprintf("%v %d", l.kind, number)
	c.address = fmt.Sprintf("%v/küche an//a.b%%2F/%d", l.kind, number)
	c.source = c.address
	return c
}

// attach opens the receiver.
func (c *cell) attach(t *testing.T, to receiverKind) {
	c.to = to
	c.receiver = to.open(t, c)
}

// run sends every letter.
func (c *cell) run(t *testing.T, from senderKind) {
	c.from, c.sender = from, from.open(t, c)
	for i, l := range letters() {
		if !from.column.canSend(l) || l[deliveryDelay] != nil && !c.stores {
			continue
		}
		if lost := c.exchange(t, from.addressed(l, c.address)); lost != "" {
			t.Errorf("letter %d arrived otherwise:%s", i, lost)
		}
	}
}

// exchange sends a message and checks what the sender is told and when. It gives what arrives otherwise than it should.
func (c *cell) exchange(t *testing.T, l fields) (lost string) {
	t.Helper()
	arrived, told := c.pass(t, l)
	if c.from.unordered || c.to.unordered {
		arrived.orderLike(l)
	}
	lost = difference(arrived, c.expect(l))
	if c.waits && c.to.settles && !c.from.unconfirmed {
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
	return lost
}

// expect is what the receiver should hear of a message.
func (c *cell) expect(l fields) fields { return c.to.gets(c.from.column.sends(l)) }

// pass sends a message and waits for it at the receiver; told is what the sender is told of the one that arrived. A
// receive under a lock does not say when its route is live: until it is, addresses that store nothing have nobody who
// takes the message, and it is sent again.
func (c *cell) pass(t *testing.T, l fields) (arrived fields, told <-chan error) {
	t.Helper()
	came := c.receiver.next()
	told = c.sender.send(c.address, l)
	if c.to.attached || c.stores {
		return c.await(t, came), told
	}
	again := false
	for arrived == nil {
		select {
		case arrived = <-came:
		case <-told:
			told = yes() // if it arrives
		case <-c.ctx.Done():
			t.Fatal("the message did not arrive")
		}
		if err := c.sender.roundTrip(); err != nil { // so that no copy is under way any more
			t.Fatal(err)
		}
		if arrived == nil && len(came) == 0 {
			told, again = c.sender.send(c.address, l), true
		}
	}
	if !c.waits || c.from.unconfirmed {
		select {
		case <-told: // the last copy is not under way any more, which the next receive could get
		case <-c.ctx.Done():
			t.Fatal("the sender was told nothing")
		}
		told = yes() // whatever became of a copy that came too late
		if again {
			c.discard(t)
		}
	}
	return arrived, told
}

// discard takes what waits for a receive: a copy that came too late, while the one before was ending.
func (c *cell) discard(t *testing.T) {
	t.Helper()
	for code := http.StatusOK; code != http.StatusNoContent; {
		p, err := c.http.ask(c.ctx, http.MethodPost, pathOf("default", c.source, "messages/head?timeout=0"), nil, nil)
		if err != nil || p.code != http.StatusOK && p.code != http.StatusNoContent {
			t.Fatalf("a receive gave status %d, %q, %v", p.code, p.body, err)
		}
		code = p.code
	}
}

// yes is what a sender is told whose message arrived.
func yes() <-chan error {
	told := make(chan error, 1)
	told <- nil
	return told
}

func (c *cell) await(t *testing.T, came <-chan fields) fields {
	t.Helper()
	select {
	case arrived := <-came:
		return arrived
	case <-c.ctx.Done():
		t.Fatal("the message did not arrive")
		return nil
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
