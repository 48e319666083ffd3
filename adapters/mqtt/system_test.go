package mqtt

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/tenancy"
)

// system gives the house topics below $SYS, told every ten seconds.
func system(c *Config) {
	c.Limits.SystemInterval = 10 * time.Second
	c.Version, c.Retained = "manifold test", func(string) int { return 7 }
}

func TestSystemTopicsTellOfTheTenant(t *testing.T) {
	runWith(t, system, func(h *house) {
		c, other := h.connect(5, "watcher"), h.connect(4, "other")
		if got := c.subscribe("$SYS/broker/+/#", 2); got != 0 {
			t.Fatalf("SUBACK %#x", got)
		}
		figures := func(retained bool) map[string]string {
			t.Helper()
			got := make(map[string]string)
			for range 9 {
				p := c.receive(packets.Publish)
				if p.FixedHeader.Retain != retained || p.FixedHeader.Qos != 0 {
					t.Errorf("%s came with RETAIN %v and QoS %d", p.TopicName, p.FixedHeader.Retain, p.FixedHeader.Qos)
				}
				got[strings.TrimPrefix(p.TopicName, "$SYS/broker/")] = string(p.Payload)
			}
			return got
		}
		first := figures(true)
		for topic, want := range map[string]string{
			"version": "manifold test", "uptime": "0 seconds", "clients/connected": "2", "clients/total": "2",
			"subscriptions/count": "1", "retained messages/count": "7", "messages/received": "0",
		} {
			if got := first[topic]; got != want {
				t.Errorf("%s is %q, want %q", topic, got, want)
			}
		}
		other.publish("alerts/x", "x", 1, 1)
		other.receive(packets.Puback)
		start := time.Now()
		second := figures(false)
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("the next figures came after %v", took)
		}
		if second["uptime"] != "10 seconds" || second["messages/received"] != "1" {
			t.Errorf("uptime %q, messages received %q", second["uptime"], second["messages/received"])
		}
	})
}

// TestSystemTopicsAreNotOfferedUnlessAskedFor, and to nobody's publishes ever.
func TestSystemTopicsAreNotOfferedUnlessAskedFor(t *testing.T) {
	for _, c := range []struct {
		configure       func(*Config)
		granted, shared byte
	}{{func(*Config) {}, 0x8F, 0x8F}, {system, 0, 0x8F}} {
		runWith(t, c.configure, func(h *house) {
			client := h.connect(5, "device")
			if got := client.subscribe("$share/g/$SYS/#", 0); got != c.shared {
				t.Errorf("SUBACK %#x to a share, want %#x", got, c.shared)
			}
			if got := client.subscribe("+/#", 0); got != 0 {
				t.Fatalf("SUBACK %#x", got)
			}
			client.silent() // the filter does not select them
			if got := client.subscribe("$SYS/broker/version", 1); got != c.granted {
				t.Errorf("SUBACK %#x, want %#x", got, c.granted)
			}
			if c.granted == 0 {
				client.receive(packets.Publish)
			}
			client.publish("$SYS/broker/version", "mine", 1, 1)
			if got := client.receive(packets.Puback).ReasonCode; got != 0x90 {
				t.Errorf("PUBACK %#x to a publish", got)
			}
		})
	}
}

// TestSystemTopicsCostNothingWhenNobodyListens: who has gone or unsubscribed is not told any more.
func TestSystemTopicsCostNothingWhenNobodyListens(t *testing.T) {
	runWith(t, system, func(h *house) {
		watchers := func() int {
			synctest.Wait()
			h.server.mu.Lock()
			defer h.server.mu.Unlock()
			return len(h.server.watchers)
		}
		c := h.connect(5, "a", lasting)
		c.subscribe("$SYS/broker/uptime", 0)
		c.receive(packets.Publish)
		if got := watchers(); got != 1 {
			t.Errorf("%d watchers, want 1", got)
		}
		c.gone()
		if got := watchers(); got != 0 {
			t.Errorf("%d watchers when the client is away", got)
		}
		c, _ = h.reconnect(5, "a", lasting)
		c.receive(packets.Publish)
		c.send(packets.Packet{
			FixedHeader: packets.FixedHeader{Type: packets.Unsubscribe, Qos: 1}, PacketID: 2,
			Filters: packets.Subscriptions{{Filter: "$SYS/broker/uptime"}},
		})
		if got := c.receive(packets.Unsuback).ReasonCodes[0]; got != 0 {
			t.Errorf("UNSUBACK %#x", got)
		}
		if got := watchers(); got != 0 {
			t.Errorf("%d watchers after UNSUBSCRIBE", got)
		}
		<-time.After(time.Minute)
		c.silent()
	})
}

// TestSystemTopicsTellNothingOfOtherTenants.
func TestSystemTopicsTellNothingOfOtherTenants(t *testing.T) {
	other := routertest.User(t, "other", routertest.Define(t, "alerts/#", addressing.Broadcast))
	runWith(t, func(c *Config) {
		system(c)
		mine, _ := c.Directory.Lookup("default")
		var err error
		if c.Directory, err = tenancy.NewDirectory(mine, other.Tenant); err != nil {
			t.Fatal(err)
		}
	}, func(h *house) {
		elsewhere := func(p *packets.Packet) {
			p.Connect.UsernameFlag, p.Connect.Username = true, []byte("me@other")
		}
		for _, id := range []string{"a", "b", "c"} {
			h.connect(4, id, elsewhere)
		}
		c := h.connect(4, "a")
		c.subscribe("$SYS/broker/clients/total", 0)
		if got := string(c.receive(packets.Publish).Payload); got != "1" {
			t.Errorf("%s clients, want 1", got)
		}
	})
}
