package addressing_test

import (
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/addressing"
)

func TestDefinitionIsRefused(t *testing.T) {
	name := houseFilter(t, "a/*")
	limit := addressing.QueueSettings{MaxMessages: 1}
	for reason, d := range map[string]addressing.Definition{
		"address without a name":         {Kind: addressing.Queue},
		`address "a/*": kind is missing`: {Name: name},
		"kind Kind(9) does not exist":    {Name: name, Kind: 9},
		"distribution closest does not fit kind queue": {
			Name: name, Kind: addressing.Queue, Distribution: addressing.Closest},
		"distribution Distribution(7) does not exist": {Name: name, Kind: addressing.Anycast, Distribution: 7},
		"maxMessageSize -1 is negative":               {Name: name, Kind: addressing.Topic, MaxMessageSize: -1},
		"home does not fit kind anycast":              {Name: name, Kind: addressing.Anycast, Home: addressing.Here},
		"home 3 does not exist":                       {Name: name, Kind: addressing.Queue, Home: 3},
		"maxMessages does not fit kind anycast":       {Name: name, Kind: addressing.Anycast, Queue: limit},
		"maxBytes does not fit kind broadcast": {
			Name: name, Kind: addressing.Broadcast, Queue: addressing.QueueSettings{MaxBytes: 1}},
		"maxMessages -2 is negative": {
			Name: name, Kind: addressing.Queue, Queue: addressing.QueueSettings{MaxMessages: -2}},
		"maxBytes -3 is negative": {
			Name: name, Kind: addressing.Topic, Queue: addressing.QueueSettings{MaxBytes: -3}},
		"ttl.min 2s is greater than ttl.max 1s": {
			Name: name, Kind: addressing.Queue, Queue: addressing.QueueSettings{
				TTL: addressing.TTL{Min: 2 * time.Second, Max: time.Second}}},
		"ttl is negative": {
			Name: name, Kind: addressing.Queue, Queue: addressing.QueueSettings{TTL: addressing.TTL{Default: -1}}},
		"redeliveryDelay.multiplier 0.5 is less than 1": {
			Name: name, Kind: addressing.Queue, Queue: addressing.QueueSettings{
				Redelivery: addressing.Backoff{Multiplier: 0.5}}},
		"redeliveryDelay is negative": {
			Name: name, Kind: addressing.Queue, Queue: addressing.QueueSettings{
				Redelivery: addressing.Backoff{Initial: -1}}},
		"maxDeliveries -1 is negative": {
			Name: name, Kind: addressing.Queue, Queue: addressing.QueueSettings{MaxDeliveries: -1}},
		"consumers.max -1 is negative": {
			Name: name, Kind: addressing.Queue, Queue: addressing.QueueSettings{MaxConsumers: -1}},
		"overflow Overflow(7) does not exist": {
			Name: name, Kind: addressing.Queue, Queue: addressing.QueueSettings{Overflow: 7}},
		"dedupWindow.messages 1000001 is not within": {
			Name: name, Kind: addressing.Queue, Queue: addressing.QueueSettings{
				Dedup: addressing.Dedup{Messages: 1_000_001}}},
		"dedupWindow.time -1ns is negative": {
			Name: name, Kind: addressing.Queue, Queue: addressing.QueueSettings{
				Dedup: addressing.Dedup{Messages: 1, Time: -1}}},
		"dedupWindow.time without": {
			Name: name, Kind: addressing.Queue, Queue: addressing.QueueSettings{
				Dedup: addressing.Dedup{Time: time.Second}}},
		"consumeOnly does not fit kind topic": {
			Name: name, Kind: addressing.Topic, Queue: addressing.QueueSettings{ConsumeOnly: true}},
		"consumers.exclusive does not fit kind anycast": {
			Name: name, Kind: addressing.Anycast, Queue: addressing.QueueSettings{Exclusive: true}},
		"lastValueKey does not fit kind broadcast": {
			Name: name, Kind: addressing.Broadcast, Queue: addressing.QueueSettings{LastValueKey: "a"}},
		"nonDestructive does not fit kind anycast": {
			Name: name, Kind: addressing.Anycast, Queue: addressing.QueueSettings{NonDestructive: true}},
		"dedupWindow does not fit kind anycast": {
			Name: name, Kind: addressing.Anycast, Queue: addressing.QueueSettings{Dedup: addressing.Dedup{Messages: 1}}},
		"consumers.singleActive does not fit kind anycast": {
			Name: name, Kind: addressing.Anycast, Queue: addressing.QueueSettings{SingleActive: true}},
		"groups does not fit kind broadcast": {
			Name: name, Kind: addressing.Broadcast, Queue: addressing.QueueSettings{Groups: true}},
		"deadLetter: ": {
			Name: name, Kind: addressing.Queue, Queue: addressing.QueueSettings{DeadLetter: "a/#"}},
		"expiry does not fit kind anycast": {
			Name: name, Kind: addressing.Anycast, Queue: addressing.QueueSettings{Expiry: "a"}},
	} {
		if err := d.Validate(); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("got %v, want an error with %q", err, reason)
		}
	}
}

func TestDefinitionIsTaken(t *testing.T) {
	name := houseFilter(t, "a/#")
	limits := addressing.QueueSettings{
		MaxMessages: 10, MaxBytes: 1 << 40, Overflow: addressing.DropHead, MaxConsumers: 3, SingleActive: true, Groups: true,
		Exclusive: true, LastValueKey: "sensor", NonDestructive: true,
		Dedup:         addressing.Dedup{Messages: 1_000_000, Time: time.Hour},
		TTL:           addressing.TTL{Default: time.Hour, Min: time.Second, Max: time.Hour},
		Redelivery:    addressing.Backoff{Initial: time.Second, Multiplier: 2, Max: time.Minute},
		MaxDeliveries: 5, DeadLetter: "dead", Expiry: "late",
	}
	for _, d := range []addressing.Definition{
		{Name: name, Kind: addressing.Anycast, Distribution: addressing.Closest, MaxMessageSize: 1},
		{Name: name, Kind: addressing.Broadcast},
		{Name: name, Kind: addressing.Queue, Queue: limits},
		{Name: name, Kind: addressing.Topic, Queue: limits},
	} {
		if err := d.Validate(); err != nil {
			t.Error(err)
		}
	}
}
