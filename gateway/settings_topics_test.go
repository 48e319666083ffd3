package gateway

import (
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// onTopic starts a gateway whose "q" is a topic with a setting, used over a protocol.
func onTopic(t *testing.T, protocol, setting string) (settled, map[string]string) {
	t.Helper()
	doors := startOn(t, vfs.NewMem(), addresses(t, "topic", setting), slog.New(slog.DiscardHandler))
	return newSettled(t, protocol, doors), doors
}

// TestFullSubscriptionHarmsNobody: the limits are those of each subscription. One that is full misses messages; its
// senders, and the subscriptions beside it, do not notice.
func TestFullSubscriptionHarmsNobody(t *testing.T) {
	for _, protocol := range []string{amqp1, httpSend} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			s, doors := onTopic(t, protocol, "maxMessages: 2")
			s.takes("q::read")
			s.takes("q::left alone")
			for _, body := range []string{"1", "2", "3"} {
				s.sends(note{body: body})
				s.takes("q::read", body)
			}
			s.takes("q::left alone", "1", "2")
			if _, page := get(t, "http://"+doors["admin"]+"/metrics"); !strings.Contains(page,
				"\nmanifold_queue_dropped_total{queue=\"q::left alone\",tenant=\"default\"} 1\n") {
				t.Error("that it has missed a message is not counted")
			}
		})
	}
}

// TestExclusiveSubscriptionHasOneConsumer, until that one leaves.
func TestExclusiveSubscriptionHasOneConsumer(t *testing.T) {
	for _, protocol := range strings.Split(everywhere, ", ") {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			s, _ := onTopic(t, protocol, "overflow: reject")
			only := s.other.receiver("q::mine", 1) // not a shared one
			_, _, err := s.receive("q::mine")
			said := func(reason string) bool { return strings.Contains(err.Error(), reason) }
			if err == nil || !slices.ContainsFunc([]string{"resource-locked", "status 409", "conflict"}, said) {
				t.Errorf("a second consumer was told %v", err)
			}
			s.sends(note{body: "1"})
			s.other.take(only, "1")
		})
	}
}

// TestSharedSubscriptionIsDividedUp: its members get each message once, all together, over AMQP as over MQTT.
func TestSharedSubscriptionIsDividedUp(t *testing.T) {
	const n = 20
	join := map[string]func(settled, map[string]string, chan<- string){
		amqp1: func(s settled, _ map[string]string, came chan<- string) {
			link, err := s.other.attach("q::group", 3)
			if err != nil {
				s.t.Fatal(err)
			}
			s.t.Cleanup(s.other.each(link, func(body string) { came <- body }))
		},
		mqtt5: func(s settled, doors map[string]string, came chan<- string) {
			client := dialMQTT(s.t, mqtt5, doors["mqtt"], "", func(a arrival) { came <- string(a.payload) })
			if err := client.subscribe("$share/group/q"); err != nil {
				s.t.Fatal(err)
			}
		},
	}
	for protocol, join := range join {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			s, doors := onTopic(t, amqp1, "overflow: reject")
			came := [2]chan string{make(chan string, n), make(chan string, n)}
			for _, c := range came {
				join(s, doors, c)
			}
			for i := range n {
				s.sends(note{body: strconv.Itoa(i)})
			}
			seen, share := make(map[string]bool), [2]int{}
			for len(seen) < n {
				var body string
				select {
				case body = <-came[0]:
					share[0]++
				case body = <-came[1]:
					share[1]++
				case <-s.other.ctx.Done():
					t.Fatalf("%d of %d messages came", len(seen), n)
				}
				if seen[body] {
					t.Errorf("%q came twice", body)
				}
				seen[body] = true
			}
			if share[0] == 0 || share[1] == 0 {
				t.Errorf("the shares are %d", share)
			}
		})
	}
}

// each receives and accepts until it is told to stop, which waits.
func (p amqpParty) each(link *goamqp.Receiver, do func(body string)) (stop func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			m, err := link.Receive(p.ctx, nil)
			if err == nil {
				err = link.AcceptMessage(p.ctx, m)
			}
			if err != nil {
				return
			}
			do(string(m.GetData()))
		}
	}()
	return func() {
		p.conn.Close()
		<-ended
	}
}

// TestRetainedMessageExpires: who subscribes gets the last message of a topic with the time that it has left, and not
// when that is over.
func TestRetainedMessageExpires(t *testing.T) {
	for _, protocol := range []string{httpSend, stomp12} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			s, doors := onTopic(t, protocol, "overflow: reject")
			s.sends(note{body: "replaced", retain: true})
			s.sends(note{body: "kept", retain: true, ttl: time.Hour})
			for _, arrive := range []func() (string, time.Duration){s.firstOverAMQP, func() (string, time.Duration) {
				return s.firstOverMQTT(doors["mqtt"])
			}} {
				if body, left := arrive(); body != "kept" || left < time.Minute || left > time.Hour {
					t.Errorf("%q came with %v left", body, left)
				}
			}
			s.sends(note{body: "short", retain: true, ttl: 20 * time.Millisecond})
			for body, live := "", 0; body != strconv.Itoa(live); { // until it does not come any more
				live++
				link := s.other.receiver("q", 10)
				s.sends(note{body: strconv.Itoa(live)})
				m := s.other.amqpUser.receive(link)
				if body = string(m.GetData()); body != "short" && body != strconv.Itoa(live) {
					t.Errorf("%q came", body)
				}
				s.leaves(link)
			}
		})
	}
}

func (s settled) firstOverAMQP() (string, time.Duration) {
	n, h, err := s.other.receive("q")
	if err == nil {
		err = h.accept()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return n.body, n.ttl
}

func (s settled) firstOverMQTT(door string) (string, time.Duration) {
	came := make(chan arrival, 1)
	client := dialMQTT(s.t, mqtt5, door, "", func(a arrival) { came <- a })
	defer client.close()
	if err := client.subscribe("q"); err != nil {
		s.t.Fatal(err)
	}
	select {
	case a := <-came:
		return string(a.payload), time.Duration(a.seconds) * time.Second
	case <-s.other.ctx.Done():
		s.t.Fatal("nothing came")
		return "", 0
	}
}
