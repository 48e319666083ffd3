//go:build interop

package interop

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/go-amqp"
	"go.uber.org/goleak"
)

// The tests of this file claim what go-amqp's own tests claim that need a broker (integration_test.go there).

// dial connects go-amqp. At the test's end the connection is closed, and none of the client's goroutines may be left.
func dial(t *testing.T, g *gateway, options *amqp.ConnOptions) *amqp.Conn {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	conn, err := amqp.Dial(patiently(t), "amqp://"+g.doors["amqp"], options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// patiently gives a context for one operation, or for a few.
func patiently(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func session(t *testing.T, conn *amqp.Conn, options *amqp.SessionOptions) *amqp.Session {
	t.Helper()
	s, err := conn.NewSession(patiently(t), options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sender(t *testing.T, s *amqp.Session, address string, options *amqp.SenderOptions) *amqp.Sender {
	t.Helper()
	link, err := s.NewSender(patiently(t), address, options)
	if err != nil {
		t.Fatal(err)
	}
	return link
}

func receiver(t *testing.T, s *amqp.Session, address string, options *amqp.ReceiverOptions) *amqp.Receiver {
	t.Helper()
	link, err := s.NewReceiver(patiently(t), address, options)
	if err != nil {
		t.Fatal(err)
	}
	return link
}

// send sends bodies one after the other, each once the one before is accepted.
func send(t *testing.T, link *amqp.Sender, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if err := link.Send(patiently(t), amqp.NewMessage([]byte(body)), nil); err != nil {
			t.Fatalf("send %q: %v", body, err)
		}
	}
}

// receive receives bodies in this order, and accepts them.
func receive(t *testing.T, link *amqp.Receiver, bodies ...string) {
	t.Helper()
	ctx := patiently(t)
	for _, want := range bodies {
		m, err := link.Receive(ctx, nil)
		if err != nil {
			t.Fatalf("receive %q: %v", want, err)
		}
		if got := string(m.GetData()); got != want {
			t.Fatalf("received %q, want %q", got, want)
		}
		if err := link.AcceptMessage(ctx, m); err != nil {
			t.Fatalf("accept %q: %v", want, err)
		}
	}
}

// closeAll closes links, sessions and connections, which must not fail.
func closeAll(t *testing.T, what ...interface{ Close(context.Context) error }) {
	t.Helper()
	for _, w := range what {
		if err := w.Close(patiently(t)); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}

// bodiesNamed makes n bodies.
func bodiesNamed(name string, n int) []string {
	bodies := make([]string, n)
	for i := range bodies {
		bodies[i] = fmt.Sprintf("%s %d", name, i)
	}
	return bodies
}

func TestGoAMQPRoundTrip(t *testing.T) {
	g := start(t, t.TempDir())
	for _, c := range []struct{ sessions, messages int }{{1, 1}, {1, 3}, {1, 1000}, {10, 1}} {
		t.Run(fmt.Sprintf("%d sessions, %d messages", c.sessions, c.messages), func(t *testing.T) {
			conn := dial(t, g, &amqp.ConnOptions{MaxSessions: uint16(c.sessions)})
			for range c.sessions {
				roundTrip(t, session(t, conn, nil), "queues/"+strings.ReplaceAll(t.Name(), "/", " "), c.messages)
			}
		})
	}
}

// roundTrip sends messages from up to 20 goroutines at once, and receives them meanwhile with a credit of 10.
func roundTrip(t *testing.T, s *amqp.Session, address string, n int) {
	t.Helper()
	in, out := sender(t, s, address, nil), receiver(t, s, address, &amqp.ReceiverOptions{Credit: 10})
	ctx := patiently(t)
	var wg sync.WaitGroup
	places := make(chan struct{}, 20)
	for i := range n {
		wg.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			m := amqp.NewMessage(fmt.Append(nil, i))
			m.ApplicationProperties = map[string]any{"i": i}
			if err := in.Send(ctx, m, nil); err != nil {
				t.Errorf("send %d: %v", i, err)
			}
		})
	}
	seen := make(map[int64]bool)
	for range n {
		m, err := out.Receive(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		i, ok := m.ApplicationProperties["i"].(int64)
		if !ok || seen[i] || m.DeliveryTag == nil || string(m.GetData()) != fmt.Sprint(i) {
			t.Fatalf("received %v %q with tag %x", m.ApplicationProperties, m.GetData(), m.DeliveryTag)
		}
		seen[i] = true
		if err := out.AcceptMessage(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	closeAll(t, in, out, s)
}

func TestGoAMQPReceivesWhatWaited(t *testing.T) {
	g := start(t, t.TempDir())
	for name, mode := range map[string]amqp.SenderSettleMode{
		"settled":   amqp.SenderSettleModeSettled,
		"unsettled": amqp.SenderSettleModeUnsettled,
		"mixed":     amqp.SenderSettleModeMixed,
	} {
		t.Run(name, func(t *testing.T) {
			s := session(t, dial(t, g, nil), nil)
			in, bodies := sender(t, s, "queues/"+name, nil), bodiesNamed("waits", 20)
			send(t, in, bodies...)
			closeAll(t, in)
			out := receiver(t, s, "queues/"+name, &amqp.ReceiverOptions{Credit: 10, RequestedSenderSettleMode: &mode})
			receive(t, out, bodies...)
			closeAll(t, out)
		})
	}
}

func TestGoAMQPReceiverSettlesSecond(t *testing.T) {
	g := start(t, t.TempDir())
	s := session(t, dial(t, g, nil), nil)
	bodies := bodiesNamed("second", 1000)
	in := sender(t, s, "queues/second", nil)
	out := receiver(t, s, "queues/second", &amqp.ReceiverOptions{SettlementMode: amqp.ReceiverSettleModeSecond.Ptr()})
	var wg sync.WaitGroup
	wg.Go(func() {
		for _, body := range bodies {
			if err := in.Send(t.Context(), amqp.NewMessage([]byte(body)), nil); err != nil {
				t.Errorf("send: %v", err)
				return
			}
		}
	})
	receive(t, out, bodies...)
	wg.Wait()
	closeAll(t, in, out)
}

func TestGoAMQPSenderAndReceiverSettleSecond(t *testing.T) {
	g := start(t, t.TempDir())
	second := amqp.ReceiverSettleModeSecond
	for name, m := range map[string]*amqp.Message{
		"data": amqp.NewMessage([]byte("hello")), "null": {Value: amqp.Null{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := session(t, dial(t, g, nil), nil)
			in := sender(t, s, "queues/"+name, &amqp.SenderOptions{
				SettlementMode: amqp.SenderSettleModeUnsettled.Ptr(), RequestedReceiverSettleMode: &second,
			})
			if err := in.Send(patiently(t), m, nil); err != nil {
				t.Fatal(err)
			}
			out := receiver(t, s, "queues/"+name, &amqp.ReceiverOptions{SettlementMode: &second})
			got, err := out.Receive(patiently(t), nil)
			if err != nil || string(got.GetData()) != string(m.GetData()) || got.Value != nil {
				t.Fatalf("received %+v, %v", got, err)
			}
			if err := out.AcceptMessage(patiently(t), got); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestGoAMQPForwardsWithinItsCredit(t *testing.T) {
	g := start(t, t.TempDir())
	s := session(t, dial(t, g, nil), nil)
	const credit = 10
	bodies := bodiesNamed("forwarded", 2*credit)
	send(t, sender(t, s, "queues/from", nil), bodies...)
	to := sender(t, s, "queues/to", nil)
	from := receiver(t, s, "queues/from", &amqp.ReceiverOptions{Credit: credit})
	for batch := range slices.Chunk(bodies, credit) {
		var held []*amqp.Message
		for range batch {
			m, err := from.Receive(patiently(t), nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := to.Send(patiently(t), m, nil); err != nil {
				t.Fatal(err)
			}
			held = append(held, m)
		}
		for _, m := range held {
			if err := from.AcceptMessage(patiently(t), m); err != nil {
				t.Fatal(err)
			}
		}
	}
	receive(t, receiver(t, s, "queues/to", nil), bodies...)
}

func TestGoAMQPLinksUpToTheHandleMax(t *testing.T) {
	g := start(t, t.TempDir())
	for _, c := range []struct {
		most, links, closed int
		refused             bool
	}{{4, 5, 0, true}, {5, 5, 0, false}, {4, 5, 1, false}, {4, 8, 4, false}, {62, 64, 2, false}, {62, 64, 1, true}} {
		t.Run(fmt.Sprintf("%d of %d, %d closed", c.links, c.most, c.closed), func(t *testing.T) {
			s := session(t, dial(t, g, nil), &amqp.SessionOptions{MaxLinks: uint32(c.most)})
			refused := 0
			for i := range c.links {
				link, err := s.NewSender(patiently(t), "queues/handles", nil)
				if err != nil && !strings.Contains(err.Error(), fmt.Sprintf("handle max (%d)", c.most)) {
					t.Fatal(err)
				}
				if err != nil {
					refused++
				} else if i < c.closed {
					closeAll(t, link)
				}
			}
			if (refused == 1) != c.refused || refused > 1 {
				t.Errorf("%d links were refused", refused)
			}
		})
	}
}

func TestGoAMQPLinkNameIsTaken(t *testing.T) {
	g := start(t, t.TempDir())
	s := session(t, dial(t, g, nil), nil)
	link := sender(t, s, "queues/named", &amqp.SenderOptions{Name: "a"})
	if _, err := s.NewSender(patiently(t), "queues/named", &amqp.SenderOptions{Name: "a"}); err == nil {
		t.Error("a second link has the same name")
	}
	send(t, link, "the first goes on")
	receive(t, receiver(t, s, "queues/named", &amqp.ReceiverOptions{Name: "a"}), "the first goes on")
}

func TestGoAMQPClosesLinkSessionAndConnection(t *testing.T) {
	g := start(t, t.TempDir())
	for range 20 {
		conn := dial(t, g, nil)
		s := session(t, conn, nil)
		link := receiver(t, s, "queues/closed", nil)
		closeAll(t, link)
		var linkError *amqp.LinkError
		if _, err := link.Receive(patiently(t), nil); !errors.As(err, &linkError) {
			t.Errorf("a closed link: %v", err)
		}
		link = receiver(t, s, "queues/closed", nil)
		closeAll(t, s)
		var sessionError *amqp.SessionError
		if _, err := link.Receive(patiently(t), nil); !errors.As(err, &sessionError) {
			t.Errorf("a closed session: %v", err)
		}
		link = receiver(t, session(t, conn, nil), "queues/closed", nil)
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		var connError *amqp.ConnError
		if _, err := link.Receive(patiently(t), nil); !errors.As(err, &connError) {
			t.Errorf("a closed connection: %v", err)
		}
	}
}

func TestGoAMQPOpensAndClosesSessions(t *testing.T) {
	g := start(t, t.TempDir())
	conn := dial(t, g, nil)
	for range 10 {
		var sessions []*amqp.Session
		for range 10 {
			sessions = append(sessions, session(t, conn, nil))
		}
		for _, s := range sessions {
			closeAll(t, s)
		}
	}
	ctx := patiently(t)
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			s, err := conn.NewSession(ctx, nil)
			if err == nil {
				err = s.Close(ctx)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestGoAMQPGivesUpWithItsContext(t *testing.T) {
	g := start(t, t.TempDir())
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := amqp.Dial(cancelled, "amqp://"+g.doors["amqp"], nil); err == nil {
		t.Error("it dialled")
	}
	conn := dial(t, g, nil)
	for range 1000 {
		if _, err := conn.NewSession(cancelled, nil); !errors.Is(err, context.Canceled) {
			t.Fatalf("session: %v", err)
		}
	}
	if err := conn.Close(); err != nil { // asked for a session now, this release would end those that it never began
		t.Error(err)
	}
	conn = dial(t, g, nil)
	s := session(t, conn, nil)
	for range 100 {
		if _, err := s.NewReceiver(cancelled, "queues/given up", nil); !errors.Is(err, context.Canceled) {
			t.Fatalf("receiver: %v", err)
		}
	}
	send(t, sender(t, s, "queues/given up", nil), "kept")
	receive(t, receiver(t, s, "queues/given up", nil), "kept")
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

func TestGoAMQPSendersShareOneSession(t *testing.T) {
	g := start(t, t.TempDir())
	s := session(t, dial(t, g, &amqp.ConnOptions{SASLType: amqp.SASLTypeAnonymous()}), nil)
	body := slices.Repeat([]byte("0123456789"), 1024)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			for range 10 {
				link, err := s.NewSender(ctx, "queues/shared", nil)
				if err == nil {
					err = errors.Join(link.Send(ctx, amqp.NewMessage(body), nil), link.Close(ctx))
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestGoAMQPDrainsItsCredit(t *testing.T) {
	g := start(t, t.TempDir())
	s := session(t, dial(t, g, nil), nil)
	in := sender(t, s, "queues/drained", nil)
	out := receiver(t, s, "queues/drained", &amqp.ReceiverOptions{
		Credit: -1, SettlementMode: amqp.ReceiverSettleModeSecond.Ptr(),
	})
	send(t, in, "wanted")
	if err := out.IssueCredit(2); err != nil {
		t.Fatal(err)
	}
	receive(t, out, "wanted")
	if err := out.DrainCredit(patiently(t), nil); err != nil {
		t.Fatal(err)
	}
	send(t, in, "not asked for")
	probe := receiver(t, s, "queues/drained", nil) // it would not get what the drained link still takes
	receive(t, probe, "not asked for")
	if m := out.Prefetched(); m != nil {
		t.Errorf("received %q without credit", m.GetData())
	}
}

func TestGoAMQPEveryTypePasses(t *testing.T) {
	g := start(t, t.TempDir())
	s := session(t, dial(t, g, nil), nil)
	in, out := sender(t, s, "queues/types", nil), receiver(t, s, "queues/types", nil)
	now := time.UnixMilli(1_700_000_000_000)
	simple := []any{
		nil, true, false, uint8(255), uint16(65_535), uint32(1), uint32(1 << 31), uint64(0), uint64(1 << 63),
		int8(-128), int16(-32_768), int32(-1), int32(-1 << 31), int64(1), int64(-1 << 63), float32(0.5), -0.25,
		now, amqp.UUID{1, 2, 3}, []byte{0, 255}, "naïve 道 🚀",
	}
	compound := []any{
		[]any{int64(1), "two", []any{true}}, map[any]any{"k": int64(1), int64(2): "v"},
		map[string]any{"k": map[string]any{"n": int64(1)}},
		[]int32{1, -1}, []string{"a", "b"}, []amqp.Symbol{"a"}, []amqp.UUID{{1}},
	}
	for _, v := range slices.Concat(simple, compound) {
		m := &amqp.Message{Value: v, Annotations: amqp.Annotations{"x-opt-v": v}}
		if v == nil {
			m.Value = amqp.Null{}
		}
		if slices.ContainsFunc(simple, func(s any) bool { return reflect.DeepEqual(s, v) }) {
			m.ApplicationProperties = map[string]any{"v": v}
		}
		if err := in.Send(patiently(t), m, nil); err != nil {
			t.Fatalf("send %T: %v", v, err)
		}
		got, err := out.Receive(patiently(t), nil)
		if err != nil {
			t.Fatalf("receive %T: %v", v, err)
		}
		if !reflect.DeepEqual(got.Value, v) || !reflect.DeepEqual(got.Annotations, m.Annotations) ||
			!reflect.DeepEqual(got.ApplicationProperties, m.ApplicationProperties) {
			t.Errorf("sent %#v, received %#v %#v %#v", v, got.Value, got.Annotations, got.ApplicationProperties)
		}
		if err := out.AcceptMessage(patiently(t), got); err != nil {
			t.Fatal(err)
		}
	}
}
