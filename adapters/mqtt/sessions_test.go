package mqtt

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/manifoldmq/manifold/router"
)

// answer sends PUBREC, PUBREL or PUBCOMP.
func (c *peer) answer(kind byte, id uint16) {
	c.t.Helper()
	p := packets.Packet{FixedHeader: packets.FixedHeader{Type: kind}, PacketID: id}
	if kind == packets.Pubrel {
		p.FixedHeader.Qos = 1
	}
	c.send(p)
}

// silent fails if the server has said anything more.
func (c *peer) silent() {
	c.t.Helper()
	c.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}})
	c.receive(packets.Pingresp)
}

// news publishes texts with QoS 1.
func (h *house) news(texts ...string) {
	h.t.Helper()
	p := h.links.Sender("news/a")
	for _, text := range texts {
		p.Send(text)
	}
	p.Accepted(len(texts))
}

// subscriptions is how many durable subscriptions a client has.
func (h *house) subscriptions(name string) int {
	found, err := h.links.Router.Subscriptions(h.t.Context(), h.links.User, router.Source{Subscription: name})
	if err != nil {
		h.t.Fatal(err)
	}
	return len(found)
}

func TestUnacknowledgedIsSentAgainWithItsIDs(t *testing.T) {
	runStored(t, func(h *stored) {
		c := h.connect(5, "device", lasting)
		c.subscribe("news/#", 1)
		h.news("one", "two", "three")
		var ids []uint16
		for range 3 {
			ids = append(ids, c.receive(packets.Publish).PacketID)
		}
		c.ack(ids[1])
		c.silent()
		c.gone()
		h.news("four")
		c, _ = h.reconnect(5, "device", lasting)
		for i, want := range []string{"one", "three", "four"} {
			got := c.receive(packets.Publish)
			if string(got.Payload) != want || got.FixedHeader.Dup != (i < 2) || i < 2 && got.PacketID != ids[2*i] {
				t.Errorf("got %q with id %d, dup %v, want %q", got.Payload, got.PacketID, got.FixedHeader.Dup, want)
			}
			c.ack(got.PacketID)
		}
		c.silent()
	})
}

// TestUnsentKeepsItsPlace: what waited for the client's Receive Maximum comes in its order over the next connection.
func TestUnsentKeepsItsPlace(t *testing.T) {
	runStored(t, func(h *stored) {
		narrow := func(p *packets.Packet) { lasting(p); p.Properties.ReceiveMaximum = 1 }
		c := h.connect(5, "device", narrow)
		c.subscribe("news/#", 1)
		h.news("one", "two", "three")
		c.receive(packets.Publish)
		c.gone()
		h.news("four")
		c, _ = h.reconnect(5, "device", narrow)
		for i, want := range []string{"one", "two", "three", "four"} {
			got := c.receive(packets.Publish)
			if string(got.Payload) != want || got.FixedHeader.Dup != (i == 0) {
				t.Errorf("got %q, dup %v, want %q", got.Payload, got.FixedHeader.Dup, want)
			}
			c.ack(got.PacketID)
		}
	})
}

// TestFourPublishersReachOneSubscriber with QoS 1, all at once: none waits for another for ever.
func TestFourPublishersReachOneSubscriber(t *testing.T) {
	const publishers, each = 4, 200
	runStored(t, func(h *stored) {
		c := h.connect(5, "subscriber")
		c.subscribe("news/#", 1)
		for i := range publishers {
			p := h.connect(5, "publisher"+string(rune('0'+i)))
			h.serving.Go(func() {
				for n := range each {
					p.publish("news/a", "x", 1, uint16(n+1))
					p.receive(packets.Puback)
				}
			})
		}
		for range publishers * each {
			c.ack(c.receive(packets.Publish).PacketID)
		}
		c.silent()
	})
}

func TestQoS2ToAClientGoesOnWhereItWas(t *testing.T) {
	runStored(t, func(h *stored) {
		c, pub := h.connect(5, "device", lasting), h.connect(5, "publisher")
		c.subscribe("news/#", 2)
		for id, text := range []string{"one", "two"} {
			pub.publish("news/a", text, 2, uint16(id+1))
			pub.receive(packets.Pubrec)
			pub.answer(packets.Pubrel, uint16(id+1))
			pub.receive(packets.Pubcomp)
		}
		first, second := c.receive(packets.Publish), c.receive(packets.Publish)
		if first.FixedHeader.Qos != 2 || second.FixedHeader.Qos != 2 {
			t.Fatalf("delivered with QoS %d and %d", first.FixedHeader.Qos, second.FixedHeader.Qos)
		}
		c.answer(packets.Pubrec, first.PacketID)
		c.receive(packets.Pubrel)
		c.gone()
		c, _ = h.reconnect(5, "device", lasting)
		if got := c.receive(packets.Pubrel); got.PacketID != first.PacketID {
			t.Errorf("PUBREL %d, want %d", got.PacketID, first.PacketID)
		}
		if got := c.receive(packets.Publish); string(got.Payload) != "two" || got.PacketID != second.PacketID || !got.FixedHeader.Dup {
			t.Errorf("got %q with id %d", got.Payload, got.PacketID)
		}
		c.answer(packets.Pubcomp, first.PacketID)
		c.answer(packets.Pubrec, second.PacketID)
		c.receive(packets.Pubrel)
		c.answer(packets.Pubcomp, second.PacketID)
		c.silent()
	})
}

// TestQoS2PublishSentAgainIsTakenOnce: over a new connection and over a power cut.
func TestQoS2PublishSentAgainIsTakenOnce(t *testing.T) {
	for name, between := range map[string]func(h *stored, c *peer){
		"connection": func(_ *stored, c *peer) { c.gone() },
		"power":      func(h *stored, _ *peer) { h.cutPower() },
	} {
		t.Run(name, func(t *testing.T) {
			runStored(t, func(h *stored) {
				c := h.connect(4, "device", lasting)
				c.publish("jobs", "once", 2, 9)
				c.receive(packets.Pubrec)
				between(h, c)
				c, present := h.reconnect(4, "device", lasting)
				if !present {
					t.Error("the session is not present")
				}
				c.publish("jobs", "once", 2, 9, func(p *packets.Packet) { p.FixedHeader.Dup = true })
				c.receive(packets.Pubrec)
				c.answer(packets.Pubrel, 9)
				c.receive(packets.Pubcomp)
				c.publish("jobs", "next", 2, 9)
				c.receive(packets.Pubrec)
				worker := h.links.Receiver("jobs", 10)
				for _, d := range worker.Expect("once", "next") {
					d.Settle(router.Accept())
				}
				synctest.Wait()
				if !worker.Idle() {
					t.Error("there is more")
				}
			})
		})
	}
}

// TestQoS2PublishWithoutAnOutcomeIsNotSentTwice: the connection ends before it is known what became of the publish.
func TestQoS2PublishWithoutAnOutcomeIsNotSentTwice(t *testing.T) {
	runStored(t, func(h *stored) {
		worker := h.links.Receiver("jobs", 10)
		c := h.connect(5, "device", lasting)
		c.publish("jobs", "once", 2, 1)
		c.gone()
		c, _ = h.reconnect(5, "device", lasting)
		c.publish("jobs", "once", 2, 1, func(p *packets.Packet) { p.FixedHeader.Dup = true })
		if got := c.receive(packets.Pubrec); got.ReasonCode != 0 {
			t.Errorf("PUBREC %#x", got.ReasonCode)
		}
		worker.Expect("once")
		synctest.Wait()
		if !worker.Idle() {
			t.Error("the message was taken twice")
		}
	})
}

func TestSessionSurvivesAPowerCut(t *testing.T) {
	runStored(t, func(h *stored) {
		c := h.connect(5, "device", lasting)
		c.subscribe("news/+", 1)
		c.subscribe("alerts/x", 1)
		h.news("one")
		h.cutPower()
		c, present := h.reconnect(5, "device", lasting)
		if !present {
			t.Fatal("the session is not present")
		}
		h.news("two")
		for _, want := range []string{"one", "two"} {
			got := c.receive(packets.Publish)
			if string(got.Payload) != want {
				t.Errorf("got %q, want %q", got.Payload, want)
			}
			c.ack(got.PacketID)
		}
		h.links.Sender("alerts/x").Send("fire")
		if got := c.receive(packets.Publish); string(got.Payload) != "fire" {
			t.Errorf("got %q", got.Payload)
		}
	})
}

func TestSessionEnds(t *testing.T) {
	away := func(c *peer) { c.gone() }
	for _, test := range []struct {
		name  string
		leave func(c *peer)
		wait  time.Duration
		clean bool
		ends  bool
	}{
		{"not before its expiry", away, 59 * time.Minute, false, false},
		{"at its expiry", away, time.Hour + time.Second, false, true},
		{"with a clean start", away, 0, true, true},
		{"when its client says so", func(c *peer) {
			c.send(packets.Packet{
				FixedHeader: packets.FixedHeader{Type: packets.Disconnect},
				Properties:  packets.Properties{SessionExpiryIntervalFlag: true},
			})
			c.gone()
		}, 0, false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			runStored(t, func(h *stored) {
				c := h.connect(5, "device", lasting)
				c.subscribe("news/#", 1)
				if n := h.subscriptions("$mqtt/device"); n != 1 {
					t.Fatalf("%d subscriptions", n)
				}
				test.leave(c)
				time.Sleep(test.wait) // of the bubble's time
				synctest.Wait()
				again := lasting
				if test.clean {
					again = func(p *packets.Packet) { lasting(p); p.Connect.Clean = true }
				}
				if _, present := h.reconnect(5, "device", again); present == test.ends {
					t.Errorf("session present: %v", present)
				}
				if n := h.subscriptions("$mqtt/device"); (n == 0) != test.ends {
					t.Errorf("%d subscriptions", n)
				}
			})
		})
	}
}

// TestSessionIsGoneFromTheDisk: what has ended does not come back.
func TestSessionIsGoneFromTheDisk(t *testing.T) {
	runStored(t, func(h *stored) {
		c := h.connect(5, "device", lasting)
		c.subscribe("news/#", 1)
		c.gone()
		h.cutPower()
		time.Sleep(2 * time.Hour) // of the bubble's time
		synctest.Wait()
		h.cutPower()
		if _, present := h.reconnect(5, "device", lasting); present {
			t.Error("the session is present")
		}
		if n := h.subscriptions("$mqtt/device"); n != 0 {
			t.Errorf("%d subscriptions", n)
		}
	})
}

func TestUnsubscribeEndsTheDurableSubscription(t *testing.T) {
	runStored(t, func(h *stored) {
		c := h.connect(4, "device", lasting)
		c.subscribe("news/#", 1)
		c.subscribe("news/#", 2)
		c.send(packets.Packet{
			FixedHeader: packets.FixedHeader{Type: packets.Unsubscribe, Qos: 1}, PacketID: 2,
			Filters: packets.Subscriptions{{Filter: "news/#"}},
		})
		c.receive(packets.Unsuback)
		if n := h.subscriptions("$mqtt/device"); n != 0 {
			t.Errorf("%d subscriptions", n)
		}
		h.cutPower()
		h.connect(4, "device", lasting)
		if n := h.subscriptions("$mqtt/device"); n != 0 {
			t.Errorf("%d subscriptions after a power cut", n)
		}
	})
}

// TestQoS0SubscriptionKeepsNothing: its messages may be lost, so none is stored.
func TestQoS0SubscriptionKeepsNothing(t *testing.T) {
	runStored(t, func(h *stored) {
		c := h.connect(5, "device", lasting)
		c.subscribe("news/#", 0)
		if n := h.subscriptions("$mqtt/device"); n != 0 {
			t.Errorf("%d subscriptions", n)
		}
		c.gone()
		c, present := h.reconnect(5, "device", lasting)
		h.news("live")
		if got := c.receive(packets.Publish); !present || string(got.Payload) != "live" {
			t.Errorf("present %v, got %q", present, got.Payload)
		}
	})
}

func TestQueueGetsBackWhatASessionHeld(t *testing.T) {
	runStored(t, func(h *stored) {
		c := h.connect(5, "device", lasting)
		c.subscribe("jobs", 2)
		p := h.links.Sender("jobs")
		p.Send("work")
		p.Accepted(1)
		c.receive(packets.Publish)
		c.gone()
		if got := h.links.Receiver("jobs", 1).Expect("work"); got[0].Attempts == 0 {
			t.Error("it does not say that it was delivered before")
		}
	})
}

func TestStoredSubscriptionBeginsWithTheRetained(t *testing.T) {
	runStored(t, func(h *stored) {
		pub := h.connect(5, "publisher")
		pub.publish("news/a", "kept", 1, 1, func(p *packets.Packet) { p.FixedHeader.Retain = true })
		pub.receive(packets.Puback)
		c := h.connect(5, "device", lasting)
		for i, handling := range []byte{0, 1, 0, 2} {
			c.send(packets.Packet{
				FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: uint16(i + 1),
				Filters: packets.Subscriptions{{Filter: "news/#", Qos: 1, RetainHandling: handling}},
			})
			c.receive(packets.Suback)
			if handling == 0 {
				got := c.receive(packets.Publish)
				if string(got.Payload) != "kept" || !got.FixedHeader.Retain {
					t.Errorf("got %q, retain %v", got.Payload, got.FixedHeader.Retain)
				}
				c.ack(got.PacketID)
			}
			c.silent()
		}
		h.news("live")
		c.ack(c.receive(packets.Publish).PacketID)
		c.silent()
	})
}

func TestSharedSubscriptionGivesEachMessageToOne(t *testing.T) {
	for _, session := range []func(*packets.Packet){lasting, func(*packets.Packet) {}} {
		runStored(t, func(h *stored) {
			a, b := h.connect(5, "a", session), h.connect(5, "b", session)
			for _, c := range []*peer{a, b} {
				if got := c.subscribe("$share/g/news/+", 1); got != 1 {
					t.Fatalf("SUBACK %#x", got)
				}
			}
			h.news("1", "2", "3", "4")
			var got []string
			for _, c := range []*peer{a, b} {
				for range 2 {
					p := c.receive(packets.Publish)
					got = append(got, string(p.Payload))
					c.ack(p.PacketID)
				}
				c.silent()
			}
			slices.Sort(got)
			if !slices.Equal(got, []string{"1", "2", "3", "4"}) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// TestSharedSubscriptionLivesWithItsLastMember: what one member leaves the others get, and when the last session has ended
// nothing is kept.
func TestSharedSubscriptionLivesWithItsLastMember(t *testing.T) {
	runStored(t, func(h *stored) {
		a, b := h.connect(5, "a", lasting), h.connect(5, "b", lasting)
		a.subscribe("$share/g/news/+", 1)
		b.subscribe("$share/g/news/+", 1)
		b.gone()
		h.news("1")
		a.receive(packets.Publish)
		a.gone()
		h.news("2")
		b, _ = h.reconnect(5, "b", lasting)
		for _, want := range []string{"1", "2"} {
			got := b.receive(packets.Publish)
			if string(got.Payload) != want {
				t.Errorf("got %q, want %q", got.Payload, want)
			}
			b.ack(got.PacketID)
		}
		clean := func(p *packets.Packet) { p.Connect.Clean = true }
		b.gone()
		h.connect(5, "b", clean)
		if n := h.subscriptions("$share/g"); n != 1 {
			t.Errorf("%d subscriptions while a member is left", n)
		}
		h.connect(5, "a", clean)
		if n := h.subscriptions("$share/g"); n != 0 {
			t.Errorf("%d subscriptions after the last", n)
		}
	})
}

func TestWillWaitsForItsDelay(t *testing.T) {
	will := func(delay, expiry uint32) func(p *packets.Packet) {
		return func(p *packets.Packet) {
			p.Connect.Clean = false
			p.Properties.SessionExpiryInterval, p.Properties.SessionExpiryIntervalFlag = expiry, true
			p.Connect.WillFlag, p.Connect.WillTopic, p.Connect.WillPayload = true, "alerts/gone", []byte("lost")
			p.Connect.WillProperties.WillDelayInterval = delay
		}
	}
	for _, test := range []struct {
		name          string
		delay, expiry uint32
		published     time.Duration
		power         bool
	}{
		{"its delay", 10, 60, 10 * time.Second, false},
		{"the end of the session", 60, 10, 10 * time.Second, false},
		{"nothing without a session", 60, 0, 0, false},
		{"its delay over a power cut", 10, 60, 10 * time.Second, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			runStored(t, func(h *stored) {
				c := h.connect(5, "device", will(test.delay, test.expiry))
				c.gone()
				if test.power {
					h.cutPower()
				}
				watcher := h.links.Receiver("alerts/gone", 5)
				if test.published > 0 {
					time.Sleep(test.published - time.Second) // of the bubble's time
					synctest.Wait()
					if !watcher.Idle() {
						t.Error("published too early")
					}
					time.Sleep(time.Second)
					synctest.Wait()
					watcher.Expect("lost")
				}
			})
		})
	}
	t.Run("and not beyond the client's return", func(t *testing.T) {
		runStored(t, func(h *stored) {
			watcher := h.links.Receiver("alerts/gone", 5)
			h.connect(5, "device", will(10, 60)).gone()
			h.connect(5, "device", lasting)
			time.Sleep(time.Minute) // of the bubble's time
			synctest.Wait()
			if !watcher.Idle() {
				t.Error("published")
			}
		})
	})
}

// nothing fails if the server says something within a second.
func (c *peer) nothing(before string) {
	c.t.Helper()
	if err := c.nc.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.in.Peek(1); err == nil {
		c.t.Errorf("an answer came before %s was on disk", before)
	}
	if err := c.nc.SetReadDeadline(time.Time{}); err != nil {
		c.t.Fatal(err)
	}
}

// TestNothingIsToldBeforeItIsOnDisk: CONNACK, SUBACK, PUBREC and PUBCOMP of a session that outlives its connection.
func TestNothingIsToldBeforeItIsOnDisk(t *testing.T) {
	run(t, func(h *house) {
		h.links.Receiver("alerts/x", 10)
		c := h.dial(5)
		for _, step := range []struct {
			say    packets.Packet
			answer byte
		}{
			{packets.Packet{
				FixedHeader: packets.FixedHeader{Type: packets.Connect},
				Connect:     packets.ConnectParams{ProtocolName: []byte("MQTT"), ClientIdentifier: "device"},
				Properties:  packets.Properties{SessionExpiryInterval: 60, SessionExpiryIntervalFlag: true},
			}, packets.Connack},
			{packets.Packet{
				FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 1,
				Filters: packets.Subscriptions{{Filter: "alerts/y"}},
			}, packets.Suback},
			{packets.Packet{
				FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 2}, TopicName: "alerts/x", PacketID: 2,
			}, packets.Pubrec},
			{packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubrel, Qos: 1}, PacketID: 2}, packets.Pubcomp},
		} {
			h.shelf.hold()
			c.send(step.say)
			synctest.Wait()
			c.nothing(packets.PacketNames[step.answer])
			h.shelf.release()
			if got := c.receive(step.answer); got.ReasonCode != 0 {
				t.Errorf("%s with code %#x", packets.PacketNames[step.answer], got.ReasonCode)
			}
		}
	})
}

// TestOverlappingSubscriptionsGetEachIdentifierOnce: with one copy, or with more if they came apart.
func TestOverlappingSubscriptionsGetEachIdentifierOnce(t *testing.T) {
	runStored(t, func(h *stored) {
		c := h.connect(5, "device")
		for id, filter := range []string{"news/#", "news/a", "news/+"} {
			c.send(packets.Packet{
				FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 1,
				Filters:    packets.Subscriptions{{Filter: filter, Qos: byte(id)}},
				Properties: packets.Properties{SubscriptionIdentifier: []int{id + 1}},
			})
			c.receive(packets.Suback)
		}
		h.news("once")
		var ids []int
		for len(ids) < 3 {
			got := c.receive(packets.Publish)
			ids = append(ids, got.Properties.SubscriptionIdentifier...)
			if got.FixedHeader.Qos > 0 {
				c.ack(got.PacketID)
			}
		}
		slices.Sort(ids)
		if !slices.Equal(ids, []int{1, 2, 3}) {
			t.Errorf("identifiers %v", ids)
		}
		c.silent()
	})
}

func TestTakeoverGoesOnWithTheSession(t *testing.T) {
	runStored(t, func(h *stored) {
		former := h.connect(5, "device", lasting)
		former.subscribe("news/#", 1)
		h.news("one")
		id := former.receive(packets.Publish).PacketID
		h.serving.Go(func() { former.receive(packets.Disconnect) })
		c, present := h.reconnect(5, "device", lasting)
		if got := c.receive(packets.Publish); !present || got.PacketID != id || !got.FixedHeader.Dup {
			t.Errorf("present %v, id %d, dup %v", present, got.PacketID, got.FixedHeader.Dup)
		}
	})
}
