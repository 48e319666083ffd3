package router_test

import (
	"slices"
	"testing"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/selector"
)

// temporaryQueue gives a temporary queue of a house.
func (h *house) temporaryQueue(t *testing.T) string {
	t.Helper()
	a, release := h.router.Temporary(h.user)
	t.Cleanup(release)
	return string(a)
}

// selecting links a consumer, as yet without credit, that asks for some messages only.
func (h *house) selecting(t *testing.T, address, condition string) (*router.Receiver, *inbox) {
	t.Helper()
	s, err := selector.Parse(condition)
	if err != nil {
		t.Fatal(err)
	}
	box := new(inbox)
	source := router.Source{Filter: addressing.Address(address).Filter(), Selector: s}
	r, err := h.router.Receiver(t.Context(), h.user, source, box)
	if err != nil {
		t.Fatal(err)
	}
	return r, box
}

// coloured gives a message with a colour, which is also its body.
func coloured(colour string) router.Delivery {
	properties := amqp.BeginApplicationProperties(nil)
	properties.String("colour", colour)
	m, err := amqp.ParseMessage(amqp.AppendData(properties.End(), []byte(colour)))
	if err != nil {
		panic(err)
	}
	return router.Delivery{Message: m}
}

func TestTemporaryQueueKeepsWhatIsSentBeforeAnybodyReceives(t *testing.T) {
	h := newHouse(t)
	queue, heard := h.temporaryQueue(t), new(outcomes)
	s := h.sender(queue, heard)
	s.Send(1, text("a"))
	s.Send(2, text("b"))
	heard.expect(t, 1, router.Accepted)
	heard.expect(t, 2, router.Accepted)
	s.Close()
	r, box := h.receiver(queue, 1)
	box.expect(t, "a")
	r.Grant(1)
	box.expect(t, "a", "b")
}

// TestTemporaryQueueTakesBackWhatIsNotDealtWith in its place, with the attempts counted that failed.
func TestTemporaryQueueTakesBackWhatIsNotDealtWith(t *testing.T) {
	for name, c := range map[string]struct {
		outcome  router.Outcome
		again    bool
		attempts uint32
	}{
		"accepted":         {router.Accept(), false, 0},
		"rejected":         {router.Reject(router.Malformed, "x"), false, 0},
		"released":         {router.Release(), true, 0},
		"failed":           {router.Fail(), true, 1},
		"not for this one": {router.Outcome{State: router.Modified, Reason: router.Failed, Elsewhere: true}, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			queue := h.temporaryQueue(t)
			s := h.sender(queue, new(outcomes))
			s.Send(1, text("a"))
			s.Send(2, text("b"))
			r, box := h.receiver(queue, 1)
			box.got[0].Settle(c.outcome)
			box.got[0].Settle(router.Fail()) // is too late
			r.Grant(1)
			want := "b"
			if c.again {
				want = "a"
			}
			box.expect(t, "a", want)
			if got := box.got[1].Attempts; got != c.attempts {
				t.Errorf("came again after %d attempts, want %d", got, c.attempts)
			}
		})
	}
}

func TestTemporaryQueueTakesBackWhatALostConsumerHeld(t *testing.T) {
	h := newHouse(t)
	queue := h.temporaryQueue(t)
	s := h.sender(queue, new(outcomes))
	for i, body := range []string{"a", "b", "c"} {
		s.Send(uint64(i), text(body))
	}
	lost, box := h.receiver(queue, 2)
	box.expect(t, "a", "b")
	lost.Close()
	_, box = h.receiver(queue, 3)
	box.expect(t, "a", "b", "c")
	if a, c := box.got[0].Attempts, box.got[2].Attempts; a != 1 || c != 0 {
		t.Errorf("the attempts are %d and %d, want 1 and 0", a, c)
	}
}

func TestTemporaryQueueIsBounded(t *testing.T) {
	h := newHouse(t)
	h.router = router.New(router.Limits{MaxWaiting: 2 * weight(text("a"))}, nil)
	queue, heard := h.temporaryQueue(t), new(outcomes)
	s := h.sender(queue, heard)
	s.Send(1, text("a"))
	_, box := h.receiver(queue, 1) // what it holds counts, too
	s.Send(2, text("b"))
	s.Send(3, text("c"))
	heard.expect(t, 3, router.Rejected)
	if got := heard.heard[3].Reason; got != router.Quota {
		t.Errorf("reason %v, want quota", got)
	}
	box.got[0].Settle(router.Accept())
	s.Send(4, text("d"))
	heard.expect(t, 4, router.Accepted)
}

func TestTemporaryTopicTellsEverybody(t *testing.T) {
	h := newHouse(t)
	a, release := h.router.TemporaryTopic(h.user)
	defer release()
	heard := new(outcomes)
	s := h.sender(string(a), heard)
	if s.Kind() != addressing.Broadcast {
		t.Errorf("it is %v", s.Kind())
	}
	_, one := h.receiver(string(a), 1)
	_, other := h.receiver(string(a), 1)
	s.Send(1, text("news"))
	one.expect(t, "news")
	other.expect(t, "news")
	heard.expect(t, 1, router.Accepted)
}

// TestConsumersThatSelectGetWhatTheyAskedFor and do not stand in the way of others.
func TestConsumersThatSelectGetWhatTheyAskedFor(t *testing.T) {
	for _, address := range []string{"commands/a", "temporary"} {
		t.Run(address, func(t *testing.T) {
			h := newHouse(t)
			if address == "temporary" {
				address = h.temporaryQueue(t)
			}
			red, reds := h.selecting(t, address, "colour = 'red'")
			blue, blues := h.selecting(t, address, "colour = 'blue'")
			heard := new(outcomes)
			s := h.sender(address, heard)
			for i, colour := range []string{"red", "blue", "red", "blue"} {
				s.Send(uint64(i), coloured(colour))
			}
			blue.Grant(1)
			blues.expect(t, "blue")
			red.Grant(2)
			reds.expect(t, "red", "red")
			blue.Grant(2)
			blues.expect(t, "blue", "blue")
			s.Send(7, coloured("red")) // waits, as there is no credit
			s.Send(8, coloured("blue"))
			blues.expect(t, "blue", "blue", "blue")
			s.Send(9, coloured("green"))
			if address == "commands/a" {
				heard.expect(t, 9, router.Released)
			} else {
				heard.expect(t, 9, router.Accepted)
			}
		})
	}
}

// TestWhatNobodyWantsAnyMoreIsReleased when the last consumer leaves that had asked for it.
func TestWhatNobodyWantsAnyMoreIsReleased(t *testing.T) {
	h := newHouse(t)
	red, _ := h.selecting(t, "commands/a", "colour = 'red'")
	h.selecting(t, "commands/a", "colour = 'blue'")
	heard := new(outcomes)
	s := h.sender("commands/a", heard)
	s.Send(1, coloured("red"))
	s.Send(2, coloured("blue"))
	red.Close()
	heard.expect(t, 1, router.Released)
	heard.expectNone(t, 2)
}

// TestExceptLeavesOutAnOrigin that several senders may share.
func TestExceptLeavesOutAnOrigin(t *testing.T) {
	h := newHouse(t)
	box := new(inbox)
	source := router.Source{Filter: addressing.Address("alerts/x").Filter(), Except: "me"}
	r, err := h.router.Receiver(t.Context(), h.user, source, box)
	if err != nil {
		t.Fatal(err)
	}
	r.Grant(5)
	for _, origin := range []any{"me", "me", "you", nil} {
		s, err := h.router.Sender(t.Context(), h.user, router.Target{Address: "alerts/x", Origin: origin}, new(outcomes))
		if err != nil {
			t.Fatal(err)
		}
		s.Send(1, text("x"))
	}
	if got := box.bodies(); !slices.Equal(got, []string{"x", "x"}) {
		t.Errorf("got %q, want the two of others", got)
	}
}
