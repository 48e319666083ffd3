package config

import (
	"testing"
	"time"

	"github.com/manifoldmq/manifold/addressing"
)

func TestQueueSettingsReachTheDefinition(t *testing.T) {
	c, err := Parse("f.yaml", []byte(`
addresses:
  - name: jobs
    kind: queue
    maxMessages: 10
    maxBytes: 1KiB
    overflow: dropHead
    consumers: {max: 2, singleActive: true, exclusive: true}
    groups: true
    lastValueKey: sensor
    nonDestructive: true
    consumeOnly: true
    dedupWindow: {messages: 100, time: 5m}
    ttl: {default: 1h, min: 1s, max: 2h}
    redeliveryDelay: {initial: 1s, multiplier: 1.5, max: 1m}
    maxDeliveries: 5
    deadLetter: dead
    expiry: dead
  - {name: dead, kind: queue}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := addressing.QueueSettings{
		MaxMessages: 10, MaxBytes: 1024, Overflow: addressing.DropHead, MaxConsumers: 2, SingleActive: true, Groups: true,
		Exclusive: true, LastValueKey: "sensor", NonDestructive: true, ConsumeOnly: true,
		Dedup:         addressing.Dedup{Messages: 100, Time: 5 * time.Minute},
		TTL:           addressing.TTL{Default: time.Hour, Min: time.Second, Max: 2 * time.Hour},
		Redelivery:    addressing.Backoff{Initial: time.Second, Multiplier: 1.5, Max: time.Minute},
		MaxDeliveries: 5, DeadLetter: "dead", Expiry: "dead",
	}
	if got := c.Addresses[0].Definition().Queue; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
