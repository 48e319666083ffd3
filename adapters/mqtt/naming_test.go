package mqtt

import (
	"testing"
	"testing/synctest"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/manifoldmq/manifold/adapters/mqtt/rewrite"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// renaming gives a house rules, each as match and to.
func renaming(t *testing.T, pairs ...[2]string) func(*Config) {
	var rules rewrite.Rules
	for _, p := range pairs {
		rule, err := rewrite.Parse(p[0], p[1])
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, rule)
	}
	return func(c *Config) { c.Rewrite = rules }
}

func (c *peer) gets(topic, payload string) packets.Packet {
	c.t.Helper()
	p := c.receive(packets.Publish)
	if p.TopicName != topic || string(p.Payload) != payload {
		c.t.Errorf("got %q at %s, want %q at %s", p.Payload, p.TopicName, payload, topic)
	}
	if p.FixedHeader.Qos > 0 {
		c.ack(p.PacketID)
	}
	return p
}

// TestTopicsAreRenamedBothWays: what firmware publishes is found at its address, and what is sent there comes to firmware
// under the name that it knows, and to others under the address.
func TestTopicsAreRenamedBothWays(t *testing.T) {
	runWith(t, renaming(t, [2]string{"devices/+/up/#", "alerts/$1/#"}), func(h *house) {
		old, usual := h.connect(4, "firmware"), h.connect(4, "usual")
		for c, filters := range map[*peer][]string{
			old: {"devices/+/up/#"}, usual: {"alerts/#"},
		} {
			for _, f := range filters {
				if got := c.subscribe(f, 1); got != 1 {
					t.Fatalf("%s: SUBACK %#x", f, got)
				}
			}
		}
		pub := h.connect(4, "publisher")
		for id, topic := range []string{"devices/7/up/smoke", "alerts/7/smoke"} {
			pub.publish(topic, "x", 1, uint16(id+1))
			pub.receive(packets.Puback)
			old.gets("devices/7/up/smoke", "x")
			usual.gets("alerts/7/smoke", "x")
		}
		pub.publish("devices/7/down", "x", 1, 9)
		pub.ends() // no rule matches, and no address is declared
	})
}

// TestEachSubscriptionHasItsOwnNames, also when both are of the same addresses, and messages are kept for each.
func TestEachSubscriptionHasItsOwnNames(t *testing.T) {
	rule := renaming(t, [2]string{"old/+", "news/$1"})
	runStoredWith(t, rule, func(h *stored) {
		c := h.connect(5, "device", lasting)
		for _, filter := range []string{"old/+", "news/+"} {
			if got := c.subscribe(filter, 1); got != 1 {
				t.Fatalf("%s: SUBACK %#x", filter, got)
			}
		}
		c.gone()
		h.news("while away")
		h.cutPower()
		c, present := h.reconnect(5, "device", lasting)
		if !present {
			t.Error("the session is not present")
		}
		topics := make(map[string]int)
		for range 2 {
			p := c.receive(packets.Publish)
			topics[p.TopicName]++
			c.ack(p.PacketID)
		}
		if topics["old/a"] != 1 || topics["news/a"] != 1 {
			t.Errorf("it came as %v", topics)
		}
		c.silent()
	})
}

// TestSubscriptionKeepsItsRule when the rules have changed, until the client subscribes again.
func TestSubscriptionKeepsItsRule(t *testing.T) {
	runStoredWith(t, renaming(t, [2]string{"old/+", "news/$1"}), func(h *stored) {
		c := h.connect(5, "device", lasting)
		c.subscribe("old/+", 1)
		c.gone()
		h.configure = renaming(t, [2]string{"old/+", "news/later/$1"})
		h.news("one")
		h.cutPower()
		h.news("two")
		c, _ = h.reconnect(5, "device", lasting)
		c.gets("old/a", "one")
		c.gets("old/a", "two")
		if got := c.subscribe("old/+", 1); got != 1 {
			t.Fatalf("SUBACK %#x", got)
		}
		h.news("not any more")
		p := h.links.Sender("news/later/a")
		p.Send("three")
		p.Accepted(1)
		c.gets("old/a", "three")
		c.silent()
		if got := h.subscriptions("$mqtt/device old/+"); got != 1 {
			t.Errorf("%d durable subscriptions, want 1", got)
		}
	})
}

// TestGroupIsThatOfItsAddresses: members that write its filter in different ways share the messages, each under its names,
// and what is kept is kept for all of them.
func TestGroupIsThatOfItsAddresses(t *testing.T) {
	runStoredWith(t, renaming(t, [2]string{"old/+", "news/$1"}), func(h *stored) {
		firmware, usual := h.connect(5, "firmware", lasting), h.connect(5, "usual")
		if got := firmware.subscribe("$share/g/old/+", 1); got != 1 {
			t.Fatalf("SUBACK %#x", got)
		}
		if got := usual.subscribe("$share/g/news/+", 1); got != 1 {
			t.Fatalf("SUBACK %#x", got)
		}
		firmware.gone()
		h.news("one")
		usual.gets("news/a", "one")
		usual.silent()
		usual.gone()
		h.news("two")
		firmware, _ = h.reconnect(5, "firmware", lasting)
		firmware.gets("old/a", "two")
		if got := h.subscriptions("$share/g"); got != 1 {
			t.Errorf("%d durable subscriptions, want 1", got)
		}
	})
}

func TestWillsAndResponseTopicsAreRenamed(t *testing.T) {
	runWith(t, renaming(t, [2]string{"devices/+/#", "alerts/$1/#"}), func(h *house) {
		watcher := h.connect(5, "watcher")
		watcher.subscribe("alerts/#", 0)
		dying := h.connect(5, "dying", func(p *packets.Packet) {
			p.Connect.WillFlag, p.Connect.WillTopic, p.Connect.WillPayload = true, "devices/7/gone", []byte("lost")
			p.Connect.WillProperties.ResponseTopic = "devices/7/back"
			p.Mods.AllowResponseInfo = true
		})
		dying.publish("devices/7/up", "x", 0, 0, func(p *packets.Packet) { p.Properties.ResponseTopic = "devices/7/down" })
		if got := watcher.gets("alerts/7/up", "x").Properties.ResponseTopic; got != "alerts/7/down" {
			t.Errorf("the answer goes to %s", got)
		}
		dying.gone()
		if got := watcher.gets("alerts/7/gone", "lost").Properties.ResponseTopic; got != "alerts/7/back" {
			t.Errorf("the answer to the will goes to %s", got)
		}
	})
}

// TestRulesKnowTheClient: $user is who it has shown to be, not what it says.
func TestRulesKnowTheClient(t *testing.T) {
	rules := renaming(t, [2]string{"c", "commands/$client"}, [2]string{"t/$tenant/+", "commands/$1"})
	runWith(t, rules, func(h *house) {
		worker := h.links.Receiver("commands/#", 10)
		for _, c := range []struct{ id, topic, to string }{
			{"a", "c", "commands/a"},
			{"a", "t/default/x", "commands/x"},
			{"a", "t/other/x", ""},
			{"a/b", "c", ""},
			{"#", "c", ""},
		} {
			client := h.connect(5, c.id)
			client.publish(c.topic, c.topic, 1, 1)
			if c.to == "" {
				if got := client.receive(packets.Puback).ReasonCode; got != 0x90 {
					t.Errorf("%s of %s: PUBACK %#x", c.topic, c.id, got)
				}
				continue
			}
			d := worker.Expect(c.topic)[0]
			if string(d.To) != c.to {
				t.Errorf("%s of %s went to %s, want %s", c.topic, c.id, d.To, c.to)
			}
			d.Settle(router.Accept())
			client.receive(packets.Puback)
		}
		synctest.Wait()
	}, tenancy.User{Name: "unused"})
}

// TestRenamedCopiesAreSentOnceEach: a message that two subscriptions name differently is two messages to the client.
func TestRenamedCopiesAreSentOnceEach(t *testing.T) {
	runWith(t, renaming(t, [2]string{"old/+", "alerts/$1"}), func(h *house) {
		c := h.connect(5, "device")
		for _, filter := range []string{"old/+", "alerts/+"} {
			c.subscribe(filter, 0)
		}
		pub := h.connect(5, "publisher")
		pub.publish("old/a", "x", 1, 1)
		pub.receive(packets.Puback)
		topics := make(map[string]int)
		for range 2 {
			topics[c.receive(packets.Publish).TopicName]++
		}
		c.silent()
		if topics["old/a"] != 1 || topics["alerts/a"] != 1 {
			t.Errorf("it came as %v", topics)
		}
	})
}
