package network

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// crowded is a connection whose lanes for what streams are all there, with something on each that has not arrived.
func crowded() *neighbor {
	k := &neighbor{}
	for range maxStreamLanes {
		k.streamLanes = append(k.streamLanes, &lane{neighbor: k, extra: true, convoy: new(convoy), open: 1})
	}
	return k
}

// TestWhatFollowsAStreamFindsItsLane also when others have streamed there since, as long as what went there may be under way.
func TestWhatFollowsAStreamFindsItsLane(t *testing.T) {
	k := crowded()
	first := new(router.Stream)
	on := k.streamLane(parcel{delivery: router.Delivery{Stream: first}})
	for range 2 * maxStreamLanes {
		l := k.streamLane(parcel{delivery: router.Delivery{Stream: new(router.Stream)}})
		l.open++
	}
	second := new(router.Stream)
	for i, p := range []parcel{
		{after: first},
		{after: first, delivery: router.Delivery{Stream: second}},
		{after: second},
		{after: first},
	} {
		if l := k.streamLane(p); l != on {
			t.Errorf("message %d goes on another lane than what it comes after", i+1)
		}
	}
	on.open = 0 // all has arrived, and another sender has the lane
	k.streamLane(parcel{delivery: router.Delivery{Stream: new(router.Stream)}})
	if l := k.streamLane(parcel{after: second}); l != nil {
		t.Error("it goes on behind what is of others")
	}
}

// TestStreamSharesTheLaneWhereTheLeastWaits when there can be none more.
func TestStreamSharesTheLaneWhereTheLeastWaits(t *testing.T) {
	k := crowded()
	for _, l := range k.streamLanes {
		l.queue = make([]parcel, 2)
	}
	want := k.streamLanes[7]
	want.queue = want.queue[:1]
	if l := k.streamLane(parcel{delivery: router.Delivery{Stream: new(router.Stream)}}); l != want {
		t.Error("it waits behind more than it need")
	}
}

// TestMoreStreamsThanLinksHoldUpNobodyElse: the last of them waits for its turn, and not in the way of all.
func TestMoreStreamsThanLinksHoldUpNobodyElse(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		small := n.routers["b"].Receiver("orders", 10)
		streaming(n.routers["b"], "big", 1000)
		later(3 * time.Second)
		for i := range maxStreamLanes + 1 {
			begun := amqp.AppendData(nil, fmt.Append(nil, i))
			if _, got := n.routers["a"].Sender("big").Link.SendStream(1, router.Delivery{}, begun, func() {}); got != router.Taken {
				t.Fatalf("stream %d is answered %d", i, got)
			}
			synctest.Wait()
		}
		n.routers["a"].Sender("orders").Send("small")
		synctest.Wait()
		if small.Idle() {
			t.Fatal("a small message waits for large ones of others")
		}
		small.Expect("small")
	}, "a-b")
}
