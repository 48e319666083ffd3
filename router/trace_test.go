package router_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// diary is a tracer that notes what it hears, of messages whose body begins with "follow".
type diary struct{ notes []string }

func (d *diary) Sent(s *router.Sender, m router.Delivery) (router.Message, router.Span) {
	if !strings.HasPrefix(body(m), "follow") {
		return m.Message, nil
	}
	return text(body(m) + "ed").Message, d.begin("in " + s.Protocol())
}

func (d *diary) Delivered(r *router.Receiver, m router.Delivery) router.Span {
	if !strings.HasPrefix(body(m), "followed") {
		return nil
	}
	return d.begin("out " + r.Protocol())
}

func (d *diary) begin(what string) router.Span {
	d.notes = append(d.notes, what)
	return page{d, what}
}

// page is a span of a diary.
type page struct {
	diary *diary
	what  string
}

func (p page) End(o router.Outcome) {
	p.diary.notes = append(p.diary.notes, p.what+" "+o.State.String())
}

func (d *diary) reads(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(d.notes, want) {
		t.Errorf("the diary reads %q, want %q", d.notes, want)
	}
	d.notes = nil
}

// tracedHouse has its door "mqtt" followed.
func tracedHouse(t *testing.T) (*house, *diary) {
	h, d := newHouse(t), new(diary)
	h.router.Trace(d)
	h.router = h.router.Through("mqtt")
	return h, d
}

func TestTracerHearsHowBothWaysEnd(t *testing.T) {
	h, d := tracedHouse(t)
	heard := new(outcomes)
	r, box := h.receiver("commands/a", 0)
	s := h.sender("commands/a", heard)
	s.Send(1, text("follow"))
	d.reads(t, "in mqtt")
	r.Grant(1)
	d.reads(t, "out mqtt")
	box.got[0].Settle(router.Reject(router.Malformed, ""))
	d.reads(t, "out mqtt rejected", "in mqtt rejected")
	heard.expect(t, 1, router.Rejected)
	if got := box.bodies(); got[0] != "followed" {
		t.Errorf("the consumer got %q, not what the tracer made of it", got[0])
	}
}

func TestNobodySettlesWhatIsBroadcastButItEnds(t *testing.T) {
	h, d := tracedHouse(t)
	h.receiver("alerts/a", 1)
	h.sender("alerts/a", deaf{}).Send(1, text("follow"))
	d.reads(t, "in mqtt", "out mqtt", "out mqtt accepted", "in mqtt accepted")
}

func TestWhatIsNotFollowedLeavesNoTrace(t *testing.T) {
	h, d := tracedHouse(t)
	heard := new(outcomes)
	_, box := h.receiver("commands/a", 1)
	h.sender("commands/a", heard).Send(1, text("ignore"))
	box.got[0].Settle(router.Accept())
	heard.expect(t, 1, router.Accepted)
	d.reads(t)
}

func TestMessageTooLargeEndsItsTrace(t *testing.T) {
	h, d := tracedHouse(t)
	s := h.sender("commands/a", deaf{})
	s.Send(1, text("follow"+strings.Repeat(".", s.MaxMessageSize())))
	d.reads(t, "in mqtt", "in mqtt rejected")
}

func TestSenderThatLeavesEndsItsTraces(t *testing.T) {
	h, d := tracedHouse(t)
	h.receiver("commands/a", 0)
	heard := new(outcomes)
	s := h.sender("commands/a", heard)
	s.Send(1, text("follow"))
	s.Close()
	heard.expect(t, 1, router.Released)
	d.reads(t, "in mqtt", "in mqtt released")
}

func TestReceiverThatLeavesEndsItsTraces(t *testing.T) {
	h, d := tracedHouse(t)
	r, _ := h.receiver("commands/a", 1)
	h.sender("commands/a", deaf{}).Send(1, text("follow"))
	d.reads(t, "in mqtt", "out mqtt")
	r.Close()
	d.reads(t, "in mqtt modified", "out mqtt modified")
}

func TestTransactionEndsTracesWhenItIsDone(t *testing.T) {
	h, d := tracedHouse(t)
	r, box := h.receiver("commands/a", 1)
	s := h.sender("commands/a", deaf{})
	s.Send(1, text("follow"))
	d.reads(t, "in mqtt", "out mqtt")
	tx := h.router.Begin()
	if err := tx.Settle(box.got[0], router.Accept()); err != nil {
		t.Fatal(err)
	}
	if err := tx.Send(s, text("follow")); err != nil {
		t.Fatal(err)
	}
	d.reads(t, "in mqtt")
	tx.Commit(func(error) {})
	d.reads(t, "in mqtt accepted", "out mqtt accepted")
	r.Grant(1)
	d.reads(t, "out mqtt")
}

func TestTraceFieldsAreOfMessagesWhoseProducerSaysNothing(t *testing.T) {
	for _, c := range []struct{ annotation, property, want string }{
		{"", "", ""}, {"a", "", "a"}, {"", "p", ""}, {"a", "p", ""},
	} {
		var b []byte
		if c.annotation != "" {
			w := amqp.BeginMessageAnnotations(b)
			w.String("x-opt-other", "x")
			w.String(router.TraceParent, c.annotation)
			b = w.End()
		}
		if c.property != "" {
			w := amqp.BeginApplicationProperties(b)
			w.String(router.TraceParent, c.property)
			b = w.End()
		}
		m, err := amqp.ParseMessage(amqp.AppendData(b, nil))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for name, value := range router.TraceFields(m) {
			if name != router.TraceParent {
				t.Errorf("%+v: there is %s", c, name)
			}
			got += value
		}
		if got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}

// vault is a settler whose store takes transactions.
type vault struct{ work router.Work }

func (v *vault) Settle(uint64, router.Outcome, func(error)) {}
func (v *vault) Transactor() router.Transactor              { return v }
func (v *vault) Commit(w router.Work, done func(error))     { v.work = w; done(nil) }

func TestStoreGetsWhatIsFollowedIntoItsTransaction(t *testing.T) {
	h, d := tracedHouse(t)
	r, box := h.receiver("commands/a", 0)
	v := new(vault)
	r.Deliver(text("followed").From(v, 7))
	tx := h.router.Begin()
	if err := tx.Settle(box.got[0], router.Accept()); err != nil {
		t.Fatal(err)
	}
	tx.Commit(func(error) {})
	if all := v.work.Settlements; len(all) != 1 || all[0].Settler != v || all[0].Tag != 7 {
		t.Errorf("the store was given %+v", all)
	}
	d.reads(t, "out mqtt", "out mqtt accepted")
}

func TestWhatIsFollowedDoesNotComeBackToItsSender(t *testing.T) {
	h, d := tracedHouse(t)
	f, err := addressing.ParseFilter("alerts/a")
	if err != nil {
		t.Fatal(err)
	}
	r, err := h.router.Receiver(t.Context(), h.user, router.Source{Filter: f, Except: deaf{}}, new(inbox))
	if err != nil {
		t.Fatal(err)
	}
	r.Grant(1)
	h.sender("alerts/a", deaf{}).Send(1, text("follow"))
	d.reads(t, "in mqtt", "in mqtt released")
}
