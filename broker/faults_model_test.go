package broker_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/routertest"
)

// How much of the random work there is; with -rapid.checks=20000 a million operations on each machine.
const (
	faultProducers  = 3
	faultConsumers  = 2
	faultOperations = 60 // at most
)

// parcel names a message: the n-th of a producer.
type parcel struct{ producer, n int }

// fate is what the model knows of a message.
type fate struct {
	priority uint8
	accepted bool // the broker has said so
	taken    bool // a consumer has accepted it
	gone     bool // and was told that it is safe
}

// traffic is random work of several producers and consumers on one queue.
type traffic struct {
	random    *rand.Rand
	producers []*routertest.Producer
	consumers []*routertest.Consumer
	sent      map[parcel]*fate
	count     [faultProducers]int // of messages sent, and of answers
	answers   [faultProducers]int
	small     bool // no messages with large bodies
	held      []router.Delivery
	confirmed chan parcel
}

func newTraffic(h *house, random *rand.Rand) *traffic {
	w := &traffic{random: random, sent: make(map[parcel]*fate), confirmed: make(chan parcel, 10_000)}
	for range faultProducers {
		w.producers = append(w.producers, h.Sender("jobs"))
	}
	for range faultConsumers {
		w.consumers = append(w.consumers, h.Receiver("jobs", 5))
	}
	return w
}

// work does some operations.
func (w *traffic) work(operations int) {
	for range operations {
		w.look()
		switch w.random.IntN(10) {
		case 0, 1, 2, 3, 4:
			w.send()
		case 5, 6, 7:
			w.settle()
		case 8:
			p := w.random.IntN(faultProducers)
			if w.answers[p] < w.count[p] {
				w.hear(p, w.producers[p].Next()) // wait, so that not all is in one group
			}
		case 9:
			w.consumers[w.random.IntN(faultConsumers)].Link.Grant(w.random.IntN(5))
		}
	}
}

// send sends a message, small or large, of one of three priorities.
func (w *traffic) send() {
	p := w.random.IntN(faultProducers)
	w.count[p]++
	body, f := fmt.Sprintf("%d %d ", p, w.count[p]), &fate{priority: []uint8{0, 4, 9}[w.random.IntN(3)]}
	if !w.small && w.random.IntN(4) == 0 {
		body += strings.Repeat("large", 1000)
	}
	d := routertest.Text(body)
	d.Message = d.Message.WithHeader(amqp.Header{Priority: f.priority})
	w.sent[parcel{p, w.count[p]}] = f
	w.producers[p].SendDelivery(d)
}

// settle ends one of the deliveries that are held.
func (w *traffic) settle() {
	if len(w.held) == 0 {
		return
	}
	i := w.random.IntN(len(w.held))
	d := w.held[i]
	w.held = slices.Delete(w.held, i, i+1)
	switch w.random.IntN(5) {
	case 0:
		d.Settle(router.Release())
	case 1:
		d.Settle(router.Fail())
	default:
		l := parcelOf(d)
		w.sent[l].taken = true
		d.SettleThen(router.Accept(), func(err error) {
			if err == nil {
				w.confirmed <- l
			}
		})
	}
}

// look notes what has been heard by now.
func (w *traffic) look() {
	for _, c := range w.consumers {
		for !c.Idle() {
			w.held = append(w.held, c.Next())
		}
	}
	for i, p := range w.producers {
		for p.Heard() {
			w.hear(i, p.Next())
		}
	}
	for len(w.confirmed) > 0 {
		w.sent[<-w.confirmed].gone = true
	}
}

func (w *traffic) hear(producer int, s routertest.Settled) {
	w.answers[producer]++
	if s.Outcome.State == router.Accepted {
		w.sent[parcel{producer, int(s.Tag)}].accepted = true
	}
}

func parcelOf(d router.Delivery) (l parcel) {
	if _, err := fmt.Sscanf(routertest.Body(d), "%d %d ", &l.producer, &l.n); err != nil {
		panic(err)
	}
	return l
}

// TestNoFaultLosesBringsBackOrReorders lets producers and consumers work on a machine that begins to fail, cuts the power and
// drains the queue on what is left. Whatever was accepted is there unless a consumer has accepted it; what a consumer was
// told to be done with is not; and of each producer and priority messages are in order. Where a bit was flipped, the broker
// may refuse to start, and else something may be missing, as far as the machine doubts it.
func TestNoFaultLosesBringsBackOrReorders(t *testing.T) {
	forEachMachine(t, func(t *testing.T, build func(*rand.Rand) machine) {
		rapid.Check(t, func(rt *rapid.T) {
			random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
			m := build(random)
			b, err := m.start()
			if err != nil {
				rt.Fatal(err)
			}
			w := newTraffic(links(t, b), random)
			w.small = m.spoils()
			w.work(rapid.IntRange(0, faultOperations).Draw(rt, "before"))
			m.fail()
			w.workOn(rapid.IntRange(0, faultOperations/2).Draw(rt, "after"))
			w.look()
			former := b
			m.cut()
			m.end()
			_ = former.Close() // with the error of its disk
			b, err = m.start()
			if err != nil {
				if m.doubts() == nothing {
					rt.Fatal(err)
				}
				return
			}
			h := links(t, b)
			found := drainParcels(h)
			doubt := m.doubts()
			if doubt == reported && b.SetAside() == 0 {
				doubt = nothing
			}
			h.close(t)
			if problem := w.judge(found, doubt); problem != "" {
				rt.Fatal(problem)
			}
		})
	})
}

// workOn is work without waiting for anybody who may never answer.
func (w *traffic) workOn(operations int) {
	for range operations {
		w.look()
		if w.random.IntN(2) == 0 {
			w.send()
		} else {
			w.settle()
		}
	}
}

// drainParcels takes all that is in the queue.
func drainParcels(h *house) (found []parcel) {
	p := h.Sender("jobs")
	last := routertest.Text("end")
	last.Message = last.Message.WithHeader(amqp.Header{Priority: 0})
	p.SendDelivery(last)
	p.Accepted(1)
	c := h.Receiver("jobs", 10_000)
	for d := c.Next(); routertest.Body(d) != "end"; d = c.Next() {
		found = append(found, parcelOf(d))
	}
	return found
}

// judge tells what is wrong with what was found.
func (w *traffic) judge(found []parcel, doubt doubts) string {
	seen, last, highest := map[parcel]bool{}, map[[2]int]int{}, map[int]int{}
	for _, l := range found {
		f := w.sent[l]
		line := [2]int{l.producer, int(f.priority)}
		switch {
		case seen[l]:
			return fmt.Sprint("twice: ", l)
		case f.gone && doubt != theTail:
			return fmt.Sprint("it was accepted by a consumer, and confirmed, and is back: ", l)
		case l.n < last[line]:
			return fmt.Sprint("out of order: ", l, " after ", last[line])
		}
		seen[l], last[line], highest[l.producer] = true, l.n, max(highest[l.producer], l.n)
	}
	for l, f := range w.sent {
		lost := f.accepted && !f.taken && !seen[l]
		if lost && (doubt == nothing || doubt == theTail && l.n < highest[l.producer]) {
			return fmt.Sprint("it was acknowledged and is lost: ", l)
		}
	}
	return ""
}

// TestNoFaultTearsATransaction does random transactions on a machine that begins to fail, cuts the power, and finds what all
// transactions up to some one leave behind, which is no earlier than the last that was acknowledged.
func TestNoFaultTearsATransaction(t *testing.T) {
	forEachMachine(t, func(t *testing.T, build func(*rand.Rand) machine) {
		rapid.Check(t, func(rt *rapid.T) {
			m := build(rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0)))
			b, err := m.start()
			if err != nil {
				rt.Fatal(err)
			}
			w := newWorkload(rt, modelUser(t, links(t, b)))
			for i := range rapid.IntRange(1, 20).Draw(rt, "before") {
				w.transact()
				if n := len(w.answers); i%2 == 0 && n > 0 {
					w.await(n - 1)
				}
			}
			m.fail()
			w.transactUntilRefused(rapid.IntRange(0, 5).Draw(rt, "after"))
			acknowledged := w.acknowledged()
			m.cut()
			m.end()
			_ = b.Close() // with the error of its disk
			b, err = m.start()
			if err != nil {
				if m.doubts() == nothing {
					rt.Fatal(err)
				}
				return
			}
			if m.doubts() != nothing { // addresses may be missing, too: the other test judges what is left
				_ = b.Close()
				return
			}
			if found := drain(t, modelUser(t, links(t, b))); !slices.ContainsFunc(w.states[acknowledged:], found.equal) {
				rt.Fatalf("after %d acknowledged of %d transactions there is %v, want one of %v",
					acknowledged, len(w.answers), found, w.states[acknowledged:])
			}
		})
	})
}

// transactUntilRefused does transactions until one is refused because the disk has failed before. That one leaves nothing
// behind; the one with which the disk failed may.
func (w *workload) transactUntilRefused(most int) {
	for range most {
		before, failed := len(w.answers), w.failed()
		w.settled = nil // so that none is refused for other reasons
		w.transact()
		if err, told := w.told(before); failed && told && err != nil {
			w.states, w.answers = w.states[:before+1], w.answers[:before]
			return
		}
	}
}

// failed tells whether somebody has been told that a transaction is not done.
func (w *workload) failed() bool {
	for i := range w.answers {
		if err, told := w.told(i); told && err != nil {
			return true
		}
	}
	return false
}

// told is the answer to a transaction, if it is there already.
func (w *workload) told(transaction int) (err error, told bool) {
	select {
	case err := <-w.answers[transaction]:
		w.answers[transaction] <- err
		return err, true
	default:
		return nil, false
	}
}
