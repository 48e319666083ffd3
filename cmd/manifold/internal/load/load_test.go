package load

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// How long a run waits for messages: those of a test that loses some count as lost then, and in all others none may,
// however slow the machine is.
const (
	shortPatience = time.Second
	longPatience  = time.Minute
)

// longWindow is a measured time in which something is delivered, however busy the machine is.
const longWindow = 3 * time.Second

func mustRun(t *testing.T, b *fakeBroker, c Config) Result {
	t.Helper()
	c.Address = b.start(t)
	c.Patience = cmp.Or(c.Patience, longPatience)
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryMessageIsCountedOnce(t *testing.T) {
	for _, layout := range []Layout{Pairs, FanOut, Mesh} {
		for qos := range 2 {
			t.Run(fmt.Sprintf("%s QoS %d", layout, qos), func(t *testing.T) {
				const publishers, messages = 3, 500
				perMessage := uint64(publishers)
				if layout == Pairs {
					perMessage = 1
				}
				b := &fakeBroker{}
				r := mustRun(t, b, Config{
					Layout: layout, Publishers: publishers, Subscribers: publishers, PublishQoS: qos, SubscribeQoS: qos,
					Messages: messages, Window: 40, Outstanding: 40,
				})
				if !r.Sound() {
					t.Errorf("a correct server was blamed: %+v", r)
				}
				if r.Published != publishers*messages || r.Delivered != publishers*messages*perMessage {
					t.Errorf("published %d, delivered %d", r.Published, r.Delivered)
				}
				if want := uint64(qos * publishers * messages); r.Acknowledged != want {
					t.Errorf("acknowledged %d, want %d", r.Acknowledged, want)
				}
			})
		}
	}
}

func TestFaultsAreCounted(t *testing.T) {
	var held []byte
	faults := []struct {
		name    string
		deliver func(n int, packet []byte) [][]byte
		want    Result
	}{
		{
			name: "every tenth message is lost",
			deliver: func(n int, packet []byte) [][]byte {
				if n%10 == 3 {
					return nil
				}
				return [][]byte{packet}
			},
			want: Result{Lost: 20},
		},
		{
			name: "the last message is lost",
			deliver: func(n int, packet []byte) [][]byte {
				if n == 199 {
					return nil
				}
				return [][]byte{packet}
			},
			want: Result{Lost: 1},
		},
		{
			name: "every fiftieth message comes twice",
			deliver: func(n int, packet []byte) [][]byte {
				if n%50 == 7 {
					return [][]byte{packet, packet}
				}
				return [][]byte{packet}
			},
			want: Result{Duplicated: 4},
		},
		{
			name: "one message comes after its successor",
			deliver: func(n int, packet []byte) [][]byte {
				switch n {
				case 100:
					held = slices.Clone(packet)
					return nil
				case 101:
					return [][]byte{packet, held}
				}
				return [][]byte{packet}
			},
			want: Result{Misordered: 1},
		},
	}
	for _, f := range faults {
		for qos := range 2 {
			t.Run(fmt.Sprintf("%s QoS %d", f.name, qos), func(t *testing.T) {
				b := &fakeBroker{deliver: f.deliver}
				r := mustRun(t, b, Config{Subscribers: 1, PublishQoS: qos, SubscribeQoS: qos, Messages: 200, Outstanding: 50,
					Patience: shortPatience})
				got := Result{Lost: r.Lost, Duplicated: r.Duplicated, Misordered: r.Misordered, Unacknowledged: r.Unacknowledged}
				if got != f.want {
					t.Errorf("got %+v, want %+v", got, f.want)
				}
				if r.Sound() {
					t.Error("the result calls itself sound")
				}
			})
		}
	}
}

func TestMissingPubackIsCounted(t *testing.T) {
	b := &fakeBroker{acknowledge: func(n int) bool { return n != 5 }}
	r := mustRun(t, b, Config{PublishQoS: 1, Messages: 100, Window: 20, Patience: shortPatience})
	// The window cannot move past message 5, so everything in it was acknowledged but that one.
	if r.Unacknowledged != 1 || r.Published != 5+20 {
		t.Errorf("unacknowledged %d of %d published", r.Unacknowledged, r.Published)
	}
}

func TestPublisherIsNeverFurtherAheadThanOutstanding(t *testing.T) {
	b := &fakeBroker{deliver: func(int, []byte) [][]byte { return nil }}
	r := mustRun(t, b, Config{Subscribers: 1, Messages: 1000, Outstanding: 30, Patience: shortPatience})
	if seen := b.seen(); r.Published > 30 || seen > 30 {
		t.Errorf("published %d (the server saw %d) although nothing was delivered", r.Published, seen)
	}
}

func TestSubscriberAcknowledgesEverything(t *testing.T) {
	b := &fakeBroker{}
	r := mustRun(t, b, Config{Subscribers: 1, PublishQoS: 1, SubscribeQoS: 1, Messages: 300})
	b.listener.Close()
	b.wg.Wait() // the fake has read everything up to DISCONNECT
	if b.acked != int(r.Delivered) {
		t.Errorf("%d PUBACKs for %d deliveries", b.acked, r.Delivered)
	}
}

func TestDurationIsMeasuredAfterWarmUp(t *testing.T) {
	b := &fakeBroker{}
	r := mustRun(t, b, Config{Subscribers: 1, WarmUp: time.Second, Duration: longWindow, Latency: true})
	if !r.Sound() || r.Delivered == 0 || r.Elapsed < longWindow {
		t.Errorf("unexpected result %+v", r)
	}
	if seen := b.seen(); seen <= int(r.Published) {
		t.Errorf("the warm-up was counted: %d of %d", r.Published, seen)
	}
	if r.Latency == nil || r.Latency.Count == 0 || r.Latency.P50 <= 0 || r.Latency.Max < r.Latency.P99 {
		t.Errorf("latency %+v", r.Latency)
	}
}

func TestWarmUpBeforeCountedMessages(t *testing.T) {
	r := mustRun(t, &fakeBroker{}, Config{Subscribers: 1, PublishQoS: 1, WarmUp: 30 * time.Millisecond, Messages: 100})
	if !r.Sound() || r.Published != 100 || r.Delivered != 100 || r.Acknowledged != 100 {
		t.Errorf("unexpected result %+v", r)
	}
}

func TestRateIsKept(t *testing.T) {
	const rate = 500
	begin := time.Now() // what a publisher was late with before the measured time may come within it
	r := mustRun(t, &fakeBroker{}, Config{Subscribers: 1, Rate: rate, Duration: longWindow})
	if whole := time.Since(begin); r.Delivered == 0 || float64(r.Published) > rate*whole.Seconds() {
		t.Errorf("%d published in %v at %d/s", r.Published, whole, rate)
	}
}

func TestMessagesOfOthersAreForeign(t *testing.T) {
	b := &fakeBroker{}
	b.deliver = func(n int, packet []byte) [][]byte {
		if n > 0 {
			return [][]byte{packet}
		}
		return [][]byte{newPlate(1, "bench/0", 0, 64, 0, 0).print(1, 0, schedule{}), packet}
	}
	r := mustRun(t, b, Config{Subscribers: 1, Messages: 50})
	if r.Foreign != 1 || !r.Sound() {
		t.Errorf("foreign %d, sound %v", r.Foreign, r.Sound())
	}
}

func TestBrokenServerEndsTheRun(t *testing.T) {
	cases := []struct {
		name   string
		broker fakeBroker
		want   string
	}{
		{"refused connection", fakeBroker{refuse: true}, "return code 5"},
		{"denied subscription", fakeBroker{deny: true}, `refused the subscription to "bench/0"`},
		{"connection lost", fakeBroker{hangUpAfter: 100}, "publisher 0: the server closed the connection"},
	}
	for i := range cases {
		c := &cases[i]
		t.Run(c.name, func(t *testing.T) {
			_, err := Run(t.Context(), Config{
				Address: c.broker.start(t), Subscribers: 1, PublishQoS: 1, Duration: time.Minute,
			})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v does not name %q", err, c.want)
			}
		})
	}
}

func TestCancelEndsTheRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := &fakeBroker{deliver: func(n int, packet []byte) [][]byte {
		if n == 50 {
			cancel()
		}
		return [][]byte{packet}
	}}
	if _, err := Run(ctx, Config{Address: b.start(t), Subscribers: 1, Duration: time.Minute}); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}

func TestInvalidConfigIsRefused(t *testing.T) {
	_, err := Run(t.Context(), Config{Address: "nowhere", Layout: "star", PayloadSize: 3, PublishQoS: 2})
	for _, want := range []string{"address", "star", "payload of 3", "publish QoS 2", "duration and messages"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not mention %q", err, want)
		}
	}
}

func TestIdleFleetIsSubscribedAndAnswers(t *testing.T) {
	fleet, err := OpenIdle(t.Context(), IdleConfig{Address: new(fakeBroker).start(t), Connections: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer fleet.Close()
	if r := fleet.Result(); r.Connections != 100 || r.Answering != 100 {
		t.Errorf("result %+v", r)
	}
}

func TestIdleFleetReportsRefusal(t *testing.T) {
	_, err := OpenIdle(t.Context(), IdleConfig{Address: (&fakeBroker{refuse: true}).start(t), Connections: 10})
	if err == nil || !strings.Contains(err.Error(), "return code 5") {
		t.Errorf("got %v", err)
	}
}

func TestServerOfAnotherProtocolIsNamedAsSuch(t *testing.T) {
	b := &fakeBroker{connack: []byte("HTTP/1.1 400 Bad Request\r\n\r\n")}
	_, err := Run(t.Context(), Config{Address: b.start(t), Duration: time.Minute})
	if !errors.Is(err, errNotMQTT) {
		t.Errorf("got %v", err)
	}
}

func TestSpreadMessagesAreAllAcknowledged(t *testing.T) {
	r := mustRun(t, &fakeBroker{}, Config{Layout: Mesh, Topics: 70, PublishQoS: 1, Messages: 150})
	if !r.Sound() || r.Acknowledged != 150 {
		t.Errorf("unexpected result %+v", r)
	}
}

func TestResultWithoutAnythingToCheckDoesNotClaimThatNothingWasLost(t *testing.T) {
	r := mustRun(t, &fakeBroker{}, Config{Messages: 20})
	var out strings.Builder
	if err := r.WriteText(&out); err != nil || strings.Contains(out.String(), "nothing lost") {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestCommandPrintsItsResult(t *testing.T) {
	address := new(fakeBroker).start(t)
	var out bytes.Buffer
	cmd := NewMQTTCommand()
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"--server", address, "--messages", "100", "--warm-up", "0s", "--qos", "1", "--json"})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	var r Result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.Delivered != 100 {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestFleetHearsABroadcast(t *testing.T) {
	fleet, err := OpenIdle(t.Context(), IdleConfig{Address: new(fakeBroker).start(t), Connections: 100, Broadcast: 7})
	if err != nil {
		t.Fatal(err)
	}
	defer fleet.Close()
	if b := fleet.Result().Broadcast; b == nil || b.Heard != 100 || b.Deliveries() != 700 {
		t.Errorf("broadcast %+v", b)
	}
}

func TestFleetHearsTheBroadcastOfAnother(t *testing.T) {
	broker := &fakeBroker{answered: make(chan struct{}, 20)}
	address := broker.start(t)
	var hearing sync.WaitGroup
	hearing.Go(func() {
		fleet, err := OpenIdle(t.Context(), IdleConfig{Address: address, Connections: 10, Broadcast: 7, Hear: true})
		if err != nil {
			t.Error(err)
			return
		}
		defer fleet.Close()
		if b := fleet.Result().Broadcast; b.Heard != 10 || b.Began.Before(fleet.Result().Began) {
			t.Errorf("broadcast %+v", b)
		}
	})
	for range 10 {
		<-broker.answered // each of them is subscribed, and waits for nothing else
	}
	fleet, err := OpenIdle(t.Context(), IdleConfig{Address: address, Connections: 3, Broadcast: 7})
	if err != nil {
		t.Fatal(err)
	}
	hearing.Wait()
	fleet.Close()
	if n := broker.seen(); n != 7 {
		t.Errorf("%d messages were published, want 7", n)
	}
}

func TestOnlyABroadcastOfMQTTCanBeHeard(t *testing.T) {
	for _, c := range []IdleConfig{{Hear: true}, {Hear: true, Broadcast: 1, Protocol: CoAP}} {
		c.Address, c.Connections = "127.0.0.1:1", 1
		if err := c.withDefaults().Validate(); err == nil || !strings.Contains(err.Error(), "that of others") {
			t.Errorf("got %v", err)
		}
	}
}

func TestWhoMissesPartOfABroadcastHasNotHeardIt(t *testing.T) {
	b := &fakeBroker{deliver: func(n int, packet []byte) [][]byte {
		if n == 1 {
			return nil
		}
		return [][]byte{packet, packet}
	}}
	fleet, err := OpenIdle(t.Context(), IdleConfig{Address: b.start(t), Connections: 10, Broadcast: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer fleet.Close()
	if b := fleet.Result().Broadcast; b.Heard != 0 {
		t.Errorf("broadcast %+v", b)
	}
}

func TestStalledSubscribersAreSubscribedAndNotCounted(t *testing.T) {
	b := new(fakeBroker)
	r := mustRun(t, b, Config{Subscribers: 1, Stalled: 3, Messages: 20})
	if !r.Sound() || r.Delivered != 20 {
		t.Errorf("unexpected result %+v", r)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.subscribers["bench/0\x000"]); n != 4 {
		t.Errorf("%d subscribers, want 4", n)
	}
}
