package load

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func mustRunSTOMP(t *testing.T, f *fakeDesk, c Config) Result {
	t.Helper()
	c.Protocol, c.Address, c.Patience = STOMP, f.start(t), cmp.Or(c.Patience, longPatience)
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEverySTOMPMessageIsCountedOnce(t *testing.T) {
	for layout, topic := range map[Layout]string{Pairs: "/queue/pair", Workers: "/queue/work", FanOut: "/topic/fan",
		Mesh: "/topic/mesh"} {
		for qos := range 2 {
			t.Run(fmt.Sprintf("%s QoS %d", layout, qos), func(t *testing.T) {
				const publishers, messages = 3, 500
				deliveries := uint64(publishers * messages)
				if layout == FanOut || layout == Mesh {
					deliveries *= publishers
				}
				r := mustRunSTOMP(t, &fakeDesk{}, Config{
					Layout: layout, Topic: topic, Publishers: publishers, Subscribers: publishers, PublishQoS: qos,
					SubscribeQoS: qos, Messages: messages, Window: 40, Outstanding: 40,
				})
				if !r.Sound() || r.Published != publishers*messages || r.Delivered != deliveries {
					t.Errorf("a correct server was blamed: %+v", r)
				}
				if want := uint64(qos * publishers * messages); r.Acknowledged != want {
					t.Errorf("acknowledged %d, want %d", r.Acknowledged, want)
				}
			})
		}
	}
}

func TestSTOMPFaultsAreCounted(t *testing.T) {
	faults := []struct {
		name string
		fate func(n int) (times int, receipt bool)
		want Result
	}{
		{"every tenth message is lost", func(n int) (int, bool) { return min(1, n%10), true }, Result{Lost: 20}},
		{"every fiftieth message comes twice", func(n int) (int, bool) { return 1 + (n+10)%50/49, true }, Result{Duplicated: 4}},
		{"the last receipt does not come", func(n int) (int, bool) { return 1, n != 199 }, Result{Unacknowledged: 1}},
	}
	for _, fault := range faults {
		for _, layout := range []Layout{Pairs, Workers} {
			t.Run(fmt.Sprintf("%s, %s", fault.name, layout), func(t *testing.T) {
				r := mustRunSTOMP(t, &fakeDesk{fate: fault.fate}, Config{
					Layout: layout, Subscribers: 1, PublishQoS: 1, SubscribeQoS: 1, Messages: 200, Outstanding: 50,
					Patience: shortPatience,
				})
				got := Result{Lost: r.Lost, Duplicated: r.Duplicated, Misordered: r.Misordered,
					Unacknowledged: r.Unacknowledged, Refused: r.Refused}
				if got != fault.want || r.Sound() {
					t.Errorf("got %+v, want %+v; sound: %v", got, fault.want, r.Sound())
				}
			})
		}
	}
}

func TestSTOMPReceiverAcknowledgesEachMessageByItsOwnName(t *testing.T) {
	f := &fakeDesk{}
	r := mustRunSTOMP(t, f, Config{Subscribers: 1, PublishQoS: 1, SubscribeQoS: 1, Messages: 300})
	f.served()
	if f.acknowledged != int(r.Delivered) || len(f.unsettled) != 0 {
		t.Errorf("%d acknowledged of %d delivered, %d are held", f.acknowledged, r.Delivered, len(f.unsettled))
	}
}

func TestLargeSTOMPMessagesFitIntoTheBuffer(t *testing.T) {
	for qos := range 2 {
		r := mustRunSTOMP(t, &fakeDesk{}, Config{
			Subscribers: 1, PublishQoS: qos, SubscribeQoS: qos, Messages: 20, PayloadSize: 1 << 20, Outstanding: 3,
		})
		if !r.Sound() || r.Delivered != 20 {
			t.Errorf("QoS %d: %+v", qos, r)
		}
	}
}

func TestSTOMPServerThatSaysNoEndsTheRun(t *testing.T) {
	cases := []struct {
		name string
		desk fakeDesk
		want string
	}{
		{"refused connection", fakeDesk{refuse: true}, "subscriber 0: the server says ERROR: not here"},
		{"denied subscription", fakeDesk{deny: true}, "subscriber 0: the server says ERROR: no such place"},
		{"connection lost", fakeDesk{hangUpAfter: 100}, "publisher 0: the server closed the connection"},
		{"another protocol", fakeDesk{greeting: "HTTP/1.1 400 Bad Request\r\n\r\n"}, "is this the server's STOMP port?"},
	}
	for i := range cases {
		c := &cases[i]
		t.Run(c.name, func(t *testing.T) {
			_, err := Run(t.Context(), Config{
				Protocol: STOMP, Address: c.desk.start(t), Subscribers: 1, PublishQoS: 1, Duration: time.Minute,
			})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v does not name %q", err, c.want)
			}
		})
	}
}

func TestSTOMPFleetIsSubscribedAndAnswers(t *testing.T) {
	f := &fakeDesk{}
	fleet, err := OpenIdle(t.Context(), IdleConfig{Protocol: STOMP, Address: f.start(t), Connections: 50, Host: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	defer fleet.Close()
	if r := fleet.Result(); r.Connections != 50 || r.Answering != 50 {
		t.Errorf("result %+v", r)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.subscriptions); n != 50 || f.host != "acme" {
		t.Errorf("%d destinations, host %q", n, f.host)
	}
}

func TestSTOMPCommandPrintsItsResult(t *testing.T) {
	for _, c := range []struct {
		flags                              []string
		receipts, acknowledged, persistent bool
	}{
		{nil, true, true, false},
		{[]string{"--durable", "--auto"}, true, false, true},
		{[]string{"--unconfirmed"}, false, true, false},
	} {
		f := &fakeDesk{}
		var out bytes.Buffer
		cmd := NewSTOMPCommand()
		cmd.SetOut(&out)
		cmd.SetArgs(append(c.flags, "--server", f.start(t), "--messages", "100", "--warm-up", "0s", "--json"))
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.served()
		var r Result
		if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.Delivered != 100 || (r.Acknowledged > 0) != c.receipts {
			t.Errorf("%v: %v: %s", c.flags, err, out.String())
		}
		if (f.acknowledged > 0) != c.acknowledged || (f.persistent > 0) != c.persistent {
			t.Errorf("%v: %d acknowledged, %d persistent", c.flags, f.acknowledged, f.persistent)
		}
	}
}
