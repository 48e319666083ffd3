package mqtt

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/manifoldmq/manifold/router"
)

// TestStatementsOfSessions are the normative statements of MQTT 5 that are about more than one connection, and that no
// test beside this one is about. docs/mqtt-conformance.md lists them all.
func TestStatementsOfSessions(t *testing.T) {
	for statements, claim := range map[string]func(h *stored){
		"MQTT-3.1.2-6":                                         sessionIsNewWhereThereIsNone,
		"MQTT-3.1.2-10":                                        willIsPublishedOnce,
		"MQTT-3.1.2-14 MQTT-3.1.2-15":                          willIsRetainedAsItSays,
		"MQTT-3.1.3-6 MQTT-3.2.2-16":                           assignedClientIDsAreNew,
		"MQTT-3.1.4-4 MQTT-3.2.2-2 MQTT-3.2.2-3":               sessionIsPresentUnlessStartedClean,
		"MQTT-3.2.2-1":                                         reservedFlagsOfConnackAreZero,
		"MQTT-3.3.1-5 MQTT-3.3.1-8":                            lastRetainedMessageIsKept,
		"MQTT-3.3.1-6 MQTT-3.3.1-7":                            emptyRetainedMessageTakesItAway,
		"MQTT-3.3.1-12 MQTT-3.3.1-13":                          retainIsToldAsPublishedOnRequest,
		"MQTT-3.3.2-3 MQTT-4.7.3-4":                            namesAreComparedAsTheyStand,
		"MQTT-3.3.2-5 MQTT-3.3.2-6":                            messagesExpireWhileTheyWait,
		"MQTT-3.3.4-5":                                         copiesCarryTheirOwnIdentifiers,
		"MQTT-3.8.4-3 MQTT-3.8.4-4":                            newSubscriptionTakesThePlaceOfTheFormer,
		"MQTT-3.8.4-8 MQTT-4.8.2-3":                            lowerQoSCounts,
		"MQTT-3.10.4-3":                                        whatWasBegunIsSeenThroughAfterUnsubscribe,
		"MQTT-4.3.3-7 MQTT-4.3.3-13":                           expiryStopsNoExchange,
		"MQTT-4.5.0-1 MQTT-4.6.0-5 MQTT-4.6.0-6":               orderIsThatOfThePublishers,
		"MQTT-4.8.2-4 MQTT-4.8.2-5":                            sharedMessagesAreNotSentWithQoS2,
		"MQTT-4.8.2-6":                                         refusedSharedMessageGoesToNobodyElse,
		"MQTT-3.2.2-8 MQTT-3.4.2-1 MQTT-3.5.2-1 MQTT-3.14.2-1": codesAreThoseOfTheirPackets,
	} {
		t.Run(statements, func(t *testing.T) { runStored(t, claim) })
	}
}

// retained publishes with QoS 1 and RETAIN.
func (c *peer) retained(topic, payload string) {
	c.t.Helper()
	c.publish(topic, payload, 1, 1, func(p *packets.Packet) { p.FixedHeader.Retain = true })
	c.receive(packets.Puback)
}

// request subscribes with options and a Subscription Identifier, unless that is 0.
func (c *peer) request(s packets.Subscription, identifier int) {
	c.t.Helper()
	p := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 1, Filters: packets.Subscriptions{s},
	}
	if identifier > 0 {
		p.Properties.SubscriptionIdentifier = []int{identifier}
	}
	c.send(p)
	if code := c.receive(packets.Suback).ReasonCodes[0]; code > 2 {
		c.t.Fatalf("SUBACK %#x", code)
	}
}

// expect reads publishes, acknowledges those of QoS 1, and gives them.
func (c *peer) expect(payloads ...string) (all []packets.Packet) {
	c.t.Helper()
	for _, want := range payloads {
		got := c.receive(packets.Publish)
		if string(got.Payload) != want {
			c.t.Fatalf("got %q, want %q", got.Payload, want)
		}
		if got.FixedHeader.Qos == 1 {
			c.ack(got.PacketID)
		}
		all = append(all, got)
	}
	return all
}

// will asks for one at news/gone, with a session that outlives its connection by an hour.
func will(retain bool) func(*packets.Packet) {
	return func(p *packets.Packet) {
		lasting(p)
		p.Connect.WillFlag, p.Connect.WillTopic, p.Connect.WillPayload = true, "news/gone", []byte("lost")
		p.Connect.WillQos, p.Connect.WillRetain = 1, retain
	}
}

func sessionIsNewWhereThereIsNone(h *stored) {
	c, present := h.reconnect(5, "device", lasting)
	if present {
		h.t.Error("there is a session before the first connection")
	}
	c.subscribe("news/#", 1)
	c.silent()
}

func willIsPublishedOnce(h *stored) {
	watcher := h.connect(5, "watcher")
	watcher.subscribe("news/gone", 1)
	h.connect(5, "device", will(false)).gone()
	watcher.expect("lost")
	h.connect(5, "device", lasting).gone()
	time.Sleep(2 * time.Hour) // of the bubble's time: the session ends
	watcher.silent()
}

func willIsRetainedAsItSays(h *stored) {
	for _, retain := range []bool{false, true} {
		h.connect(5, "device", will(retain)).gone()
		c := h.connect(5, fmt.Sprint("watcher", retain))
		c.subscribe("news/gone", 1)
		if retain {
			if got := c.expect("lost")[0]; !got.FixedHeader.Retain {
				h.t.Error("a retained message does not say so")
			}
		}
		c.silent()
	}
}

func assignedClientIDsAreNew(h *stored) {
	seen := make(map[string]bool)
	for range 10 {
		_, ack := h.attempt(5, "")
		id := ack.Properties.AssignedClientID
		if id == "" || seen[id] {
			h.t.Errorf("assigned client id %q", id)
		}
		seen[id] = true
	}
}

func sessionIsPresentUnlessStartedClean(h *stored) {
	h.connect(5, "device", lasting).gone()
	c, present := h.reconnect(5, "device", lasting)
	if !present {
		h.t.Error("the session is not present")
	}
	c.gone()
	if _, present := h.reconnect(5, "device"); present {
		h.t.Error("the session is present after a clean start")
	}
}

func reservedFlagsOfConnackAreZero(h *stored) {
	for _, present := range []byte{0, 1} {
		c := h.dial(4)
		c.send(packets.Packet{
			FixedHeader: packets.FixedHeader{Type: packets.Connect},
			Connect:     packets.ConnectParams{ProtocolName: []byte("MQTT"), ClientIdentifier: "device"},
		})
		ack := make([]byte, 4)
		for i := range ack {
			ack[i], _ = c.in.ReadByte()
		}
		if !slices.Equal(ack, []byte{0x20, 2, present, 0}) {
			h.t.Errorf("CONNACK % x", ack)
		}
		c.gone()
	}
}

func lastRetainedMessageIsKept(h *stored) {
	pub := h.connect(5, "publisher")
	pub.retained("news/a", "first")
	pub.retained("news/a", "second")
	h.news("not retained")
	c := h.connect(5, "device")
	c.subscribe("news/a", 1)
	c.expect("second")
	c.silent()
}

func emptyRetainedMessageTakesItAway(h *stored) {
	pub, live := h.connect(5, "publisher"), h.connect(5, "live")
	pub.retained("news/a", "first")
	live.request(packets.Subscription{Filter: "news/a", Qos: 1, RetainHandling: 2}, 0)
	pub.retained("news/a", "")
	live.expect("")
	c := h.connect(5, "device")
	c.subscribe("news/a", 1)
	c.silent()
}

func retainIsToldAsPublishedOnRequest(h *stored) {
	plain, asPublished := h.connect(5, "plain"), h.connect(5, "as published")
	plain.request(packets.Subscription{Filter: "news/a", Qos: 1}, 0)
	asPublished.request(packets.Subscription{Filter: "news/a", Qos: 1, RetainAsPublished: true}, 0)
	h.connect(5, "publisher").retained("news/a", "kept")
	h.news("not kept")
	for _, c := range []*peer{plain, asPublished} {
		got := c.expect("kept", "not kept")
		if got[0].FixedHeader.Retain != (c == asPublished) || got[1].FixedHeader.Retain {
			h.t.Errorf("RETAIN %v and %v", got[0].FixedHeader.Retain, got[1].FixedHeader.Retain)
		}
	}
}

func namesAreComparedAsTheyStand(h *stored) {
	filters := []string{"news/Å/x", "news/A\u030a/x", "news/å/x", "news/Å//x", "news/Å/x/", "news/%C3%85/x", "news/Å /x"}
	pub := h.connect(5, "publisher")
	var all []*peer
	for _, filter := range filters {
		c := h.connect(5, filter)
		c.subscribe(filter, 1)
		all = append(all, c)
	}
	for i, name := range filters {
		pub.publish(name, name, 1, uint16(i+1))
		pub.receive(packets.Puback)
	}
	for i, c := range all {
		if got := c.expect(filters[i])[0].TopicName; got != filters[i] {
			h.t.Errorf("%q got a message to %q", filters[i], got)
		}
		c.silent()
	}
}

func messagesExpireWhileTheyWait(h *stored) {
	c := h.connect(5, "device", lasting)
	c.subscribe("news/#", 1)
	c.gone()
	pub := h.connect(5, "publisher")
	for id, seconds := range []uint32{10, 60} {
		pub.publish("news/a", fmt.Sprint(seconds), 1, uint16(id+1), func(p *packets.Packet) {
			p.Properties.MessageExpiryInterval = seconds
		})
		pub.receive(packets.Puback)
	}
	time.Sleep(20 * time.Second) // of the bubble's time
	c, _ = h.reconnect(5, "device", lasting)
	if left := c.expect("60")[0].Properties.MessageExpiryInterval; left != 40 {
		h.t.Errorf("it expires after %d s more, want 40", left)
	}
	c.silent()
}

func copiesCarryTheirOwnIdentifiers(h *stored) {
	c := h.connect(5, "device", lasting)
	c.request(packets.Subscription{Filter: "news/#", Qos: 1}, 1)
	c.request(packets.Subscription{Filter: "news/+", Qos: 1}, 2)
	h.news("twice")
	var ids []int
	for _, got := range c.expect("twice", "twice") {
		ids = append(ids, got.Properties.SubscriptionIdentifier...)
	}
	slices.Sort(ids)
	if !slices.Equal(ids, []int{1, 2}) {
		h.t.Errorf("identifiers %v", ids)
	}
}

func newSubscriptionTakesThePlaceOfTheFormer(h *stored) {
	for _, session := range []func(*packets.Packet){lasting, func(*packets.Packet) {}} {
		pub := h.connect(5, "publisher")
		pub.retained("news/a", "kept")
		c := h.connect(5, "device", session)
		for identifier := range 3 {
			c.request(packets.Subscription{Filter: "news/a", Qos: 1}, identifier+1)
			if got := c.expect("kept")[0]; !got.FixedHeader.Retain {
				h.t.Error("a retained message does not say so")
			}
			h.news("live")
			got := c.expect("live")[0].Properties.SubscriptionIdentifier
			if !slices.Equal(got, []int{identifier + 1}) {
				h.t.Errorf("identifiers %v", got)
			}
			c.silent()
		}
		c.gone()
		h.connect(5, "device").gone()
	}
}

func lowerQoSCounts(h *stored) {
	pub := h.connect(5, "publisher")
	for granted := range byte(3) {
		for _, c := range []*peer{
			h.connect(5, fmt.Sprint("device", granted)), h.connect(5, fmt.Sprint("lasting", granted), lasting),
		} {
			c.subscribe("news/a", granted)
			for published := range byte(3) {
				pub.publish("news/a", "x", published, 7)
				switch published {
				case 1:
					pub.receive(packets.Puback)
				case 2:
					pub.receive(packets.Pubrec)
					pub.answer(packets.Pubrel, 7)
					pub.receive(packets.Pubcomp)
				}
				if got := c.expect("x")[0].FixedHeader.Qos; got != min(granted, published) {
					h.t.Errorf("published with %d, granted %d, sent with %d", published, granted, got)
				}
			}
			c.gone()
		}
	}
}

func whatWasBegunIsSeenThroughAfterUnsubscribe(h *stored) {
	c, pub := h.connect(5, "device", lasting), h.connect(5, "publisher")
	c.subscribe("news/a", 2)
	pub.publish("news/a", "begun", 2, 1)
	pub.receive(packets.Pubrec)
	id := c.expect("begun")[0].PacketID
	c.send(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Unsubscribe, Qos: 1}, PacketID: 2,
		Filters: packets.Subscriptions{{Filter: "news/a"}},
	})
	c.receive(packets.Unsuback)
	h.news("too late")
	c.answer(packets.Pubrec, id)
	c.receive(packets.Pubrel)
	c.answer(packets.Pubcomp, id)
	c.silent()
}

func expiryStopsNoExchange(h *stored) {
	c, pub := h.connect(5, "device", lasting), h.connect(5, "publisher")
	c.subscribe("news/a", 2)
	pub.publish("news/a", "short", 2, 1, func(p *packets.Packet) { p.Properties.MessageExpiryInterval = 1 })
	pub.receive(packets.Pubrec)
	id := c.expect("short")[0].PacketID
	time.Sleep(time.Minute) // of the bubble's time
	pub.answer(packets.Pubrel, 1)
	pub.receive(packets.Pubcomp)
	c.gone()
	c, _ = h.reconnect(5, "device", lasting)
	if got := c.expect("short")[0]; got.PacketID != id || !got.FixedHeader.Dup {
		h.t.Errorf("id %d, dup %v", got.PacketID, got.FixedHeader.Dup)
	}
	c.answer(packets.Pubrec, id)
	c.receive(packets.Pubrel)
	c.answer(packets.Pubcomp, id)
	c.silent()
}

func orderIsThatOfThePublishers(h *stored) {
	const count = 50
	here, away := h.connect(5, "here"), h.connect(5, "away", lasting)
	here.subscribe("news/+", 1)
	away.subscribe("news/+", 1)
	away.gone()
	var want []string
	for n := range count {
		want = append(want, fmt.Sprint(n))
	}
	h.news(want...)
	away, _ = h.reconnect(5, "away", lasting)
	here.expect(want...)
	away.expect(want...)
}

// sharedMessagesAreNotSentWithQoS2: a message of a shared subscription that one member leaves may go to another, so that
// QoS 2 cannot be kept for it, and is not granted.
func sharedMessagesAreNotSentWithQoS2(h *stored) {
	for name, session := range map[string]func(*packets.Packet){"lasting": lasting, "short": func(*packets.Packet) {}} {
		c, pub := h.connect(5, name, session), h.connect(5, "publisher")
		if got := c.subscribe("$share/"+name+"/news/a", 2); got != 1 {
			h.t.Errorf("SUBACK %#x, want 1", got)
		}
		pub.publish("news/a", "x", 2, 1)
		pub.receive(packets.Pubrec)
		if got := c.expect("x")[0].FixedHeader.Qos; got != 1 {
			h.t.Errorf("sent with QoS %d", got)
		}
		c.gone()
	}
}

func refusedSharedMessageGoesToNobodyElse(h *stored) {
	a, b := h.connect(5, "a", lasting), h.connect(5, "b", lasting)
	a.subscribe("$share/g/news/a", 1)
	h.news("refused")
	got := a.receive(packets.Publish)
	b.subscribe("$share/g/news/a", 1)
	a.send(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: got.PacketID, ReasonCode: 0x97,
	})
	synctest.Wait()
	a.silent()
	b.silent()
}

func codesAreThoseOfTheirPackets(h *stored) {
	puback := []byte{0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99}
	connack := []byte{
		0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C,
		0x9D, 0x9F,
	}
	disconnect := []byte{
		0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B,
		0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
	}
	for reason := router.OK + 1; int(reason) < router.ReasonCount; reason++ {
		words := reasons[reason]
		if !slices.Contains(puback, byte(words.puback)) {
			h.t.Errorf("%v: PUBACK %#x", reason, byte(words.puback))
		}
		if !slices.Contains(connack, byte(words.connack)) && !slices.Contains(disconnect, byte(words.connack)) {
			h.t.Errorf("%v: %#x is a code of neither CONNACK nor DISCONNECT", reason, byte(words.connack))
		}
	}
}
