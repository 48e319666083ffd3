package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router"
)

func TestReceiveSettlesAsItWasTold(t *testing.T) {
	for flag, want := range map[string]string{
		"--accept": "", "--reject": "was rejected", "--release": "was released",
		"--modify": "was given back as modified: a consumer tried and failed",
	} {
		h := newHouse(t)
		in := h.start("commands/a", "--count", "1", flag)
		_, err := h.send("", "commands/a", "job")
		if got := in.printed(); got != "job\n" {
			t.Errorf("%s: printed %q", flag, got)
		}
		if want == "" && err == nil {
			continue
		}
		wantError(t, err, want)
	}
}

func TestEverythingGoesRound(t *testing.T) {
	flags := []string{
		"--subject", "s", "--content-type", "text/plain", "--reply-to", "answers", "--correlation-id", "c",
		"--message-id", "m", "--ttl", "1h", "--priority", "7", "--durable", "--property", "a=1", "--property", "b=x=y",
	}
	t.Run("full", func(t *testing.T) {
		h := newHouse(t)
		in := h.start("commands/a", "--count", "1", "-v")
		if _, err := h.send("", append([]string{"commands/a", "body"}, flags...)...); err != nil {
			t.Fatal(err)
		}
		got := in.printed()
		for _, part := range []string{
			"commands/a\n  durable: true\n  priority: 7\n  ttl: 3",
			"\n  message-id: m\n  subject: s\n  reply-to: answers\n" +
				"  correlation-id: c\n  content-type: text/plain\n  property a: 1\n  property b: x=y\nbody\n",
		} {
			if !strings.Contains(got, part) {
				t.Errorf("printed %q, want %q in it", got, part)
			}
		}
	})
	t.Run("JSON", func(t *testing.T) {
		h := newHouse(t)
		in := h.start("commands/*", "--count", "1", "--json")
		if _, err := h.send("", append([]string{"commands/a", "body"}, flags...)...); err != nil {
			t.Fatal(err)
		}
		got := in.printed()
		for _, part := range []string{
			`{"address":"commands/a","applicationProperties":{"a":"1","b":"x=y"},"body":"body",` +
				`"header":{"durable":true,"priority":7,"ttl":3`,
			`"properties":{"contentType":"text/plain","correlationId":"c","messageId":"m","replyTo":"answers",` +
				`"subject":"s","to":"commands/a"}}` + "\n",
		} {
			if !strings.Contains(got, part) {
				t.Errorf("printed %q, want %q in it", got, part)
			}
		}
	})
}

// TestDefaultsAreNotShown: a header that says one thing says nothing about the others.
func TestDefaultsAreNotShown(t *testing.T) {
	h := newHouse(t)
	in := h.start("commands/a", "--count", "1", "-v")
	if _, err := h.send("", "commands/a", "body", "--durable"); err != nil {
		t.Fatal(err)
	}
	if got, want := in.printed(), "commands/a\n  durable: true\nbody\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

func TestBroadcastReachesEveryReceiver(t *testing.T) {
	h := newHouse(t)
	one, two := h.start("alerts/#", "--count", "3"), h.start("alerts/fire", "--count", "3")
	p := h.links.Sender("alerts/fire")
	for one.runs() || two.runs() { // nothing is kept, so the ones that are not there yet miss what is sent
		p.Send("fire")
		p.Next()
	}
	for _, r := range []*running{one, two} {
		if got := r.printed(); got != "fire\nfire\nfire\n" {
			t.Errorf("printed %q", got)
		}
	}
}

// TestCountIsNeverExceeded: the receiver asks for no more than it prints, so what is left is not touched.
func TestCountIsNeverExceeded(t *testing.T) {
	h := newHouse(t)
	in := h.start("commands/a", "--count", "2")
	_, err := h.send("1\n2\n3\n", "commands/a", "--timeout", "5s")
	wantError(t, err, "message 3", "accepted: 2 of")
	if got := in.printed(); got != "1\n2\n" {
		t.Errorf("printed %q", got)
	}
}

// TestReleasedMessageStaysInItsQueue, and those that were sent ahead of need go back with it.
func TestReleasedMessageStaysInItsQueue(t *testing.T) {
	h := newHouse(t)
	if _, err := h.send("1\n2\n3\n", "jobs"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{"jobs --count 1 --release", "1\n"},
		{"jobs --count 2 --credit 1", "1\n2\n"},
		{"jobs --count 1", "3\n"},
		{"jobs --timeout 50ms", ""},
	} {
		if got, err := h.receive(strings.Fields(c.args)...); err != nil || got != c.want {
			t.Errorf("%s: printed %q, %v, want %q", c.args, got, err, c.want)
		}
	}
}

// TestPrefetchedMessagesGoBack: what came and was not printed is there for the next receiver.
func TestPrefetchedMessagesGoBack(t *testing.T) {
	h := newHouse(t)
	if _, err := h.send("", "jobs", "x", "--count", "50"); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	w := &interrupted{CancelFunc: interrupt}
	cmd := NewReceiveCommand()
	cmd.SetOut(w)
	cmd.SetArgs([]string{"jobs", "--url", h.url})
	if err := cmd.ExecuteContext(ctx); err != nil {
		t.Fatal(err)
	}
	left := 50 - strings.Count(w.String(), "x\n")
	if left == 0 {
		t.Fatal("the first has printed all that it had asked for")
	}
	if rest, err := h.receive("jobs", "--count", fmt.Sprint(left)); err != nil || rest != strings.Repeat("x\n", left) {
		t.Errorf("the next one printed %q, %v, want %d messages", rest, err, left)
	}
	if more, err := h.receive("jobs", "--timeout", "50ms"); err != nil || more != "" {
		t.Errorf("the last one printed %q, %v", more, err)
	}
}

func TestSubscriptionKeepsWhatComesMeanwhile(t *testing.T) {
	h := newHouse(t)
	args := []string{"telemetry/#", "--subscription", "archive", "--json"}
	if _, err := h.receive(append(args, "--timeout", "50ms")...); err != nil {
		t.Fatal(err)
	}
	if _, err := h.send("", "telemetry/kitchen", "21.5"); err != nil {
		t.Fatal(err)
	}
	got, err := h.receive(append(args, "--count", "1")...)
	if want := `{"address":"telemetry/kitchen","body":"21.5",`; err != nil || !strings.HasPrefix(got, want) {
		t.Errorf("printed %q, %v, want %s", got, err, want)
	}
}

func TestCreditOfOneIsEnough(t *testing.T) {
	h := newHouse(t)
	in := h.start("commands/a", "--count", "50", "--credit", "1")
	if _, err := h.send("", "commands/a", "x", "--count", "50"); err != nil {
		t.Error(err)
	}
	if got := in.printed(); got != strings.Repeat("x\n", 50) {
		t.Errorf("printed %q", got)
	}
}

func TestSilenceEndsTheReceiver(t *testing.T) {
	h := newHouse(t)
	if output, err := h.receive("commands/a", "--timeout", "50ms"); err != nil || output != "" {
		t.Errorf("without a count: printed %q, %v", output, err)
	}
	_, err := h.receive("commands/a", "--timeout", "50ms", "--count", "2")
	wantError(t, err, "commands/a: 0 of 2 messages came, then none for 50ms")
}

// interrupted is a writer that interrupts what writes to it.
type interrupted struct {
	context.CancelFunc
	strings.Builder
}

func (w *interrupted) Write(p []byte) (int, error) {
	w.CancelFunc()
	return w.Builder.Write(p)
}

// TestInterruptedReceiverSettlesWhatItPrinted, and is a success only if nobody asked for a number of messages.
func TestInterruptedReceiverSettlesWhatItPrinted(t *testing.T) {
	for _, count := range []string{"0", "2"} {
		h := newHouse(t)
		ctx, interrupt := context.WithCancel(t.Context())
		w := &interrupted{CancelFunc: interrupt}
		cmd := NewReceiveCommand()
		cmd.SilenceUsage, cmd.SilenceErrors = true, true
		cmd.SetOut(w)
		cmd.SetArgs([]string{"commands/a", "--count", count, "--url", h.url})
		ended := make(chan error, 1)
		go func() { ended <- cmd.ExecuteContext(ctx) }()
		if _, err := h.send("", "commands/a", "x"); err != nil {
			t.Errorf("printed and not accepted: %v", err)
		}
		err := <-ended
		if count == "0" && err != nil {
			t.Error(err)
		}
		if count != "0" {
			wantError(t, err, "interrupted: 1 of 2 messages came")
		}
		if w.String() != "x\n" {
			t.Errorf("printed %q", w.String())
		}
	}
}

// broken is an output that takes nothing.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestMessageThatCannotBePrintedIsGivenBack(t *testing.T) {
	h := newHouse(t)
	cmd := NewReceiveCommand()
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetOut(broken{})
	cmd.SetArgs([]string{"commands/a", "--url", h.url})
	ended := make(chan error, 1)
	go func() { ended <- cmd.ExecuteContext(t.Context()) }()
	_, err := h.send("", "commands/a", "x")
	wantError(t, err, "released")
	wantError(t, <-ended, "standard output: disk full")
}

func TestServerThatStopsIsSaid(t *testing.T) {
	h := newHouse(t)
	in := h.start("commands/a")
	p := h.links.Sender("commands/a")
	p.Send("x")
	for p.Next().Outcome.State != router.Accepted {
		p.Send("x")
	}
	h.stop()
	<-in.done
	wantError(t, in.err, "commands/a: the connection to 127.0.0.1:")
	if in.output != "x\n" {
		t.Errorf("printed %q", in.output)
	}
}

// TestSettledReceiverGivesNothingBack: not even what it could not print. Its credit ends with the count nevertheless.
func TestSettledReceiverGivesNothingBack(t *testing.T) {
	h := newHouse(t)
	if _, err := h.send("1\n2\n3\n", "jobs"); err != nil {
		t.Fatal(err)
	}
	if got, err := h.receive("jobs", "--settled", "--count", "1"); err != nil || got != "1\n" {
		t.Errorf("printed %q, %v", got, err)
	}
	cmd := NewReceiveCommand()
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetOut(broken{})
	cmd.SetArgs([]string{"jobs", "--settled", "--count", "1", "--url", h.url})
	wantError(t, cmd.ExecuteContext(t.Context()), "standard output: disk full")
	if got, err := h.receive("jobs", "--count", "1"); err != nil || got != "3\n" {
		t.Errorf("the next one printed %q, %v", got, err)
	}
}
