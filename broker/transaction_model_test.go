package broker_test

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker"
	"github.com/manifoldmq/manifold/broker/brokertest"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// What the random transactions work on: two queues, and two subscriptions of a third address.
var (
	modelAddresses = []string{"jobs", "spare", "news"}
	modelSources   = []router.Source{
		{Filter: addressing.Address("jobs").Filter()},
		{Filter: addressing.Address("spare").Filter()},
		{Filter: addressing.Address("news").Filter(), Subscription: "a"},
		{Filter: addressing.Address("news").Filter(), Subscription: "b"},
	}
	modelRoutes = [][]int{{0}, {1}, {2, 3}} // from addresses to sources
)

// contents is what each source keeps, in order.
type contents [4][]string

func (c contents) clone() contents {
	for i := range c {
		c[i] = slices.Clone(c[i])
	}
	return c
}

func (c *contents) drop(k copyOf) {
	c[k.source] = slices.DeleteFunc(c[k.source], func(body string) bool { return body == k.body })
}

func (c contents) equal(other contents) bool {
	return slices.EqualFunc(c[:], other[:], slices.Equal[[]string])
}

// copyOf names a message in one source.
type copyOf struct {
	source int
	body   string
}

// workload does random transactions and knows what each leaves behind.
type workload struct {
	t         *rapid.T
	house     *house
	senders   []*routertest.Producer
	consumers []*routertest.Consumer
	held      map[copyOf]router.Delivery
	settled   []router.Delivery // by transactions before
	states    []contents        // at the beginning, and after each transaction
	answers   []chan error      // of each transaction
	sent      int
}

func modelHouse(t testing.TB, fs vfs.FS) *house {
	t.Helper()
	b, err := broker.Open(broker.Options{Dir: "data", FS: fs, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return modelUser(t, links(t, b))
}

// modelUser gives a house the addresses of the random transactions.
func modelUser(t testing.TB, h *house) *house {
	t.Helper()
	h.User = routertest.User(t, "default",
		routertest.Define(t, "jobs", addressing.Queue),
		routertest.Define(t, "spare", addressing.Queue),
		routertest.Define(t, "news", addressing.Topic),
	)
	return h
}

func newWorkload(t *rapid.T, h *house) *workload {
	w := &workload{t: t, house: h, held: make(map[copyOf]router.Delivery), states: []contents{{}}}
	for _, source := range modelSources {
		w.consumers = append(w.consumers, h.From(source, 10_000))
	}
	for _, a := range modelAddresses {
		w.senders = append(w.senders, h.Sender(a))
	}
	return w
}

// look notes what the consumers have got.
func (w *workload) look() {
	for i, c := range w.consumers {
		for !c.Idle() {
			d := c.Next()
			w.held[copyOf{i, routertest.Body(d)}] = d
		}
	}
}

// transact commits a random transaction and does not wait for it.
func (w *workload) transact() {
	w.look()
	tx, after := w.house.Router.Begin(), w.states[len(w.states)-1].clone()
	ended := w.settle(tx, &after)
	w.send(tx, &after)
	late := len(w.settled) > 0 && rapid.IntRange(0, 9).Draw(w.t, "late") == 0
	if late {
		settle(w.house.T, tx, rapid.SampledFrom(w.settled).Draw(w.t, "settled"), router.Accept())
	}
	answer := make(chan error, 1)
	tx.Commit(func(err error) { answer <- err })
	if late {
		if err := <-answer; router.ReasonOf(err) != router.Conflict {
			w.t.Fatalf("told %v, want a conflict", err)
		}
		return
	}
	for _, k := range ended {
		w.settled = append(w.settled, w.held[k])
		delete(w.held, k)
	}
	w.states, w.answers = append(w.states, after), append(w.answers, answer)
}

// settle adds random outcomes of some of what is held, and gives of what.
func (w *workload) settle(tx *router.Transaction, after *contents) (ended []copyOf) {
	held := slices.SortedFunc(maps.Keys(w.held), func(a, b copyOf) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.body, b.body))
	})
	for range rapid.IntRange(0, min(4, len(held))).Draw(w.t, "settlements") {
		i := rapid.IntRange(0, len(held)-1).Draw(w.t, "held")
		k := held[i]
		held, ended = slices.Delete(held, i, i+1), append(ended, k)
		outcome := rapid.SampledFrom([]router.Outcome{
			router.Accept(), router.Reject(router.Malformed, ""), router.Release(), router.Fail(),
		}).Draw(w.t, "outcome")
		settle(w.house.T, tx, w.held[k], outcome)
		if outcome.State == router.Accepted || outcome.State == router.Rejected {
			after.drop(k)
		}
	}
	return ended
}

// send adds random messages.
func (w *workload) send(tx *router.Transaction, after *contents) {
	for range rapid.IntRange(0, 4).Draw(w.t, "sends") {
		to := rapid.IntRange(0, len(modelAddresses)-1).Draw(w.t, "to")
		w.sent++
		body := fmt.Sprint(w.sent)
		send(w.house.T, tx, w.senders[to], body)
		for _, i := range modelRoutes[to] {
			after[i] = append(after[i], body)
		}
	}
}

// acknowledged counts the transactions that are known to be on disk, up to the first that is not.
func (w *workload) acknowledged() int {
	for i := range w.answers {
		if err, told := w.told(i); !told || err != nil {
			return i
		}
	}
	return len(w.answers)
}

func (w *workload) await(transaction int) {
	if err := <-w.answers[transaction]; err != nil {
		w.t.Fatal(err)
	}
	w.answers[transaction] <- nil
}

// TestAPowerCutLeavesTransactionsWhole does random transactions, stops the disk in the middle, cuts the power, keeps a
// random part of what was not synced, and looks at what is there: what all transactions up to some one leave behind,
// which is no earlier than the last that was acknowledged.
func TestAPowerCutLeavesTransactionsWhole(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		unsynced := rapid.IntRange(0, 100).Draw(rt, "unsyncedPercent")
		disk := vfs.NewCrashableMem()
		gate := brokertest.NewGate(disk)
		w := newWorkload(rt, modelHouse(t, gate))
		for i := range rapid.IntRange(1, 20).Draw(rt, "before") {
			w.transact()
			if n := len(w.answers); i%2 == 0 && n > 0 {
				w.await(n - 1)
			}
		}
		gate.Hold()
		for range rapid.IntRange(0, 10).Draw(rt, "under way") {
			w.transact()
		}
		acknowledged := w.acknowledged()
		cut := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: unsynced, RNG: rand.New(rand.NewPCG(seed, seed))})
		gate.Release()
		w.house.close(t)

		found := drain(t, modelHouse(t, cut))
		if !slices.ContainsFunc(w.states[acknowledged:], found.equal) {
			rt.Fatalf("after %d acknowledged of %d transactions there is %v, want one of %v",
				acknowledged, len(w.answers), found, w.states[acknowledged:])
		}
	})
}

// drain takes everything out of all sources, and closes the house.
func drain(t *testing.T, h *house) (found contents) {
	t.Helper()
	defer h.close(t)
	for _, a := range modelAddresses {
		p := h.Sender(a)
		p.Send("end")
		p.Accepted(1)
	}
	for i, source := range modelSources {
		c := h.From(source, 10_000)
		for body := routertest.Body(c.Next()); body != "end"; body = routertest.Body(c.Next()) {
			found[i] = append(found[i], body)
		}
		c.Link.Close()
	}
	return found
}
