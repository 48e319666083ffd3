package gateway

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/gateway/config"
)

// settingCase is one setting of an address in use.
type settingCase struct {
	name    string // as in docs/broker.md
	setting string // of the address "q", beside the queues "dead" and "late"
	over    string // the protocols, as in docs/broker.md
	test    func(settled)
}

const (
	everywhere = amqp1 + ", " + httpSend + ", " + stomp12
	overQuota  = "resource-limit-exceeded, status 429, quota"
)

// settingCases has a case for each row of the table of settings in docs/broker.md.
func settingCases() []settingCase {
	return []settingCase{
		{"maxMessages", "maxMessages: 2", everywhere, func(s settled) {
			s.sends(note{body: "1"}, note{body: "2"})
			s.findsNoRoom(note{body: "3"})
			s.takes("q", "1", "2")
		}},
		{"maxBytes", "maxBytes: 1KiB", everywhere, func(s settled) {
			s.sends(note{body: "1"})
			s.findsNoRoom(note{body: strings.Repeat("2", 1100)})
			s.takes("q", "1")
		}},
		{"overflow", "maxMessages: 2, overflow: dropHead", everywhere, func(s settled) {
			s.sends(note{body: "1", priority: 5}, note{body: "2"}, note{body: "3"})
			s.takes("q", "1", "3")
		}},
		{"maxMessageSize", "maxMessageSize: 200", everywhere, func(s settled) {
			s.sends(note{body: "1"})
			s.isRefused(note{body: strings.Repeat("2", 300)}, "size-exceeded, exceeds max, status 413, too large")
			s.takes("q", "1")
		}},
		{"ttl.default", "ttl: {default: 20ms}, expiry: late", everywhere, func(s settled) {
			s.sends(note{body: "1"}, note{body: "2", ttl: time.Hour})
			s.takes("late", "1")
			s.takes("q", "2")
		}},
		{"ttl.min", "ttl: {min: 1h}", everywhere, func(s settled) {
			s.sends(note{body: "1", ttl: time.Millisecond})
			if n, h := s.gets("q", "1"); n.ttl < time.Minute {
				s.t.Errorf("it has %v to live", n.ttl)
			} else {
				s.does(h.accept)
			}
		}},
		{"ttl.max", "ttl: {max: 20ms}, expiry: late", everywhere, func(s settled) {
			s.sends(note{body: "1", ttl: time.Hour})
			s.takes("late", "1")
			s.sends(note{body: "2"})
			s.takes("late", "2")
		}},
		{"expiry", "expiry: late", everywhere, func(s settled) {
			s.sends(note{body: "1", ttl: 20 * time.Millisecond})
			s.died("late", "1", death{"expired", 0})
		}},
		{"redeliveryDelay.initial", "redeliveryDelay: {initial: 100ms}", everywhere, func(s settled) {
			s.sends(note{body: "1"})
			_, h := s.gets("q", "1")
			s.comesAgain(h, 100*time.Millisecond)
		}},
		{"redeliveryDelay.multiplier", "redeliveryDelay: {initial: 50ms, multiplier: 4}", amqp1 + ", " + stomp12,
			func(s settled) {
				s.sends(note{body: "1"})
				_, h := s.gets("q", "1")
				h = s.comesAgain(h, 50*time.Millisecond)
				s.comesAgain(h, 200*time.Millisecond)
			}},
		{"redeliveryDelay.max", "redeliveryDelay: {initial: 50ms, multiplier: 10000, max: 100ms}", amqp1 + ", " + stomp12,
			func(s settled) {
				s.sends(note{body: "1"})
				_, h := s.gets("q", "1")
				h = s.comesAgain(h, 50*time.Millisecond)
				s.comesAgain(h, 100*time.Millisecond) // instead of 500 s
			}},
		{"maxDeliveries", "maxDeliveries: 2, deadLetter: dead", everywhere, func(s settled) {
			s.sends(note{body: "1"})
			for range 2 {
				_, h := s.gets("q", "1")
				s.does(h.fail)
			}
			s.died("dead", "1", death{"maxDeliveries", 2})
		}},
		{"deadLetter", "deadLetter: dead", amqp1 + ", " + httpSend, func(s settled) {
			s.sends(note{body: "1"})
			_, h := s.gets("q", "1")
			s.does(h.reject)
			s.died("dead", "1", death{"rejected", 0})
		}},
		{"consumeOnly", "consumeOnly: true", everywhere, func(s settled) {
			s.isRefused(note{body: "1"}, "unauthorized-access, status 403, denied")
		}},
		{"consumers.max", "consumers: {max: 1}", everywhere, settled.shutsOut},
		{"consumers.exclusive", "consumers: {exclusive: true}", everywhere, settled.shutsOut},
		{"consumers.singleActive", "consumers: {singleActive: true}", amqp1 + ", " + httpSend, func(s settled) {
			active := s.consumer()
			s.sends(note{body: "1"})
			s.other.take(active, "1")
			s.sends(note{body: "2"}, note{body: "3"})
			if !s.isEmpty(s.place("q")) {
				s.t.Error("a second consumer got a message")
			}
			s.other.take(active, "2")
			s.leaves(active)
			s.takes("q", "3")
		}},
		{"groups", "groups: true", everywhere, func(s settled) {
			owner := s.consumer()
			s.sends(note{body: "a1", group: "a"})
			held := s.other.amqpUser.receive(owner)
			s.sends(note{body: "a2", group: "a"}, note{body: "b1", group: "b"})
			_, h := s.gets("q", "b1") // a2 waits for the owner of its group
			s.does(h.accept)
			s.does(func() error { return owner.AcceptMessage(s.other.ctx, held) })
			s.other.amqpUser.receive(owner)
			s.sends(note{body: "a3", group: "a"})
			s.leaves(owner) // what it holds goes back, and the group to another one
			s.takes("q", "a2", "a3")
		}},
		{"lastValueKey", "lastValueKey: sensor", everywhere, func(s settled) {
			s.sends(note{body: "a1", sensor: "a"}, note{body: "b1", sensor: "b"}, note{body: "a2", sensor: "a"})
			s.takes("q", "b1", "a2")
		}},
		{"nonDestructive", "nonDestructive: true", everywhere, func(s settled) {
			s.sends(note{body: "1"})
			for range 2 {
				s.gets("q", "1")
			}
		}},
		{"dedupWindow.messages", "dedupWindow: {messages: 2}", everywhere, func(s settled) {
			s.sends(note{body: "1", id: "x"}, note{body: "2", id: "x"}, note{body: "3", id: "y"})
			s.takes("q", "1", "3")
			s.sends(note{body: "4", id: "x"}, note{body: "5", id: "z"}, note{body: "6", id: "x"})
			s.takes("q", "5", "6")
		}},
		{"dedupWindow.time", "dedupWindow: {messages: 100, time: 10ms}", everywhere, func(s settled) {
			s.sends(note{body: "1", id: "x"})
			s.takes("q", "1")
			for s.isEmpty(s.place("q")) { // until the id is forgotten
				s.sends(note{body: "2", id: "x"})
			}
		}},
	}
}

// TestSettings: each setting of docs/broker.md holds over several protocols; for the subscription of a topic as for a
// queue; and from the moment when a running gateway is told to.
func TestSettings(t *testing.T) {
	for _, c := range settingCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, protocol := range strings.Split(c.over, ", ") {
				t.Run(protocol, func(t *testing.T) { c.run(t, protocol, "queue", false) })
			}
			t.Run("reloaded", func(t *testing.T) { c.run(t, amqp1, "queue", true) })
			if c.name != "consumeOnly" { // which only queues have
				t.Run("subscription", func(t *testing.T) { c.run(t, amqp1, "topic", false) })
				t.Run("subscription, reloaded", func(t *testing.T) { c.run(t, amqp1, "topic", true) })
			}
		})
	}
}

// run runs the case with a gateway that begins with its setting, or one that learns it while "q" is in use.
func (c settingCase) run(t *testing.T, protocol, kind string, reloaded bool) {
	t.Parallel()
	before, after := addresses(t, kind, c.setting), addresses(t, kind, c.setting)
	if reloaded {
		before = addresses(t, kind, "overflow: reject")
	}
	changes := make(chan config.Config)
	doors := startChanging(t, vfs.NewMem(), before, changes, slog.New(slog.DiscardHandler))
	s := newSettled(t, protocol, doors)
	if s.topic = kind == "topic"; s.topic {
		s.takes("q") // which makes the subscription
	}
	if reloaded {
		s.sends(note{body: "before"})
		s.takes("q", "before")
		changes <- after
		changes <- after // the first has been taken over then
	}
	c.test(s)
}

// addresses is a configuration of an address "q" with a setting, and queues for what leaves it, on free ports.
func addresses(t *testing.T, kind, setting string) config.Config {
	t.Helper()
	parsed, err := config.Parse("settings.yaml", []byte("addresses:\n"+
		"  - {name: q, kind: "+kind+", "+setting+"}\n"+
		"  - {name: dead, kind: queue, consumeOnly: true}\n  - {name: late, kind: queue, consumeOnly: true}\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := quickstart(t)
	c.DataDir, c.Addresses = "data", parsed.Addresses
	return c
}

// settled is an address "q" with settings, and who uses it.
type settled struct {
	t *testing.T
	party
	other amqpParty
	topic bool // q is one, with a durable subscription
}

func newSettled(t *testing.T, protocol string, doors map[string]string) settled {
	t.Helper()
	other := amqpParty{enterAMQP(t, doors), doors["amqp"]}
	return settled{t: t, party: newParty(t, protocol, doors), other: other}
}

// place is where what was sent to an address is received.
func (s settled) place(address string) string {
	if s.topic && address == "q" {
		return "q::mine"
	}
	return address
}

func (s settled) sends(notes ...note) {
	s.t.Helper()
	for _, n := range notes {
		if err := s.send("q", n); err != nil {
			s.t.Fatalf("sending %.20q: %v", n.body, err)
		}
	}
}

// isRefused sends what is not taken in, for one of these reasons.
func (s settled) isRefused(n note, reasons string) {
	s.t.Helper()
	err := s.send("q", n)
	said := func(reason string) bool { return strings.Contains(err.Error(), reason) }
	if err == nil || !slices.ContainsFunc(strings.Split(reasons, ", "), said) {
		s.t.Errorf("sending %.20q: %v", n.body, err)
	}
}

// findsNoRoom sends what a queue refuses for want of room, and a full subscription misses.
func (s settled) findsNoRoom(n note) {
	s.t.Helper()
	if s.topic {
		s.sends(n)
	} else {
		s.isRefused(n, overQuota)
	}
}

func (s settled) gets(from, want string) (note, hold) {
	s.t.Helper()
	n, h, err := s.receive(s.place(from))
	if err != nil || n.body != want {
		s.t.Fatalf("from %s came %q and %v, want %q", from, n.body, err, want)
	}
	return n, h
}

func (s settled) does(act func() error) {
	s.t.Helper()
	if err := act(); err != nil {
		s.t.Error(err)
	}
}

// takes receives and accepts, until there is no more.
func (s settled) takes(from string, bodies ...string) {
	s.t.Helper()
	for _, b := range bodies {
		_, h := s.gets(from, b)
		s.does(h.accept)
	}
	if !s.isEmpty(s.place(from)) {
		s.t.Errorf("there is more at %s", from)
	}
}

// comesAgain gives a message back as failed, and checks that it does not come again before its time.
func (s settled) comesAgain(h hold, delay time.Duration) hold {
	s.t.Helper()
	began := time.Now()
	s.does(h.fail)
	_, h = s.gets("q", "1")
	if waited := time.Since(began); waited < delay-2*time.Millisecond { // the queue counts in milliseconds
		s.t.Errorf("it came again after %v, not %v", waited, delay)
	}
	return h
}

// death is what the annotations of a message say that left "q" for another queue.
type death struct {
	reason string
	count  uint32
}

// died takes a message from where it went, over AMQP, which shows why.
func (s settled) died(at, body string, want death) {
	s.t.Helper()
	link := s.other.receiver(at, 1)
	m := s.other.amqpUser.receive(link)
	said := func(what string) any { return m.Annotations["x-opt-death-"+what] }
	got := death{}
	got.reason, _ = said("reason").(string)
	got.count, _ = said("count").(uint32)
	if string(m.GetData()) != body || got != want || said("queue") != s.place("q") || said("address") != "q" {
		s.t.Errorf("%q came with %+v, want %q with %+v", m.GetData(), m.Annotations, body, want)
	}
	if at, ok := said("time").(time.Time); !ok || at.IsZero() {
		s.t.Errorf("it died at %v", said("time"))
	}
	s.does(func() error { return link.AcceptMessage(s.other.ctx, m) })
	s.leaves(link)
	s.takes(at)
}

// consumer attaches another consumer, who takes one message after the other.
func (s settled) consumer() *goamqp.Receiver {
	s.t.Helper()
	link, err := s.other.attach(s.place("q"), 1)
	if err != nil {
		s.t.Fatal(err)
	}
	return link
}

func (s settled) leaves(link *goamqp.Receiver) {
	s.t.Helper()
	s.does(func() error { return link.Close(s.other.ctx) })
}

// shutsOut checks that there is no second consumer.
func (s settled) shutsOut() {
	s.t.Helper()
	only := s.consumer()
	if _, _, err := s.receive(s.place("q")); err == nil ||
		!strings.Contains(err.Error(), "resource-locked") && !strings.Contains(err.Error(), "status 409") &&
			!strings.Contains(err.Error(), "conflict") {
		s.t.Errorf("a second consumer was told %v", err)
	}
	s.leaves(only)
	s.sends(note{body: "1"})
	s.takes("q", "1")
}
