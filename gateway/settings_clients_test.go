package gateway

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"
	stomp "github.com/go-stomp/stomp/v3"

	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// wishCase is something that clients ask of a queue.
type wishCase struct {
	name string // as in docs/broker.md
	over string // the protocols, as in docs/broker.md
	test func(settled)
}

// wishCases has a case for each row of the table of wishes in docs/broker.md.
func wishCases() []wishCase {
	return []wishCase{
		{"priority", everywhere, func(s settled) {
			s.sends(note{body: "low", priority: 1}, note{body: "usual"}, note{body: "high", priority: 9}, note{body: "usual, too"})
			s.takes("q", "high", "usual", "usual, too", "low")
		}},
		{"time to live", everywhere, func(s settled) {
			s.sends(note{body: "1", ttl: 20 * time.Millisecond}, note{body: "2", ttl: time.Hour})
			for s.depth() > 1 && s.other.ctx.Err() == nil { // until it is gone
			}
			s.takes("q", "2")
		}},
		{"delivery time", everywhere, func(s settled) {
			by := s.party
			if _, ok := by.(httpParty); ok {
				by = s.other // HTTP has no word for it
			}
			began := time.Now()
			if err := by.send("q", note{body: "1", delay: 100 * time.Millisecond}); err != nil {
				s.t.Fatal(err)
			}
			s.takes("q", "1")
			if waited := time.Since(began); waited < 98*time.Millisecond { // the queue counts in milliseconds
				s.t.Errorf("it came after %v", waited)
			}
		}},
		{"selector", amqp1 + ", " + stomp12, func(s settled) {
			s.sends(note{body: "a1", sensor: "a"}, note{body: "b1", sensor: "b"}, note{body: "a2", sensor: "a"})
			next := s.reads(wish{selector: "sensor LIKE 'b%'"})
			if got := next(); got != "b1" {
				s.t.Errorf("%q came", got)
			}
			s.takes("q", "a1", "a2")
		}},
		{"browser", amqp1 + ", " + stomp12, func(s settled) {
			s.sends(note{body: "1"}, note{body: "2"})
			_, held := s.gets("q", "1")
			for range 2 {
				next := s.reads(wish{browse: true})
				for _, want := range []string{"1", "2"} {
					if got := next(); got != want {
						s.t.Errorf("a browser read %q, want %q", got, want)
					}
				}
			}
			s.does(held.accept)
			s.takes("q", "2")
		}},
	}
}

// TestWishes: what clients ask for they get, over each protocol that has a word for it.
func TestWishes(t *testing.T) {
	for _, c := range wishCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, protocol := range strings.Split(c.over, ", ") {
				t.Run(protocol, func(t *testing.T) {
					t.Parallel()
					doors := startOn(t, vfs.NewMem(), addresses(t, "queue", "overflow: reject"), slog.New(slog.DiscardHandler))
					c.test(newSettled(t, protocol, doors))
				})
			}
		})
	}
}

// depth counts what a browser finds.
func (s settled) depth() (n int) {
	s.t.Helper()
	d := newDrainer(s.t, s.other.door, frame.Source{Address: "q", DistributionMode: frame.DistributionCopy})
	defer d.leave()
	return len(d.take(10))
}

// wish is how somebody wants to receive.
type wish struct {
	selector string
	browse   bool
}

// reads attaches a receiver with a wish, over the protocol of the test, and gives its messages.
func (s settled) reads(w wish) (next func() string) {
	s.t.Helper()
	switch p := s.party.(type) {
	case amqpParty:
		return p.reads(w)
	case stompParty:
		return p.reads(w)
	}
	s.t.Fatal("the protocol has no word for it")
	return nil
}

func (p amqpParty) reads(w wish) (next func() string) {
	p.t.Helper()
	o := &goamqp.ReceiverOptions{Credit: 10}
	if w.selector != "" {
		o.Filters = []goamqp.LinkFilter{goamqp.NewSelectorFilter(w.selector)}
	}
	if w.browse {
		o.SourceDistributionMode = goamqp.SourceDistributionModeCopy
	}
	link, err := p.attachReceiver("q", o)
	if err != nil {
		p.t.Fatal(err)
	}
	return func() string {
		m := p.amqpUser.receive(link)
		if err := link.AcceptMessage(p.ctx, m); err != nil {
			p.t.Error(err)
		}
		return string(m.GetData())
	}
}

func (p stompParty) reads(w wish) (next func() string) {
	p.t.Helper()
	var header []string
	if w.selector != "" {
		header = append(header, "selector", w.selector)
	}
	if w.browse {
		header = append(header, "browser", "true")
	}
	s := subscribe(p.t, dialSTOMP(p.t, p.door), "q", stomp.AckAuto, header...)
	return func() string {
		m, err := s.Read()
		if err != nil {
			p.t.Fatal(err)
		}
		return string(m.Body)
	}
}

// TestConsumerPriority: who attaches with a higher one is served before others, whatever their protocol.
func TestConsumerPriority(t *testing.T) {
	for _, property := range []string{"priority", "rabbitmq:priority"} {
		doors := startOn(t, vfs.NewMem(), quickstart(t), slog.New(slog.DiscardHandler))
		usual, first := enterAMQP(t, doors), enterAMQP(t, doors)
		waiting := usual.receiver("jobs", 5)
		web := newParty(t, httpSend, doors)
		preferred, err := first.attachReceiver("jobs", &goamqp.ReceiverOptions{
			Credit: 2, Properties: map[string]any{property: int32(7)},
		})
		if err != nil {
			t.Fatal(err)
		}
		usual.fill("jobs", 2)
		first.take(preferred, "0")
		first.take(preferred, "1")
		if err := preferred.Close(first.ctx); err != nil {
			t.Fatal(err)
		}
		if err := web.send("jobs", note{body: "2"}); err != nil {
			t.Fatal(err)
		}
		usual.take(waiting, "2")
	}
}
