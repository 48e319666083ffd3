package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// settleAll settles n messages that a consumer gets, each with what outcome gives for its body.
func settleAll(c *routertest.Consumer, n int, outcome func(body string) router.Outcome) {
	for range n {
		d := c.Next()
		d.Settle(outcome(routertest.Body(d)))
		c.Link.Grant(1)
	}
}

func TestSendSucceedsOnlyIfAccepted(t *testing.T) {
	for name, c := range map[string]struct {
		outcome router.Outcome
		want    []string // in the error; nil for success
	}{
		"accepted": {router.Accept(), nil},
		"rejected": {router.Reject(router.Quota, "no room"), []string{
			"commands/a", "message 1 was rejected", "amqp:resource-limit-exceeded", "no room",
		}},
		"released": {router.Release(), []string{"commands/a", "message 1 was released"}},
		"modified": {router.Fail(), []string{"commands/a", "modified", "delivery-failed"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			worker := h.links.Receiver("commands/a", 1)
			var working sync.WaitGroup
			working.Go(func() { settleAll(worker, 1, func(string) router.Outcome { return c.outcome }) })
			output, err := h.send("", "commands/a", "go")
			working.Wait()
			if c.want != nil {
				wantError(t, err, c.want...)
				return
			}
			if err != nil || output != "1 message accepted\n" {
				t.Errorf("got %q, %v", output, err)
			}
		})
	}
}

func TestEachLineIsAMessage(t *testing.T) {
	h := newHouse(t)
	ear := h.links.Receiver("alerts", 10)
	output, err := h.send("one\r\n\ntwo\nlast", "alerts", "--in-flight", "1")
	if err != nil || output != "4 messages accepted\n" {
		t.Errorf("got %q, %v", output, err)
	}
	ear.Expect("one", "", "two", "last")
}

func TestFileIsOneMessage(t *testing.T) {
	h := newHouse(t)
	file := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(file, []byte("a\nb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ear := h.links.Receiver("alerts", 10)
	if _, err := h.send("not read", "alerts", "--file", file); err != nil {
		t.Fatal(err)
	}
	ear.Expect("a\nb\n")
}

// TestCountGoesBeyondAnyCredit: far more messages than the door's credit, in order, with many in flight.
func TestCountGoesBeyondAnyCredit(t *testing.T) {
	h := newHouse(t)
	const n = 2000
	worker := h.links.Receiver("commands/a", 10)
	var working sync.WaitGroup
	working.Go(func() { settleAll(worker, n, func(string) router.Outcome { return router.Accept() }) })
	output, err := h.send("", "commands/a", "tick", "--count", fmt.Sprint(n), "--in-flight", "50", "--json")
	working.Wait()
	if err != nil {
		t.Fatal(err)
	}
	var s summary
	if err := json.Unmarshal([]byte(output), &s); err != nil {
		t.Fatal(err)
	}
	if s.Address != "commands/a" || s.Sent != n || s.Accepted != n || s.Seconds <= 0 {
		t.Errorf("summary %+v", s)
	}
}

// TestInFlightIsABound: a second message waits until the first has its outcome.
func TestInFlightIsABound(t *testing.T) {
	h := newHouse(t)
	worker := h.links.Receiver("commands/a", 10)
	var working sync.WaitGroup
	working.Go(func() {
		for range 3 {
			d := worker.Next()
			if !worker.Idle() {
				t.Error("a message came while another had no outcome")
			}
			d.Settle(router.Accept())
		}
	})
	if _, err := h.send("", "commands/a", "x", "--count", "3", "--in-flight", "1"); err != nil {
		t.Error(err)
	}
	working.Wait()
}

func TestFirstRefusalEndsTheSendingAndTheRestIsCounted(t *testing.T) {
	h := newHouse(t)
	worker := h.links.Receiver("commands/a", 10)
	var working sync.WaitGroup
	working.Go(func() {
		settleAll(worker, 3, func(body string) router.Outcome {
			if body == "bad" {
				return router.Reject(router.Malformed, "not a command")
			}
			return router.Accept()
		})
	})
	input, lines := io.Pipe()
	defer lines.Close()
	working.Go(func() { fmt.Fprint(lines, "good\ngood\nbad\n") }) // then it stays open, as a terminal does
	output, err := call(t.Context(), NewSendCommand(), input, "commands/a", "--url", h.url, "--json")
	working.Wait()
	wantError(t, err, "message 3 was rejected", "amqp:invalid-field: not a command", "accepted: 2 of 3 sent")
	if !strings.Contains(output, `"sent":3,"accepted":2,"released":0,"rejected":1`) {
		t.Errorf("summary %s", output)
	}
}

func TestLackOfCreditIsSaid(t *testing.T) {
	h := newHouse(t)
	_, err := h.send("", "commands/a", "x", "--timeout", "5s") // within which it has to be connected, too
	wantError(t, err, "commands/a", "no credit", "5s", "waits for a consumer")
}

func TestLackOfAnOutcomeIsSaid(t *testing.T) {
	h := newHouse(t)
	h.links.Receiver("commands/a", 10)
	_, err := h.send("", "commands/a", "x", "--count", "5", "--timeout", "5s")
	wantError(t, err, "message 1 was sent and has no outcome after 5s", "accepted: 0 of 5 sent")
}

func TestNobodyAtABroadcastAddressIsAnError(t *testing.T) {
	h := newHouse(t)
	_, err := h.send("", "alerts", "x")
	wantError(t, err, "alerts", "released", "nobody could take it")
}

func TestSettledAsksForNoOutcome(t *testing.T) {
	h := newHouse(t)
	output, err := h.send("", "alerts", "x", "--settled")
	if err != nil || output != "1 message sent without asking for an outcome\n" {
		t.Errorf("got %q, %v", output, err)
	}
	ear := h.links.Receiver("alerts", 10)
	if _, err := h.send("", "alerts", "y", "--settled"); err != nil {
		t.Fatal(err)
	}
	ear.Expect("y")
}

func TestRefusedAddressIsSaidWithItsCondition(t *testing.T) {
	h := newHouse(t)
	_, err := h.send("", "nowhere", "x")
	wantError(t, err, "nowhere", "amqp:not-found", "no address")
	_, err = h.receive("nowhere")
	wantError(t, err, "nowhere", "amqp:not-found", "no address")
}

func TestMessageThatIsTooLargeIsSaid(t *testing.T) {
	h := newHouse(t)
	h.links.Receiver("small", 10)
	_, err := h.send("", "small", strings.Repeat("x", 200))
	wantError(t, err, "small", "amqp:link:message-size-exceeded", "100")
}

func TestInterruptedSendEndsThoughInputHangs(t *testing.T) {
	h := newHouse(t)
	ear := h.links.Receiver("alerts", 10)
	input, lines := io.Pipe()
	defer lines.Close()
	ctx, interrupt := context.WithCancel(t.Context())
	var interrupting sync.WaitGroup
	interrupting.Go(func() {
		fmt.Fprintln(lines, "first")
		ear.Expect("first")
		interrupt()
	})
	_, err := call(ctx, NewSendCommand(), input, "alerts", "--url", h.url)
	interrupting.Wait()
	wantError(t, err, "interrupted")
}
