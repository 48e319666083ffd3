package broker_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/routertest"
)

func prioritised(s string, priority uint8) router.Delivery {
	d := routertest.Text(s)
	d.Message = d.Message.WithHeader(amqp.Header{Priority: priority})
	return d
}

func TestHigherPriorityGoesFirst(t *testing.T) {
	fs := vfs.NewMem()
	h := open(t, fs)
	p := h.Sender("jobs")
	for i, priority := range []uint8{4, 0, 9, 4, 7, 200} {
		p.SendDelivery(prioritised(fmt.Sprint(i), priority))
	}
	p.Accepted(6)
	c := h.Receiver("jobs", 3)
	c.Expect("2", "5", "4")
	c.Link.Close()
	h.close(t)

	h = open(t, fs)
	defer h.close(t)
	c = h.Receiver("jobs", 6)
	for i, d := range c.Expect("2", "5", "4", "0", "3", "1") {
		if marked := d.Attempts > 0; marked != (i < 3) {
			t.Errorf("message %s: %d attempts", routertest.Body(d), d.Attempts)
		}
	}
}

// TestDeepBacklogOfManyPrioritiesIsDelivered: bodies that come later are not kept for want of room. The order holds in
// each priority; a lower one may be served while the lease of a higher one is raised.
func TestDeepBacklogOfManyPrioritiesIsDelivered(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	p := h.Sender("jobs")
	var want [10][]string
	for i := range 5000 {
		priority := uint8(i*7) % 10
		body := fmt.Sprint(i)
		want[priority] = append(want[priority], body)
		p.SendDelivery(prioritised(body, priority))
	}
	p.Accepted(5000)
	c := h.Receiver("jobs", 5000)
	var got [10][]string
	for range 5000 {
		d := c.Next()
		header, err := d.Message.Header()
		if err != nil {
			t.Fatal(err)
		}
		got[header.Priority] = append(got[header.Priority], routertest.Body(d))
	}
	for priority := range want {
		if !slices.Equal(got[priority], want[priority]) {
			t.Errorf("priority %d came in another order", priority)
		}
	}
}

func TestSelectingConsumerTakesWhatItWantsAndLeavesTheRest(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	p := h.Sender("jobs")
	const each = 1000 // so that most bodies are on disk only
	for range each {
		p.SendDelivery(coloured(t, "red"))
		p.SendDelivery(coloured(t, "blue"))
	}
	p.Accepted(2 * each)
	blue := router.Source{Filter: routertest.Filter(t, "jobs"), Selector: selecting(t, "JMSType = 'blue'")}
	none := router.Source{Filter: routertest.Filter(t, "jobs"), Selector: selecting(t, "JMSType = 'green'")}
	n, b := h.From(none, 1), h.From(blue, each)
	for range each {
		b.Expect("blue")[0].Settle(router.Accept())
	}
	all := h.Receiver("jobs", each)
	for range each {
		all.Expect("red")[0].Settle(router.Accept())
	}
	b.Link.Grant(1)
	p.SendDelivery(coloured(t, "green"))
	n.Expect("green")
	p.SendDelivery(coloured(t, "blue"))
	b.Expect("blue")
	if !all.Idle() {
		t.Error("a consumer without credit got a message")
	}
}

// TestSelectingConsumerSeesWhatComesBack: whatever it has passed over for another's sake.
func TestSelectingConsumerSeesWhatComesBack(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	first := h.Receiver("jobs", 1)
	p := h.Sender("jobs")
	p.SendDelivery(coloured(t, "blue"))
	held := first.Next()
	blue := h.From(router.Source{Filter: routertest.Filter(t, "jobs"), Selector: selecting(t, "JMSType = 'blue'")}, 5)
	p.SendDelivery(coloured(t, "red"))
	p.SendDelivery(coloured(t, "blue"))
	blue.Expect("blue")
	held.Settle(router.Fail())
	if d := blue.Next(); d.Attempts != 1 {
		t.Errorf("%d attempts", d.Attempts)
	}
}

func TestBrowserReadsInOrderAndTakesNothing(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	p := h.Sender("jobs")
	var want []string
	for i := range 2000 {
		want = append(want, fmt.Sprint(i))
		p.Send(want[i])
	}
	p.Accepted(len(want))
	taker := h.Receiver("jobs", 10)
	taker.Expect(want[:10]...)
	browser := h.From(router.Source{Filter: routertest.Filter(t, "jobs"), Browse: true}, len(want)+1)
	for _, d := range browser.Expect(want...) {
		if d.Owned() {
			t.Fatal("a browser was made the owner of a message")
		}
	}
	if browser.Link.Pending() {
		t.Error("more is pending for a browser that has seen everything")
	}
	p.Send("later")
	browser.Expect("later")
	taker.Link.Grant(len(want))
	taker.Expect(want[10:]...)
}

func TestBrowserSelects(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	p := h.Sender("jobs")
	for _, colour := range []string{"red", "blue", "red"} {
		p.SendDelivery(coloured(t, colour))
	}
	p.Accepted(3)
	c := h.From(router.Source{
		Filter: routertest.Filter(t, "jobs"), Browse: true, Selector: selecting(t, "JMSType = 'red'"),
	}, 5)
	c.Expect("red", "red")
	if c.Link.Pending() {
		t.Error("more is pending for a browser that has seen everything")
	}
}

func TestBrowserOfAnEmptyQueueIsDone(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	c := h.From(router.Source{Filter: routertest.Filter(t, "jobs"), Browse: true}, 5)
	if c.Link.Pending() {
		t.Error("something is pending in an empty queue")
	}
}

func TestUndeliverableHereGoesToAnother(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	a := h.Receiver("jobs", 5)
	p := h.Sender("jobs")
	p.Send("1")
	d := a.Next()
	d.Settle(router.Outcome{State: router.Modified, Reason: router.Failed, Elsewhere: true})
	p.Send("2")
	a.Expect("2")
	b := h.Receiver("jobs", 5)
	if d := b.Expect("1")[0]; d.Attempts != 1 {
		t.Errorf("%d attempts", d.Attempts)
	}
}

func TestAnnotationsOfAModifiedMessageAreMergedAndKept(t *testing.T) {
	fs := vfs.NewMem()
	h := open(t, fs)
	c := h.Receiver("jobs", 5)
	p := h.Sender("jobs")
	w := amqp.BeginMessageAnnotations(nil)
	w.String("x-opt-kept", "kept")
	w.String("x-opt-tried", "never")
	m, err := amqp.ParseMessage(amqp.AppendData(w.End(), []byte("1")))
	if err != nil {
		t.Fatal(err)
	}
	p.SendDelivery(router.Delivery{Message: m})
	for _, tried := range []string{"once", "twice"} {
		more := amqp.BeginFields(nil)
		more.String("x-opt-tried", tried)
		more.Bool("x-opt-"+tried, true)
		c.Next().Settle(router.Outcome{State: router.Modified, Reason: router.Failed, Annotations: string(more.End())})
	}
	c.Link.Close()
	h.close(t)
	h = open(t, fs)
	defer h.close(t)
	d := h.Receiver("jobs", 1).Next()
	if routertest.Body(d) != "1" {
		t.Errorf("body %q", routertest.Body(d))
	}
	got := make(map[string]any)
	for k, v := range d.Message.MessageAnnotations().All() {
		text, _ := k.Text()
		got[string(text)] = v.Value()
	}
	want := map[string]any{"x-opt-kept": "kept", "x-opt-tried": "twice", "x-opt-once": true, "x-opt-twice": true}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("annotations %v, want %v", got, want)
	}
	if _, err := amqp.ParseMessage(d.Message.Bytes()); err != nil {
		t.Error(err)
	}
}

// in gives a text with times that long from now.
func in(s string, due, expires time.Duration) router.Delivery {
	d := routertest.Text(s)
	if due > 0 {
		d.Due = time.Now().Add(due).UnixMilli()
	}
	if expires > 0 {
		d.Expires = time.Now().Add(expires).UnixMilli()
	}
	return d
}

func TestExpiredMessageIsDropped(t *testing.T) {
	fs := vfs.NewMem()
	synctest.Test(t, func(t *testing.T) {
		h := open(t, fs)
		p := h.Sender("jobs")
		p.SendDelivery(in("1", 0, time.Minute))
		p.SendDelivery(in("2", 0, time.Hour))
		p.SendDelivery(in("3", 0, time.Minute))
		p.SendDelivery(in("4", 0, 0))
		p.Accepted(4)
		held := h.Receiver("jobs", 1)
		d := held.Expect("1")[0]
		time.Sleep(2 * time.Minute)
		d.Settle(router.Release())
		synctest.Wait()
		held.Link.Grant(5)
		held.Expect("2", "4")
		if !held.Idle() {
			t.Error("an expired message was delivered")
		}
		held.Link.Close()
		h.close(t)

		h = open(t, fs)
		defer h.close(t)
		time.Sleep(time.Hour)
		synctest.Wait()
		c := h.Receiver("jobs", 5)
		c.Expect("4")
		synctest.Wait()
		if !c.Idle() {
			t.Error("a message expired in the queue after a restart, and was delivered")
		}
	})
}

func TestScheduledMessageWaitsForItsTime(t *testing.T) {
	fs := vfs.NewMem()
	synctest.Test(t, func(t *testing.T) {
		h := open(t, fs)
		c := h.Receiver("jobs", 5)
		p := h.Sender("jobs")
		p.SendDelivery(in("later", time.Hour, 0))
		p.SendDelivery(in("soon", time.Minute, 0))
		p.SendDelivery(in("now", 0, 0))
		p.Accepted(3)
		c.Expect("now")[0].Settle(router.Accept())
		time.Sleep(time.Minute - time.Second)
		synctest.Wait()
		if !c.Idle() {
			t.Error("a message came before it was due")
		}
		time.Sleep(2 * time.Second)
		c.Expect("soon")[0].Settle(router.Accept())
		c.Link.Close()
		h.close(t)

		h = open(t, fs)
		defer h.close(t)
		c = h.Receiver("jobs", 5)
		synctest.Wait()
		if !c.Idle() {
			t.Error("a message came before it was due, after a restart")
		}
		time.Sleep(time.Hour)
		c.Expect("later")
	})
}
