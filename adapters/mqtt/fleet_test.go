package mqtt

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// TestFastPublisherIsHeldBack: it is not read from for a while, and neither disconnected nor robbed of a message.
func TestFastPublisherIsHeldBack(t *testing.T) {
	for _, version := range []byte{4, 5} {
		runWith(t, func(c *Config) { c.Limits.PublishRate = 10 }, func(h *house) {
			c := h.connect(version, "device", func(p *packets.Packet) { p.Connect.Keepalive = 1 })
			start := time.Now()
			const count = 35
			h.serving.Go(func() {
				for id := range uint16(count) {
					c.publish("alerts/x", "x", 1, id+1)
				}
			})
			for id := range uint16(count) {
				if got := c.receive(packets.Puback).PacketID; got != id+1 {
					t.Fatalf("PUBACK %d, want %d", got, id+1)
				}
			}
			if took := time.Since(start); took < 2400*time.Millisecond || took > 2600*time.Millisecond {
				t.Errorf("%d publishes at 10 a second, of which 10 at once, took %v", count, took)
			}
			c.silent()
		})
	}
}

// TestLargePublishIsPaidForAfterwards: a publish of more bytes than a second allows is taken, and what follows waits,
// also for longer than the keep-alive.
func TestLargePublishIsPaidForAfterwards(t *testing.T) {
	runWith(t, func(c *Config) { c.Limits.PublishBytes = 1000 }, func(h *house) {
		c := h.connect(4, "device", func(p *packets.Packet) { p.Connect.Keepalive = 1 })
		start := time.Now()
		c.publish("alerts/x", strings.Repeat("x", 10_000), 1, 1)
		c.receive(packets.Puback)
		if took := time.Since(start); took > 0 {
			t.Errorf("the first publish waited %v", took)
		}
		c.silent()
		if took := time.Since(start); took < 9*time.Second || took > 9100*time.Millisecond {
			t.Errorf("the next packet was read after %v, want 9s", took)
		}
	})
}

func TestPaceIsThatOfTheSettings(t *testing.T) {
	now := time.Unix(0, 0)
	p := newPace(&Limits{PublishRate: 2, PublishBytes: 1000})
	for i, c := range []struct {
		after time.Duration
		size  int
		wait  time.Duration
	}{
		{0, 1, 0}, {0, 1, 0}, {0, 1, 500 * time.Millisecond},
		{500 * time.Millisecond, 0, 500 * time.Millisecond},
		{10 * time.Second, 3000, 2 * time.Second},
		{2 * time.Second, 1, time.Millisecond},
	} {
		now = now.Add(c.after)
		if got := p.take(now, c.size); got.Round(time.Millisecond) != c.wait {
			t.Errorf("publish %d waits %v, want %v", i, got, c.wait)
		}
	}
	if newPace(&Limits{}) != nil {
		t.Error("there is a pace without a limit")
	}
}

// TestTooManyClientsAtOnceAreRefused before anybody looks at their password, and told where to go if that is set.
func TestTooManyClientsAtOnceAreRefused(t *testing.T) {
	for _, c := range []struct {
		name      string
		version   byte
		reference string
		moved     bool
		code      byte
	}{
		{"3.1.1", 4, "", false, 3},
		{"5", 5, "", false, 0x9F},
		{"5 with another server", 5, "other:1883", false, 0x9C},
		{"5 moved", 5, "other:1883", true, 0x9D},
		{"3.1.1 with another server", 4, "other:1883", false, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			runWith(t, func(config *Config) {
				l := &config.Limits
				l.ConnectRate, l.ServerReference, l.ServerMoved = 2, c.reference, c.moved
			}, func(h *house) {
				h.connect(c.version, "a")
				h.connect(c.version, "b")
				refused, ack := h.attempt(c.version, "c")
				if ack.ReasonCode != c.code || c.version == 5 && ack.Properties.ServerReference != c.reference {
					t.Errorf("CONNACK %#x with %q", ack.ReasonCode, ack.Properties.ServerReference)
				}
				refused.ends()
				<-time.After(time.Second)
				h.connect(c.version, "c")
			})
		})
	}
}

func TestLeavingClientsAreToldWhereToGo(t *testing.T) {
	for _, c := range []struct {
		reference string
		moved     bool
		code      byte
	}{{"", false, 0x8B}, {"other:1883", false, 0x9C}, {"other:1883", true, 0x9D}} {
		runWith(t, func(config *Config) {
			config.Limits.ServerReference, config.Limits.ServerMoved = c.reference, c.moved
		}, func(h *house) {
			ctx, stop := context.WithCancel(h.ctx)
			h.ctx = ctx
			client := h.connect(5, "device")
			stop()
			got := client.receive(packets.Disconnect)
			if got.ReasonCode != c.code || got.Properties.ServerReference != c.reference {
				t.Errorf("DISCONNECT %#x with %q, want %#x with %q",
					got.ReasonCode, got.Properties.ServerReference, c.code, c.reference)
			}
			client.ends()
		})
	}
}

func TestLevelsOfTopicsAreBounded(t *testing.T) {
	limited := func(c *Config) { c.Limits.MaxTopicLevels = 2 }
	const why = "3 levels, more than 2 (maxTopicLevels)"
	runWith(t, limited, func(h *house) {
		c := h.connect(5, "device")
		c.publish("alerts/a", "x", 1, 1)
		c.receive(packets.Puback)
		c.publish("alerts/a/b", "x", 1, 2)
		if ack := c.receive(packets.Puback); ack.ReasonCode != 0x90 || ack.Properties.ReasonString != why {
			t.Errorf("PUBACK %#x %q", ack.ReasonCode, ack.Properties.ReasonString)
		}
		if ack := c.ask("alerts/a/#", 1); ack.ReasonCodes[0] != 0x8F || ack.Properties.ReasonString != why {
			t.Errorf("SUBACK %#x %q", ack.ReasonCodes, ack.Properties.ReasonString)
		}
		if got := c.subscribe("alerts/#", 1); got != 1 {
			t.Errorf("SUBACK %#x", got)
		}
		dying, ack := h.attempt(5, "dying", func(p *packets.Packet) {
			p.Connect.WillFlag, p.Connect.WillTopic = true, "alerts/a/b"
		})
		if ack.ReasonCode != 0x90 || ack.Properties.ReasonString != "will: "+why {
			t.Errorf("CONNACK %#x %q", ack.ReasonCode, ack.Properties.ReasonString)
		}
		dying.ends()
	})
	runWith(t, limited, func(h *house) {
		c := h.connect(4, "device")
		c.publish("alerts/a/b", "x", 1, 2)
		c.ends()
	})
}

// TestRefusalsSayWhy to clients that want to know.
func TestRefusalsSayWhy(t *testing.T) {
	for _, wanted := range []bool{true, false} {
		run(t, func(h *house) {
			c := h.connect(5, "device", func(p *packets.Packet) { p.Properties.RequestProblemInfoFlag = !wanted })
			said := func(packet string, p packets.Packet, want string) {
				t.Helper()
				if !wanted {
					want = ""
				}
				if got := p.Properties.ReasonString; got != want {
					t.Errorf("%s says %q, want %q", packet, got, want)
				}
			}
			c.publish("nowhere", "x", 1, 1)
			said("PUBACK", c.receive(packets.Puback), "no address is declared for nowhere")
			c.publish("nowhere", "x", 2, 2)
			said("PUBREC", c.receive(packets.Pubrec), "no address is declared for nowhere")
			c.publish("alerts/x", "\xff", 1, 3, func(p *packets.Packet) {
				p.Properties.PayloadFormat, p.Properties.PayloadFormatFlag = 1, true
			})
			said("PUBACK", c.receive(packets.Puback), "the payload is not UTF-8")
			said("SUBACK", c.ask("nowhere", 1), "no address is declared for nowhere")
			said("SUBACK", c.ask("a/#/b", 1), "topic filter invalid")
			for _, filter := range []string{"alerts/1", "alerts/2", "alerts/3"} {
				said("SUBACK", c.ask(filter, 1), "")
			}
			said("SUBACK", c.ask("alerts/4", 1), "more than 3 subscriptions (maxSubscriptions)")
		})
	}
}
