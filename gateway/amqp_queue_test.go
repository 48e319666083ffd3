package gateway

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// amqpUser is a client of go-amqp whose failures end the test.
type amqpUser struct {
	*amqpClient
	t *testing.T
}

// startAMQP runs a gateway in memory and gives a way to connect to it.
func startAMQP(t *testing.T) (dial func() amqpUser) {
	doors := startOn(t, vfs.NewMem(), quickstart(t), slog.New(slog.DiscardHandler))
	return func() amqpUser { return enterAMQP(t, doors) }
}

func enterAMQP(t *testing.T, doors map[string]string) amqpUser {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return amqpUser{dialAMQP(ctx, t, doors["amqp"]), t}
}

func (u amqpUser) sender(target string) *goamqp.Sender {
	u.t.Helper()
	link, err := u.session.NewSender(u.ctx, target, nil)
	if err != nil {
		u.t.Fatal(err)
	}
	return link
}

// receiver attaches with a credit, of which -1 leaves it to the test.
func (u amqpUser) receiver(source string, credit int32) *goamqp.Receiver {
	u.t.Helper()
	link, err := u.attachReceiver(source, &goamqp.ReceiverOptions{Credit: credit})
	if err != nil {
		u.t.Fatal(err)
	}
	return link
}

// fill sends n messages that say their number, and waits until all have been accepted.
func (u amqpUser) fill(target string, n int) {
	u.t.Helper()
	link := u.sender(target)
	receipts := make([]goamqp.SendReceipt, n)
	for i := range n {
		var err error
		if receipts[i], err = link.SendWithReceipt(u.ctx, goamqp.NewMessage([]byte(strconv.Itoa(i))), nil); err != nil {
			u.t.Fatal(err)
		}
	}
	for i := range n {
		state, err := receipts[i].Wait(u.ctx)
		if _, ok := state.(*goamqp.StateAccepted); !ok {
			u.t.Fatalf("the outcome of message %d is %T, %v", i, state, err)
		}
	}
}

func (u amqpUser) receive(link *goamqp.Receiver) *goamqp.Message {
	u.t.Helper()
	m, err := link.Receive(u.ctx, nil)
	if err != nil {
		u.t.Fatal(err)
	}
	return m
}

// take receives the message that is expected, and accepts it.
func (u amqpUser) take(link *goamqp.Receiver, want string) {
	u.t.Helper()
	m := u.receive(link)
	if got := string(m.GetData()); got != want {
		u.t.Errorf("received %.80q, want %.80q", got, want)
	}
	if err := link.AcceptMessage(u.ctx, m); err != nil {
		u.t.Fatal(err)
	}
}

// TestAMQPCountsWhatFailed: a message that was tried comes again with its delivery count raised, one that was only
// given back comes as it was.
func TestAMQPCountsWhatFailed(t *testing.T) {
	for _, c := range []struct {
		name  string
		end   func(u amqpUser, link *goamqp.Receiver, m *goamqp.Message) error
		count uint32
	}{
		{"released", func(u amqpUser, link *goamqp.Receiver, m *goamqp.Message) error {
			return link.ReleaseMessage(u.ctx, m)
		}, 0},
		{"modified", func(u amqpUser, link *goamqp.Receiver, m *goamqp.Message) error {
			return link.ModifyMessage(u.ctx, m, nil)
		}, 0},
		{"modified, failed", func(u amqpUser, link *goamqp.Receiver, m *goamqp.Message) error {
			return link.ModifyMessage(u.ctx, m, &goamqp.ModifyMessageOptions{DeliveryFailed: true})
		}, 1},
		{"link closed", func(u amqpUser, link *goamqp.Receiver, _ *goamqp.Message) error {
			return link.Close(u.ctx)
		}, 0},
		{"connection cut", func(u amqpUser, _ *goamqp.Receiver, _ *goamqp.Message) error {
			return u.wire.Close()
		}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			dial := startAMQP(t)
			first, second := dial(), dial()
			second.fill("jobs", 1)
			link := first.receiver("jobs", -1)
			if err := link.IssueCredit(1); err != nil {
				t.Fatal(err)
			}
			m := first.receive(link)
			if m.Header != nil && m.Header.DeliveryCount != 0 {
				t.Errorf("the first delivery says that it is number %d", m.Header.DeliveryCount)
			}
			if err := c.end(first, link, m); err != nil {
				t.Fatal(err)
			}
			again := second.receive(second.receiver("jobs", 1))
			if again.Header == nil {
				again.Header = new(goamqp.MessageHeader)
			}
			if got := again.Header.DeliveryCount; got != c.count || string(again.GetData()) != "0" {
				t.Errorf("%q came again with delivery-count %d, want %d", again.GetData(), got, c.count)
			}
		})
	}
}

// TestAMQPReceiversCompete: of two receivers each has its share, and no message goes to both.
func TestAMQPReceiversCompete(t *testing.T) {
	const n = 300
	dial := startAMQP(t)
	users := []amqpUser{dial(), dial()}
	links := []*goamqp.Receiver{users[0].receiver("jobs", 1), users[1].receiver("jobs", 1)}
	users[0].fill("jobs", n)
	ctx, stop := context.WithCancel(users[0].ctx)
	defer stop()
	var mu sync.Mutex
	seen, shares := make(map[string]int), make([]int, len(links))
	var receiving sync.WaitGroup
	for i, link := range links {
		receiving.Go(func() {
			for {
				m, err := link.Receive(ctx, nil)
				if err != nil {
					return
				}
				if err := link.AcceptMessage(users[i].ctx, m); err != nil {
					t.Error(err)
				}
				mu.Lock()
				seen[string(m.GetData())]++
				shares[i]++
				if len(seen) == n {
					stop()
				}
				mu.Unlock()
			}
		})
	}
	receiving.Wait()
	if len(seen) != n || shares[0]+shares[1] != n || shares[0] == 0 || shares[1] == 0 {
		t.Errorf("%d of %d messages came, %d to one and %d to the other", len(seen), n, shares[0], shares[1])
	}
}

// TestAMQPReceiverGoesOnBeyondItsCredit: a long queue comes whole and in order to a receiver that has 10 credits and
// renews them.
func TestAMQPReceiverGoesOnBeyondItsCredit(t *testing.T) {
	const n = 3000
	doors := startOn(t, vfs.NewMem(), quickstart(t), slog.New(slog.DiscardHandler))
	u := enterAMQP(t, doors)
	u.fill("jobs", n)
	link := u.receiver("jobs", 10)
	for i := range n {
		u.take(link, strconv.Itoa(i))
	}
	if err := link.Close(u.ctx); err != nil {
		t.Fatal(err)
	}
	head := "http://" + doors["http"] + pathOf("default", "jobs", "messages/head?timeout=0")
	if code := post(t, head, ""); code != http.StatusNoContent {
		t.Errorf("after all were accepted a receive gave status %d", code)
	}
}

// TestAMQPSecondSettlesLast: a receiver with rcv-settle-mode second hears that its acceptance has been taken in.
func TestAMQPSecondSettlesLast(t *testing.T) {
	u := startAMQP(t)()
	u.fill("jobs", 20)
	link, err := u.session.NewReceiver(u.ctx, "jobs", &goamqp.ReceiverOptions{
		Credit: 3, SettlementMode: goamqp.ReceiverSettleModeSecond.Ptr(),
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		u.take(link, strconv.Itoa(i))
	}
}

// TestAMQPRelayReachesQueueAndTopic over one link without an address, one message after the other.
func TestAMQPRelayReachesQueueAndTopic(t *testing.T) {
	dial := startAMQP(t)
	u := dial()
	receivers := map[string]*goamqp.Receiver{
		"jobs": u.receiver("jobs", 10), "telemetry/a": u.receiver("telemetry/#", 10),
	}
	relay := dial().sender("")
	send := func(to string) error {
		return sendAMQP(u.ctx, relay, &goamqp.Message{
			Properties: &goamqp.MessageProperties{To: &to}, Data: [][]byte{[]byte("to " + to)},
		})
	}
	for range 10 {
		for to := range receivers {
			if err := send(to); err != nil {
				t.Fatalf("to %s: %v", to, err)
			}
		}
	}
	if err, ok := errors.AsType[*goamqp.Error](send("nowhere")); !ok || err.Condition != goamqp.ErrCondNotFound {
		t.Errorf("to nowhere: %v", err)
	}
	for to, link := range receivers {
		for range 10 {
			u.take(link, "to "+to)
		}
	}
}

// TestAMQPMessageSizeIsTheAddresses: a large message passes where the address and the door allow it, and is refused
// by the gateway, not only by the client, where the address does not.
func TestAMQPMessageSizeIsTheAddresses(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 10<<20/16)
	relayed := func(u amqpUser) error {
		to := "jobs"
		return sendAMQP(u.ctx, u.sender(""), &goamqp.Message{
			Properties: &goamqp.MessageProperties{To: &to}, Data: [][]byte{body},
		})
	}
	t.Run("refused", func(t *testing.T) {
		u := startAMQP(t)()
		if got := u.sender("jobs").MaxMessageSize(); got != 1<<20 {
			t.Errorf("the attach says %d", got)
		}
		err := relayed(u)
		if e, ok := errors.AsType[*goamqp.Error](err); !ok || e.Condition != goamqp.ErrCondMessageSizeExceeded {
			t.Errorf("the sender was told %v", err)
		}
		u.fill("jobs", 1)
		u.take(u.receiver("jobs", 1), "0")
	})
	t.Run("taken", func(t *testing.T) {
		c := quickstart(t)
		c.Limits.MaxMessageSize = 12 << 20
		u := enterAMQP(t, startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler)))
		if err := u.send("jobs", goamqp.NewMessage(body)); err != nil {
			t.Fatal(err)
		}
		if err := relayed(u); err != nil {
			t.Fatal(err)
		}
		link := u.receiver("jobs", 1)
		u.take(link, string(body))
		u.take(link, string(body))
	})
	t.Run("the door's own", func(t *testing.T) {
		c := quickstart(t)
		c.Limits.MaxMessageSize, c.AMQP.MaxMessageSize = 12<<20, 2<<20
		u := enterAMQP(t, startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler)))
		if got := u.sender("jobs").MaxMessageSize(); got != 2<<20 {
			t.Errorf("the attach says %d", got)
		}
	})
}
