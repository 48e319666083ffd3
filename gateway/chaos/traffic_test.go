package chaos

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/go-amqp"
)

const (
	address = "work"
	ahead   = 50      // messages that a sender has in flight
	credit  = 1000    // of a consumer; go-amqp forgets one for each message that is aborted
	large   = 300_000 // bytes of every so many-th message, which streams
	every   = 97
)

// ledger knows what became of each message.
type ledger struct {
	mu       sync.Mutex // guards everything below
	received map[string]int
	outcomes map[string]int // messages by how they ended
	accepted []string
	ended    int           // messages that have an outcome
	awaited  int           // of those, when progress is closed
	progress chan struct{} // nil while nobody waits
}

func newLedger() *ledger {
	return &ledger{received: make(map[string]int), outcomes: make(map[string]int)}
}

func (l *ledger) receive(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.received[name]++
}

func (l *ledger) end(name string, state amqp.DeliveryState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := state.(*amqp.StateAccepted); ok {
		l.accepted = append(l.accepted, name)
	}
	l.outcomes[strings.TrimPrefix(fmt.Sprintf("%T", state), "*encoding.State")]++
	if l.ended++; l.progress != nil && l.ended >= l.awaited {
		close(l.progress)
		l.progress = nil
	}
}

// further gives a channel that is closed when n more messages have their outcome.
func (l *ledger) further(n int) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.awaited, l.progress = l.ended+n, make(chan struct{})
	return l.progress
}

// check looks for messages that were accepted and are lost, and for those that came twice. What was accepted has been in
// somebody's hands before; what was modified or released nobody is sure of.
func (l *ledger) check(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	t.Logf("%d messages had an outcome: %v", l.ended, l.outcomes)
	for _, name := range l.accepted {
		if l.received[name] == 0 {
			t.Errorf("%s was accepted, and nobody has received it", name)
		}
	}
	for name, n := range l.received {
		if n > 1 {
			t.Errorf("%s was received %d times", name, n)
		}
	}
	if len(l.accepted) == 0 || l.outcomes["Rejected"] > 0 {
		t.Errorf("%d messages were accepted, and some rejected: %v", len(l.accepted), l.outcomes)
	}
}

// session connects a client to a router.
func session(ctx context.Context, t *testing.T, host string) *amqp.Session {
	t.Helper()
	conn, err := amqp.Dial(ctx, "amqp://"+host, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	s, err := conn.NewSession(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// consume accepts what comes until ctx ends.
func consume(ctx context.Context, t *testing.T, l *ledger, in *amqp.Receiver) {
	for {
		m, err := in.Receive(ctx, nil)
		if err != nil {
			if ctx.Err() == nil {
				t.Errorf("a consumer: %v", err)
			}
			return
		}
		name, filling, _ := bytes.Cut(m.GetData(), []byte(" "))
		if len(bytes.Trim(filling, ".")) > 0 {
			t.Errorf("%s arrived damaged", name)
		}
		l.receive(string(name))
		if err := in.AcceptMessage(ctx, m); err != nil && ctx.Err() == nil {
			t.Errorf("accepting: %v", err)
		}
	}
}

// produce sends one message after the other, unsettled, until stop is closed, and waits for all outcomes. Some are so
// large that they stream.
func produce(ctx context.Context, t *testing.T, stop <-chan struct{}, l *ledger, sender string, out *amqp.Sender) {
	type sent struct {
		name    string
		receipt amqp.SendReceipt
	}
	flight := make(chan sent, ahead)
	var waiting sync.WaitGroup
	waiting.Go(func() {
		for x := range flight {
			state, err := x.receipt.Wait(ctx)
			if err != nil && state == nil {
				t.Errorf("%s has no outcome: %v", x.name, err)
				return
			}
			l.end(x.name, state)
		}
	})
	defer waiting.Wait()
	defer close(flight)
	for i := 0; ; i++ {
		select {
		case <-stop: // only here: a client whose context ends in the middle of a message leaves it unfinished
			return
		default:
		}
		name := fmt.Sprintf("%s-%d", sender, i)
		body := []byte(name + " ")
		if i%every == every-1 {
			body = append(body, bytes.Repeat([]byte("."), large)...)
		}
		receipt, err := out.SendWithReceipt(ctx, amqp.NewMessage(body), nil)
		if err != nil {
			if ctx.Err() == nil {
				t.Errorf("sending %s: %v", name, err)
			}
			return
		}
		select {
		case flight <- sent{name, receipt}:
		case <-ctx.Done():
		}
	}
}
