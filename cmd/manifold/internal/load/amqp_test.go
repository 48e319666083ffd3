package load

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

func mustRunAMQP(t *testing.T, f *fakeRouter, c Config) Result {
	t.Helper()
	c.Protocol, c.Address, c.Patience = AMQP, f.start(t), cmp.Or(c.Patience, longPatience)
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryAMQPMessageIsCountedOnce(t *testing.T) {
	for _, layout := range []Layout{Pairs, Workers} {
		for qos := range 2 {
			t.Run(fmt.Sprintf("%s QoS %d", layout, qos), func(t *testing.T) {
				const publishers, messages = 3, 500
				f := &fakeRouter{}
				r := mustRunAMQP(t, f, Config{
					Layout: layout, Publishers: publishers, Subscribers: publishers, PublishQoS: qos, SubscribeQoS: qos,
					Messages: messages, Window: 40, Outstanding: 40,
				})
				if !r.Sound() || r.Published != publishers*messages || r.Delivered != publishers*messages {
					t.Errorf("a correct server was blamed: %+v", r)
				}
				if want := uint64(qos * publishers * messages); r.Acknowledged != want {
					t.Errorf("acknowledged %d, want %d", r.Acknowledged, want)
				}
			})
		}
	}
}

func TestAMQPFaultsAreCounted(t *testing.T) {
	faults := []struct {
		name string
		fate func(n int) (int, frame.StateKind)
		want Result
	}{
		{"every tenth message is lost", func(n int) (int, frame.StateKind) {
			return min(1, n%10), frame.Accepted
		}, Result{Lost: 20}},
		{"every fiftieth message comes twice", func(n int) (int, frame.StateKind) {
			return 1 + (n+10)%50/49, frame.Accepted
		}, Result{Duplicated: 4}},
		{"one message is released", func(n int) (int, frame.StateKind) {
			if n == 7 {
				return 0, frame.Released
			}
			return 1, frame.Accepted
		}, Result{Lost: 1, Refused: 1}},
	}
	for _, fault := range faults {
		for _, layout := range []Layout{Pairs, Workers} {
			t.Run(fmt.Sprintf("%s, %s", fault.name, layout), func(t *testing.T) {
				r := mustRunAMQP(t, &fakeRouter{fate: fault.fate}, Config{
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

func TestReceiverAcceptsWhatIsUnsettled(t *testing.T) {
	f := &fakeRouter{}
	r := mustRunAMQP(t, f, Config{Subscribers: 1, PublishQoS: 1, SubscribeQoS: 1, Messages: 300})
	f.listener.Close()
	f.wg.Wait() // the fake has read everything up to the end
	if f.accepted != int(r.Delivered) {
		t.Errorf("%d accepted of %d delivered", f.accepted, r.Delivered)
	}
}

func TestLargeMessagesComeInPieces(t *testing.T) {
	for qos := range 2 {
		r := mustRunAMQP(t, &fakeRouter{}, Config{
			Subscribers: 1, PublishQoS: qos, SubscribeQoS: qos, Messages: 20, PayloadSize: 1 << 20, Outstanding: 3,
			Durable: true,
		})
		if !r.Sound() || r.Delivered != 20 {
			t.Errorf("QoS %d: %+v", qos, r)
		}
	}
}

func TestSenderWithoutReceiversCountsAnswers(t *testing.T) {
	r := mustRunAMQP(t, &fakeRouter{}, Config{Layout: Workers, PublishQoS: 1, Messages: 100})
	if !r.Sound() || r.Acknowledged != 100 {
		t.Errorf("unexpected result %+v", r)
	}
}

func TestAnswersAreTimedWithTheLatency(t *testing.T) {
	for _, asked := range []bool{true, false} {
		r := mustRunAMQP(t, &fakeRouter{}, Config{
			Subscribers: 1, PublishQoS: 1, SubscribeQoS: 1, Messages: 50, Rate: 1000, Latency: asked,
		})
		c := r.Confirmation
		if (c != nil) != asked || asked && (c.Count != 50 || c.P50 <= 0 || c.Max < c.P99) {
			t.Errorf("asked for: %v; confirmation %+v", asked, c)
		}
	}
}

func TestRefusedLinkEndsTheRun(t *testing.T) {
	f := &fakeRouter{refuse: true}
	_, err := Run(t.Context(), Config{Protocol: AMQP, Address: f.start(t), Subscribers: 1, Duration: time.Minute})
	if err == nil || !strings.Contains(err.Error(), "not here") {
		t.Errorf("got %v", err)
	}
}

func TestServerThatIsNotAMQPEndsTheRun(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	defer serving.Wait()
	defer ln.Close()
	serving.Go(func() {
		if nc, err := ln.Accept(); err == nil {
			_, _ = nc.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			nc.Close()
		}
	})
	_, err = Run(t.Context(), Config{Protocol: AMQP, Address: ln.Addr().String(), Duration: time.Minute})
	if err == nil || !strings.Contains(err.Error(), "publisher 0: open") {
		t.Errorf("got %v", err)
	}
}

func TestAMQPFleetHasTwoLinksEachAndAnswers(t *testing.T) {
	f := &fakeRouter{}
	fleet, err := OpenIdle(t.Context(), IdleConfig{Protocol: AMQP, Address: f.start(t), Connections: 50})
	if err != nil {
		t.Fatal(err)
	}
	defer fleet.Close()
	if r := fleet.Result(); r.Connections != 50 || r.Answering != 50 {
		t.Errorf("result %+v", r)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.receivers); n != 50 {
		t.Errorf("receivers at %d addresses", n)
	}
}

func TestBodyIsFoundBehindOtherSections(t *testing.T) {
	content := bytes.Repeat([]byte("x"), 300)
	short := content[:20]
	header := amqp.Header{Durable: true, Priority: 9}.Append(nil)
	cases := []struct {
		name    string
		message []byte
		want    []byte
	}{
		{"alone", amqp.AppendData(nil, content), content},
		{"short", amqp.AppendData(nil, short), short},
		{"after a header", amqp.AppendData(bytes.Clone(header), content), content},
		{"cut off", amqp.AppendData(bytes.Clone(header), content)[:100], content[:100-len(header)-8]},
		{"a value", amqp.AppendValueString(nil, "text"), nil},
		{"nothing", nil, nil},
	}
	for _, c := range cases {
		if got := bodyOf(c.message); !bytes.Equal(got, c.want) {
			t.Errorf("%s: %d bytes, want %d", c.name, len(got), len(c.want))
		}
	}
}

func TestAMQPCommandPrintsItsResult(t *testing.T) {
	address := new(fakeRouter).start(t)
	for _, flags := range [][]string{nil, {"--settled"}} {
		var out bytes.Buffer
		cmd := NewAMQPCommand()
		cmd.SetOut(&out)
		cmd.SetArgs(append(flags, "--server", address, "--messages", "100", "--warm-up", "0s", "--json"))
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		var r Result
		if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.Delivered != 100 || (r.Acknowledged == 0) == (flags == nil) {
			t.Errorf("%v: %s", err, out.String())
		}
	}
}
