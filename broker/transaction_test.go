package broker_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker/brokertest"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// send adds a text to a transaction.
func send(t testing.TB, tx *router.Transaction, to *routertest.Producer, body string) {
	t.Helper()
	if err := tx.Send(to.Link, routertest.Text(body)); err != nil {
		t.Fatal(err)
	}
}

// settle adds an outcome to a transaction.
func settle(t testing.TB, tx *router.Transaction, d router.Delivery, o router.Outcome) {
	t.Helper()
	if err := tx.Settle(d, o); err != nil {
		t.Fatal(err)
	}
}

// commit waits for how a transaction ends, and gives the reason.
func commit(tx *router.Transaction) router.Reason {
	done := make(chan error, 1)
	tx.Commit(func(err error) { done <- err })
	return router.ReasonOf(<-done)
}

func committed(t testing.TB, tx *router.Transaction) {
	t.Helper()
	if reason := commit(tx); reason != router.OK {
		t.Fatalf("the transaction was refused: %v", reason)
	}
}

func TestTransactionIsSeenWhenItIsOnDisk(t *testing.T) {
	gate := brokertest.NewGate(vfs.NewMem())
	h := open(t, gate)
	defer h.close(t)
	jobs, topic := h.Sender("jobs"), h.Sender("telemetry/a")
	subscription := h.From(router.Source{Filter: routertest.Filter(t, "telemetry/#"), Subscription: "audit"}, 5)
	queue, live := h.Receiver("jobs", 5), h.Receiver("telemetry/a", 5)

	tx := h.Router.Begin()
	send(t, tx, jobs, "1")
	send(t, tx, topic, "2")
	send(t, tx, jobs, "3")
	retained := routertest.Text("4")
	retained.Retain = true
	if err := tx.Send(topic.Link, retained); err != nil {
		t.Fatal(err)
	}
	greeted := h.From(router.Source{Filter: routertest.Filter(t, "telemetry/#"), Retained: true}, 0)
	reached := gate.Hold()
	done := make(chan error, 1)
	tx.Commit(func(err error) { done <- err })
	<-reached
	early := h.From(router.Source{Filter: routertest.Filter(t, "telemetry/#"), Retained: true}, 5)
	if len(done) > 0 || !queue.Idle() || !live.Idle() || !subscription.Idle() || !early.Idle() {
		t.Error("the transaction was seen before it was on disk")
	}
	gate.Release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	queue.Expect("1", "3")
	live.Expect("2", "4")
	subscription.Expect("2", "4")
	early.Expect("2", "4")
	greeted.Link.Grant(5)
	if !greeted.Idle() {
		t.Error("a receiver that came before the message was kept got it as a kept one")
	}
	late := h.From(router.Source{Filter: routertest.Filter(t, "telemetry/#"), Retained: true}, 5)
	if d := late.Expect("4")[0]; !d.Retained {
		t.Error("the retained message is not marked as such")
	}
	if jobs.Heard() || topic.Heard() {
		t.Error("a sender heard of its message though the outcome is the transaction's")
	}
}

func TestTransactionWithoutAHeldDeliveryDoesNothing(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	p, c := h.Sender("jobs"), h.Receiver("jobs", 2)
	p.Send("1")
	p.Send("2")
	p.Accepted(2)
	got := c.Expect("1", "2")
	got[0].Settle(router.Accept())

	for name, twice := range map[string]bool{"one already settled": false, "one settled twice": true} {
		tx := h.Router.Begin()
		send(t, tx, p, "never")
		settle(t, tx, got[1], router.Accept())
		settle(t, tx, got[map[bool]int{false: 0, true: 1}[twice]], router.Accept())
		if reason := commit(tx); reason != router.Conflict {
			t.Errorf("%s: %v, want a conflict", name, reason)
		}
	}
	c.Link.Close()
	h.Receiver("jobs", 5).Expect("2")
	counts := h.Router.Counters("default").Kind(addressing.Queue)
	if got := counts.Refused(router.Conflict); got != 2 {
		t.Errorf("%d messages counted as refused, want 2", got)
	}
}

func TestTransactionBeyondAQueuesRoomDoesNothing(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	jobs, small := h.Sender("jobs"), h.Sender("small")
	tx := h.Router.Begin()
	send(t, tx, jobs, "never")
	for _, body := range []string{"1", "2", "3"} {
		send(t, tx, small, body)
	}
	if reason := commit(tx); reason != router.Quota {
		t.Errorf("%v, want quota", reason)
	}
	jobs.Send("first")
	small.Send("first too")
	h.Receiver("jobs", 5).Expect("first")
	h.Receiver("small", 5).Expect("first too")
}

func TestTransactionMakesRoomForWhatItSends(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	p, c := h.Sender("small"), h.Receiver("small", 2)
	p.Send("1")
	p.Send("2")
	tx := h.Router.Begin()
	for _, d := range c.Expect("1", "2") {
		settle(t, tx, d, router.Accept())
		send(t, tx, p, routertest.Body(d)+" again")
	}
	c.Link.Grant(2)
	committed(t, tx)
	c.Expect("1 again", "2 again")
}

func TestTransactionGivesBack(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	p, c := h.Sender("jobs"), h.Receiver("jobs", 3)
	for _, body := range []string{"1", "2", "3"} {
		p.Send(body)
	}
	got := c.Expect("1", "2", "3")
	tx := h.Router.Begin()
	settle(t, tx, got[0], router.Release())
	settle(t, tx, got[1], router.Fail())
	settle(t, tx, got[2], router.Reject(router.Malformed, ""))
	c.Link.Grant(5)
	if !c.Idle() {
		t.Error("a message came back before the commit")
	}
	committed(t, tx)
	for i, d := range c.Expect("1", "2") {
		if int(d.Attempts) != i {
			t.Errorf("message %d has %d attempts", i+1, d.Attempts)
		}
	}
	if !c.Idle() {
		t.Error("the rejected message came again")
	}
}

func TestFullSubscriptionMissesATransactionsMessage(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	def := routertest.Define(t, "news", addressing.Topic)
	def.Queue.MaxMessages = 1
	h.User = routertest.User(t, "default", def)
	full := h.From(router.Source{Filter: routertest.Filter(t, "news"), Subscription: "full"}, 0)
	p := h.Sender("news")
	tx := h.Router.Begin()
	send(t, tx, p, "1")
	send(t, tx, p, "2")
	committed(t, tx)
	full.Link.Grant(5)
	full.Expect("1")
	if got := h.Router.Counters("default").Kind(addressing.Topic).Dropped(); got != 1 {
		t.Errorf("%d counted as dropped, want 1", got)
	}
}

// TestNewerRetainedMessageOverrulesATransactionsPromise: what the store has last is what new subscribers get.
func TestNewerRetainedMessageOverrulesATransactionsPromise(t *testing.T) {
	gate := brokertest.NewGate(vfs.NewMem())
	h := open(t, gate)
	defer h.close(t)
	p := h.Sender("telemetry/a")
	older, newer := routertest.Text("older"), routertest.Text("newer")
	older.Retain, newer.Retain = true, true
	tx := h.Router.Begin()
	if err := tx.Send(p.Link, older); err != nil {
		t.Fatal(err)
	}
	reached := gate.Hold()
	done := make(chan error, 1)
	tx.Commit(func(err error) { done <- err })
	<-reached
	p.SendDelivery(newer)
	gate.Release()
	p.Accepted(1)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	h.From(router.Source{Filter: routertest.Filter(t, "telemetry/a"), Retained: true}, 5).Expect("newer")
}

func TestTransactionFailsWithTheStore(t *testing.T) {
	h := open(t, vfs.NewMem())
	p := h.Sender("jobs")
	h.close(t)
	tx := h.Router.Begin()
	send(t, tx, p, "never")
	if reason := commit(tx); reason != router.Internal {
		t.Errorf("%v, want internal", reason)
	}
}

// TestTransactionsOverTheSameQueuesPassEachOther moves messages to and fro at the same time, and tells a topic of each
// move: none is lost, none is there twice, and nobody waits for ever.
func TestTransactionsOverTheSameQueuesPassEachOther(t *testing.T) {
	const messages, movers, moves = 50, 3, 100
	h := modelHouse(t, vfs.NewMem())
	told := h.From(modelSources[2], 2*movers*moves)
	h.From(modelSources[3], 0).Link.Close()
	p := h.Sender("jobs")
	for i := range messages {
		p.Send(fmt.Sprint(i))
	}
	p.Accepted(messages)
	var moving sync.WaitGroup
	for i := range 2 * movers {
		from, to := modelAddresses[i%2], modelAddresses[1-i%2]
		moving.Go(func() {
			c, sender, topic := h.Receiver(from, 1), h.Sender(to), h.Sender("news")
			defer c.Link.Close()
			for range moves {
				d := c.Next()
				tx := h.Router.Begin()
				send(t, tx, topic, "moved")
				settle(t, tx, d, router.Accept())
				send(t, tx, sender, routertest.Body(d))
				c.Link.Grant(1)
				if reason := commit(tx); reason != router.OK {
					t.Errorf("a move was refused: %v", reason)
				}
			}
		})
	}
	moving.Wait()
	for range 2 * movers * moves {
		told.Next()
	}
	told.Link.Close()
	kept, found := drain(t, h), make(map[string]bool)
	for _, body := range slices.Concat(kept[0], kept[1]) {
		if found[body] {
			t.Errorf("message %s is there twice", body)
		}
		found[body] = true
	}
	if len(found) != messages {
		t.Errorf("%d messages are there, want %d", len(found), messages)
	}
}
