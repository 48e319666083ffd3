package session

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
	"pgregory.net/rapid"
)

// words are topics and property values: text without wildcards, never empty, which the oracle would leave out.
func words() *rapid.Generator[string] { return rapid.StringMatching(`[a-zäß€/ ]{1,20}`) }

func drawPublication(t *rapid.T) Publication {
	p := Publication{Topic: words().Draw(t, "topic"), Payload: rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "payload"),
		QoS: byte(rapid.IntRange(0, 1).Draw(t, "qos")), Retain: rapid.Bool().Draw(t, "retain"), Token: "token"}
	p.Dup = p.QoS > 0 && rapid.Bool().Draw(t, "dup")
	q := &p.Properties
	q.Text = rapid.Bool().Draw(t, "text")
	if q.Expires = rapid.Bool().Draw(t, "expires"); q.Expires {
		q.Expiry = rapid.Uint32Range(1, math.MaxUint32).Draw(t, "expiry")
	}
	for i, field := range []*[]byte{&q.ContentType, &q.ResponseTopic, &q.CorrelationData} {
		if rapid.Bool().Draw(t, "has") {
			*field = []byte(words().Draw(t, fmt.Sprint("property ", i)))
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "users") {
		q.User.Append(words().Draw(t, "name"), words().Draw(t, "value"))
	}
	return p
}

func oraclePublish(p Publication, version byte, id uint16) packets.Packet {
	o := packets.Packet{ProtocolVersion: version, TopicName: p.Topic, Payload: p.Payload, PacketID: id}
	o.FixedHeader = packets.FixedHeader{Type: packets.Publish, Qos: p.QoS, Dup: p.Dup, Retain: p.Retain}
	if version == 5 {
		o.Properties = toOracle(p.Properties)
		for _, id := range p.SubscriptionIDs {
			o.Properties.SubscriptionIdentifier = append(o.Properties.SubscriptionIdentifier, int(id))
		}
	}
	return o
}

func TestDeliverWritesWhatTheOracleWrites(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		version := rapid.SampledFrom([]byte{4, 5}).Draw(rt, "version")
		p := drawPublication(rt)
		p.SubscriptionIDs = rapid.SliceOfN(rapid.Uint32Range(1, maxRemaining), 0, 3).Draw(rt, "ids")
		r := connectedResponder(t, version)
		if err := r.session.Deliver(p); err != nil {
			rt.Fatal(err)
		}
		want := encodeAny(t, oraclePublish(p, version, 1))
		if got := r.flushed(); !bytes.Equal(got, want) {
			rt.Fatalf("got  % x\nwant % x", got, want)
		}
	})
}

func TestPublishReadsWhatTheOracleWrites(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		version := rapid.SampledFrom([]byte{4, 5}).Draw(rt, "version")
		p, id := drawPublication(rt), uint16(0)
		if p.QoS > 0 {
			id = rapid.Uint16Range(1, math.MaxUint16).Draw(rt, "id")
		}
		r := connectedResponder(t, version)
		r.onPublish = func(got Publish) {
			want := p.Properties
			if version < 5 {
				want = Properties{}
			}
			if string(got.Topic) != p.Topic || !bytes.Equal(got.Payload, p.Payload) || got.QoS != p.QoS || got.Dup != p.Dup ||
				got.Retain != p.Retain || got.PacketID != id || describeProperties(got.Properties) != describeProperties(want) {
				rt.Fatalf("got %+v, sent %+v", got, p)
			}
		}
		r.mustFeed(t, encodeAny(t, oraclePublish(p, version, id)))
		if r.publishes != 1 {
			rt.Fatal("no event")
		}
		for _, ack := range decodeAll(t, r.flushed(), version) {
			if ack.PacketID != id || ack.ReasonCode != 0 {
				rt.Fatalf("PUBACK %d with code %d", ack.PacketID, ack.ReasonCode)
			}
		}
	})
}

// TestPubacksKeepTheOrderOfPublishes answers publishes in random order, between further ones.
func TestPubacksKeepTheOrderOfPublishes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := connectedResponder(t, 5)
		r.silent = true
		var sent, acked []uint16
		codes := map[uint16]Reason{}
		open := map[Receipt]uint16{}
		r.onPublish = func(p Publish) { open[p.Receipt] = p.PacketID }
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			if len(r.receipts) == 0 || rapid.Bool().Draw(rt, "publish") {
				qos, id := byte(rapid.IntRange(0, 1).Draw(rt, "qos")), uint16(0)
				if qos == 1 {
					id = uint16(len(sent) + 1)
					sent = append(sent, id)
				}
				r.mustFeed(t, encodeAny(t, oraclePublish(Publication{Topic: "a", QoS: qos}, 5, id)))
				continue
			}
			i := rapid.IntRange(0, len(r.receipts)-1).Draw(rt, "which")
			receipt := r.receipts[i]
			r.receipts = slices.Delete(r.receipts, i, i+1)
			codes[open[receipt]] = rapid.SampledFrom([]Reason{Success, NoMatchingSubscribers, QuotaExceeded}).Draw(rt, "code")
			r.session.Acknowledge(receipt, codes[open[receipt]], "")
		}
		for _, receipt := range r.receipts {
			codes[open[receipt]] = Success
			r.session.Acknowledge(receipt, Success, "")
		}
		for _, p := range decodeAll(t, r.flushed(), 5) {
			acked = append(acked, p.PacketID)
			if Reason(p.ReasonCode) != codes[p.PacketID] {
				rt.Fatalf("PUBACK %d has code %d, not %d", p.PacketID, p.ReasonCode, codes[p.PacketID])
			}
		}
		if !slices.Equal(acked, sent) {
			rt.Fatalf("sent %v, acknowledged %v", sent, acked)
		}
		if s := r.session; s.inflight.len() != 0 || s.inflightBytes != 0 || s.unanswered != 0 || s.answered != 0 {
			rt.Fatalf("something is left in the window: %d, %d bytes", s.inflight.len(), s.inflightBytes)
		}
	})
}

// TestDeliveriesAreSettledOnce delivers, acknowledges in random order and ends at a random moment.
func TestDeliveriesAreSettledOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		window := rapid.Uint16Range(1, 5).Draw(rt, "receive maximum")
		r := connectedResponder(t, 5, func(p *packets.Packet) { p.Properties.ReceiveMaximum = window })
		r.session.firstID = rapid.SampledFrom([]uint16{1, math.MaxUint16 - 1}).Draw(rt, "first id")
		taken, open := 0, []uint16{}
		for range rapid.IntRange(1, 80).Draw(rt, "steps") {
			if len(open) > 0 && rapid.Bool().Draw(rt, "acknowledge") {
				i := rapid.IntRange(0, len(open)-1).Draw(rt, "which")
				p := packets.Packet{ProtocolVersion: 5, PacketID: open[i]}
				p.FixedHeader.Type = packets.Puback
				open = slices.Delete(open, i, i+1)
				r.mustFeed(t, encodeAny(t, p))
			} else {
				qos := byte(rapid.IntRange(0, 1).Draw(rt, "qos"))
				if err := r.session.Deliver(Publication{Topic: "a", QoS: qos, Token: taken}); err != nil {
					rt.Fatal(err)
				}
				taken++
			}
			for _, p := range decodeAll(t, r.flushed(), 5) {
				if p.FixedHeader.Qos == 0 {
					continue
				}
				if p.PacketID == 0 || slices.Contains(open, p.PacketID) {
					rt.Fatalf("id %d is 0 or in use: %v", p.PacketID, open)
				}
				open = append(open, p.PacketID)
			}
			if len(open) > int(window) {
				rt.Fatalf("%d in flight, the receive maximum is %d", len(open), window)
			}
		}
		r.session.Lost()
		if len(r.settled) != taken || len(r.disconnect) != 1 {
			rt.Fatalf("%d taken, %d settled, ended %d times", taken, len(r.settled), len(r.disconnect))
		}
	})
}

func TestRingIsAQueue(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var r ring[int]
		var model []int
		for i := range rapid.IntRange(1, 200).Draw(rt, "steps") {
			if len(model) > 0 && rapid.IntRange(0, 2).Draw(rt, "pop") == 0 {
				r.pop()
				model = model[1:]
			} else {
				r.push(i)
				model = append(model, i)
			}
			for k, want := range model {
				if got := *r.at(k); got != want {
					rt.Fatalf("entry %d is %d, not %d", k, got, want)
				}
			}
			if r.len() != len(model) {
				rt.Fatalf("%d entries, not %d", r.len(), len(model))
			}
		}
	})
}
