package network

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/routertest"
)

// define has links there and waits until nothing more happens at this moment.
func (s *site) define(links ...AutoLink) {
	s.network.Define(links)
	synctest.Wait()
}

// later lets time pass, and waits until nothing more happens at that moment.
func later(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// has fails unless a queue of a broker has these messages.
func (s *site) has(b *broker, queue string, bodies ...string) {
	s.t.Helper()
	synctest.Wait()
	if got := b.bodies(queue); !slices.Equal(got, bodies) {
		s.t.Fatalf("%s has %q, want %q", queue, got, bodies)
	}
}

// attached fails unless all links are there.
func (s *site) attached(links int) {
	s.t.Helper()
	synctest.Wait()
	n := 0
	for _, l := range s.network.AutoLinks() {
		if l.Attached {
			n++
		} else if l.Error == "" {
			s.t.Errorf("%v is not attached and nothing says why", l)
		}
	}
	if n != links {
		s.t.Fatalf("%d links are attached, want %d: %+v", n, links, s.network.AutoLinks())
	}
}

func TestWhatIsSentIsAcceptedWhenTheBrokerHasIt(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		b := s.brokers["a:5672"]
		b.silent = true
		s.define(out("orders", "incoming"))
		p := s.links.Sender("orders")
		p.Send("one")
		s.has(b, "incoming", "one")
		if p.Heard() {
			t.Fatalf("the outcome is %v before the broker has settled", p.Next())
		}
		b.set(func() { b.silent = false })
		p.Send("two") // and the broker settles one only
		if s := p.Next(); s.Tag != 2 || s.Outcome.State != router.Accepted {
			t.Errorf("got %+v", s)
		}
		s.has(b, "incoming", "one", "two")
		s.stop() // which leaves the first one open, for longer than anybody waits
		if s := p.Next(); s.Tag != 1 || s.Outcome.State != router.Modified {
			t.Errorf("what the broker may have is %+v, want modified", s)
		}
	})
}

func TestBrokersOutcomesReachTheSender(t *testing.T) {
	full := &frame.Error{Condition: frame.ResourceLimitExceeded, Description: "full"}
	untold := router.Reject(router.Malformed, "the consumer rejected the message")
	untold.Detail = string((*frame.Error)(nil).Append(nil)) // a sender over AMQP is told no more than the broker said
	for _, c := range []struct {
		verdict frame.State
		want    router.Outcome
	}{
		{frame.State{Kind: frame.Released}, router.Release()},
		{frame.State{Kind: frame.Rejected, Error: full}, router.Reject(router.Quota, "full")},
		{frame.State{Kind: frame.Rejected}, untold},
		{frame.State{Kind: frame.Modified, DeliveryFailed: true}, router.Fail()},
	} {
		at(t, func(t *testing.T, s *site) {
			s.brokers["a:5672"].verdict = c.verdict
			s.define(out("orders", "incoming"))
			p := s.links.Sender("orders")
			p.Send("one")
			if got := p.Next().Outcome; got != c.want {
				t.Errorf("%v is %+v, want %+v", c.verdict.Kind, got, c.want)
			}
		})
	}
}

func TestAddressWhoseBrokerIsAwayTakesNothing(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		b := s.brokers["a:5672"]
		b.set(func() { b.away = true })
		s.define(out("orders", "incoming"))
		b.cut()
		synctest.Wait()
		p := s.links.Sender("orders")
		p.Send("one")
		if got := p.Next().Outcome; got.State != router.Released {
			t.Fatalf("got %v", got)
		}
		if c := s.network.Connectors()[0]; c.Open || c.Error == "" || c.Host != "a:5672" {
			t.Errorf("the connector is %+v", c)
		}
		b.set(func() { b.away = false })
		later(DefaultLimits().ReconnectMax)
		s.attached(1)
		p.Send("two")
		p.Accepted(1)
		if c := s.network.Connectors()[0]; !c.Open || c.Error != "" || c.Container != "broker" {
			t.Errorf("the connector is %+v", c)
		}
	})
}

func TestTriesBecomeMoreSeldom(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		b := s.brokers["a:5672"]
		b.set(func() { b.away = true })
		b.cut()
		later(10 * time.Minute)
		if b.dials > 60 || b.dials < 20 {
			t.Errorf("%d tries in ten minutes", b.dials)
		}
	})
}

func TestMessagesPassByteForByte(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		b := s.brokers["a:5672"]
		s.define(out("orders", "q"))
		d := routertest.Text("body")
		original := bytes.Clone(d.Message.Bytes())
		p := s.links.Sender("orders")
		p.SendDelivery(d)
		p.Accepted(1)
		if got := b.queues["q"][0]; !bytes.Equal(got, original) {
			t.Errorf("the broker has % x, want % x", got, original)
		}
		s.define(in("orders", "q"))
		got := s.links.Receiver("orders", 1).Next()
		if !bytes.Equal(got.Message.Bytes(), original) {
			t.Errorf("it comes back as % x, want % x", got.Message.Bytes(), original)
		}
	})
}

func TestBrokerHasCreditWhenSomebodyReceives(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		b := s.brokers["a:5672"]
		b.put("q", "one", "two", "three")
		s.define(in("orders", "q"))
		s.has(b, "q", "one", "two", "three")
		c := s.links.Receiver("orders", 10)
		got := c.Expect("one", "two", "three")
		if len(b.outcomes) > 0 {
			t.Fatalf("settled before our consumer did: %v", b.outcomes)
		}
		got[0].Settle(router.Accept())
		got[1].Settle(router.Reject(router.Malformed, "bad"))
		got[2].Settle(router.Release())
		c.Expect("three")[0].Settle(router.Accept())
		synctest.Wait()
		if want := []frame.StateKind{frame.Accepted, frame.Rejected, frame.Released, frame.Accepted}; !slices.Equal(b.outcomes, want) {
			t.Errorf("the broker heard %v, want %v", b.outcomes, want)
		}
	})
}

// TestWhatNobodyReceivesDoesNotGoRound: a broker has credit left when the last receiver leaves.
func TestWhatNobodyReceivesDoesNotGoRound(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		b := s.brokers["a:5672"]
		s.define(in("orders", "q"))
		c := s.links.Receiver("orders", 10)
		synctest.Wait()
		c.Link.Close()
		b.put("q", "one")
		later(time.Hour)
		s.has(b, "q", "one")
		const window = 1000 // router.Limits.LinkCredit
		if b.sent > window {
			t.Errorf("it was sent %d times in an hour without a receiver", b.sent)
		}
		c = s.links.Receiver("orders", 10)
		c.Expect("one")[0].Settle(router.Accept())
		for i := range 3 * window { // the credit goes on
			b.put("q", fmt.Sprint(i))
			c.Expect(fmt.Sprint(i))[0].Settle(router.Accept())
			c.Link.Grant(1)
		}
	})
}

// TestReceiverThatOnlyReleasesIsServedMoreAndMoreSeldom: its messages go back and come again.
func TestReceiverThatOnlyReleasesIsServedMoreAndMoreSeldom(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		b := s.brokers["a:5672"]
		s.define(in("orders", "q"))
		c := s.links.Receiver("orders", 1)
		b.put("q", "one")
		over := time.Now().Add(time.Minute)
		times := 0
		for ; time.Now().Before(over); times++ {
			c.Expect("one")[0].Settle(router.Release())
			c.Link.Grant(1)
			synctest.Wait()
		}
		if times < 60 || times > 75 {
			t.Errorf("it came %d times in a minute, want about one a second", times)
		}
	})
}

func TestBrokerThatKeepsItsCreditIsAttachedAnew(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		b := s.brokers["a:5672"]
		b.set(func() { b.greedy = true })
		s.define(in("orders", "q"))
		c := s.links.Receiver("orders", 1)
		b.put("q", "one")
		c.Expect("one")[0].Settle(router.Release())
		later(drainPatience + DefaultLimits().LinkRetry)
		c.Link.Grant(1)
		c.Expect("one")[0].Settle(router.Accept())
		if len(b.heard) != 2 {
			t.Errorf("%d links were attached, want 2", len(b.heard))
		}
	})
}

func TestNothingIsLostWhenTheConnectionBreaks(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		b := s.brokers["a:5672"]
		b.set(func() { b.silent = true })
		s.define(out("orders", "stored"), in("big", "waiting"))
		b.put("waiting", "letter")
		c := s.links.Receiver("big", 10)
		late := c.Expect("letter")[0]
		p := s.links.Sender("orders")
		p.Send("one")
		s.has(b, "stored", "one")
		b.cut()
		if got := p.Next().Outcome; got != router.Fail() {
			t.Errorf("what the broker may have is %v, want modified", got)
		}
		b.set(func() { b.silent = false })
		later(DefaultLimits().ReconnectMax)
		s.attached(2)
		late.Settle(router.Accept()) // nobody hears it
		c.Expect("letter")[0].Settle(router.Accept())
		s.has(b, "waiting")
		p.Send("one")
		p.Accepted(1)
		synctest.Wait()
		if p.Heard() || !c.Idle() {
			t.Error("something came twice")
		}
	})
}

func TestManyMessagesSurviveManyCuts(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		b := s.brokers["a:5672"]
		s.define(Waypoint("default", "way", "q", "a")...)
		const messages, cuts = 300, 20
		p, c := s.links.Sender("way"), s.links.Receiver("way", messages)
		seen := make(map[string]bool)
		for i := range messages {
			if i%(messages/cuts) == 0 {
				b.cut()
				later(DefaultLimits().ReconnectMax)
			}
			body := fmt.Sprint(i)
			for p.Send(body); p.Next().Outcome.State != router.Accepted; p.Send(body) {
				later(time.Second)
			}
		}
		for len(seen) < messages {
			d := c.Next()
			seen[routertest.Body(d)] = true
			d.Settle(router.Accept())
			c.Link.Grant(1)
		}
		synctest.Wait()
		s.has(b, "q")
	})
}

func TestWaypointLeadsThroughTheBroker(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		b := s.brokers["a:5672"]
		s.define(Waypoint("default", "way", "q", "a")...)
		p := s.links.Sender("way")
		p.Send("stored")
		p.Accepted(1)
		s.has(b, "q", "stored")
		if m, err := amqp.ParseMessage(b.queues["q"][0]); err != nil || !durable(m) {
			t.Errorf("the broker need not keep it on disk, %v", err)
		}
		s.links.Receiver("way", 1).Expect("stored")[0].Settle(router.Accept())
		s.has(b, "q")
		for _, a := range b.heard {
			if a.Role == frame.Sender && !slices.Equal(a.Target.Capabilities, []amqp.Symbol{"queue"}) {
				t.Errorf("the broker is not asked for a queue: %v", a.Target)
			}
		}
	})
}

func durable(m amqp.Message) bool {
	h, err := m.Header()
	return err == nil && h.Durable
}

func TestBrokersBehindOneAddressShareIt(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		s.define(Waypoint("default", "way", "q", "a", "b")...)
		s.attached(4)
		p := s.links.Sender("way")
		for range 10 {
			p.Send("x")
		}
		p.Accepted(10)
		synctest.Wait()
		a, b := len(s.brokers["a:5672"].bodies("q")), len(s.brokers["b:5672"].bodies("q"))
		if a != 5 || b != 5 {
			t.Errorf("the brokers have %d and %d of 10", a, b)
		}
		c := s.links.Receiver("way", 10)
		for range 10 {
			c.Next().Settle(router.Accept())
		}
	}, []string{"a:5672"}, []string{"b:5672"})
}

func TestLargeMessagesGoOnWhileTheyComeIn(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		b := s.brokers["a:5672"]
		body := strings.Repeat("large ", 1<<20)
		b.put("there", body)
		in, out := in("big", "there"), out("big", "back")
		s.define(in, out)
		later(time.Minute)
		s.has(b, "there")
		s.has(b, "back", body)
		if want := []frame.StateKind{frame.Accepted}; !slices.Equal(b.outcomes, want) {
			t.Errorf("the broker heard %v, want %v", b.outcomes, want)
		}
	})
}

func TestLinkThatIsRefusedIsTriedAgain(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		b := s.brokers["a:5672"]
		b.set(func() { b.refused = "q" })
		s.define(out("orders", "q"), out("nowhere", "q2"), out("way", "q3"))
		s.attached(1)
		for _, l := range s.network.AutoLinks() {
			switch {
			case l.External == "q" && !strings.Contains(l.Error, "no such queue"),
				l.External == "q2" && !strings.Contains(l.Error, "no address is declared"):
				t.Errorf("%s says %q", l.External, l.Error)
			}
		}
		b.set(func() { b.refused = "" })
		later(DefaultLimits().LinkRetry)
		s.attached(2)
	})
}

func TestLinkThatIsNotDeclaredAnyMoreEndsAndOthersStay(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		b := s.brokers["a:5672"]
		b.set(func() { b.silent = true })
		s.define(out("orders", "q"), in("big", "r"))
		s.attached(2)
		p := s.links.Sender("orders")
		p.Send("one")
		s.has(b, "q", "one")
		s.define(in("big", "r"))
		s.attached(1)
		if p.Heard() {
			t.Error("what the broker has is taken from it")
		}
		if len(b.heard) != 2 || b.dials != 1 {
			t.Errorf("%d links and %d connections were made", len(b.heard), b.dials)
		}
		p.Send("two")
		s.has(b, "q", "one")
		b.cut()
		for range 2 {
			want := router.Fail()
			got := p.Next()
			if got.Tag == 2 {
				want = router.Release()
			}
			if got.Outcome != want {
				t.Errorf("message %d was %v, want %v", got.Tag, got.Outcome.State, want.State)
			}
		}
	})
}

// TestLinkThatIsNotDeclaredAnyMoreWaitsForNoDrain: a broker that answers none gets back what it has sent meanwhile.
func TestLinkThatIsNotDeclaredAnyMoreWaitsForNoDrain(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		b := s.brokers["a:5672"]
		b.set(func() { b.greedy = true })
		s.define(in("orders", "q"))
		c := s.links.Receiver("orders", 2)
		b.put("q", "one")
		held := c.Next()
		s.define()
		synctest.Wait()
		b.put("q", "two")
		later(time.Second)
		held.Settle(router.Accept())
		later(drainPatience)
		s.has(b, "q", "two")
		b.set(func() {
			if len(b.consumers) > 0 {
				t.Error("the link is still there")
			}
		})
	})
}

func TestStandInIsTaken(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		first, second := s.brokers["a:1"], s.brokers["a:2"]
		s.define(out("orders", "q"))
		first.set(func() { first.away = true })
		first.cut()
		later(DefaultLimits().ReconnectMax)
		s.attached(1)
		p := s.links.Sender("orders")
		p.Send("one")
		p.Accepted(1)
		s.has(second, "q", "one")
	}, []string{"a:1", "a:2"})
}

func TestStoppingLetsWhatIsOnItsWayEnd(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		b := s.brokers["a:5672"]
		b.put("q", "one")
		s.define(in("orders", "q"))
		d := s.links.Receiver("orders", 1).Expect("one")[0]
		go func() {
			time.Sleep(time.Second)
			d.Settle(router.Accept())
		}()
		began := time.Now()
		s.stop()
		if took := time.Since(began); took < time.Second || took > 3*time.Second {
			t.Errorf("stopping took %v", took)
		}
		if want := []frame.StateKind{frame.Accepted}; !slices.Equal(b.outcomes, want) {
			t.Errorf("the broker heard %v, want %v", b.outcomes, want)
		}
	})
}
