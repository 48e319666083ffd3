//go:build interop

package interop

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	stomp "github.com/go-stomp/stomp/v3"
)

// TestGoStompExample runs the example that go-stomp calls a test of its client. Its own tests bring a peer with them.
func TestGoStompExample(t *testing.T) {
	g := start(t, t.TempDir())
	out := ask(t, "go", "run", "github.com/go-stomp/stomp/v3/examples/client_test",
		"-server", g.doors["stomp"], "-queue", "/queue/queues/example", "-count", "1000")
	done := strings.Contains(out, "sender finished") && strings.Contains(out, "receiver finished")
	if !done || strings.Contains(out, "Expected") {
		t.Error(out)
	}
}

// stompVersions are those that go-stomp speaks.
var stompVersions = []stomp.Version{stomp.V10, stomp.V11, stomp.V12}

// goStomp is a client of go-stomp in one version of the protocol, and a queue of its own.
type goStomp struct {
	*stomp.Conn
	t     *testing.T
	queue string
}

// eachStomp runs a test with a client of each version.
func eachStomp(t *testing.T, run func(t *testing.T, c goStomp)) {
	g := start(t, t.TempDir())
	for _, version := range stompVersions {
		t.Run(string(version), func(t *testing.T) { run(t, dialGoStomp(t, g, version)) })
	}
}

func dialGoStomp(t *testing.T, g *gateway, version stomp.Version, options ...func(*stomp.Conn) error) goStomp {
	t.Helper()
	options = append(options, stomp.ConnOpt.AcceptVersion(version), stomp.ConnOpt.HeartBeat(time.Second, time.Second),
		stomp.ConnOpt.RcvReceiptTimeout(patience), stomp.ConnOpt.HeartBeatGracePeriodMultiplier(30))
	conn, err := stomp.Dial("tcp", g.doors["stomp"], options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.MustDisconnect() })
	if conn.Version() != version {
		t.Fatalf("version %s, want %s", conn.Version(), version)
	}
	return goStomp{conn, t, "/queue/queues/" + strings.ReplaceAll(t.Name(), "/", ".")}
}

// send sends bodies and waits for the receipt of each.
func (c goStomp) send(bodies ...string) {
	c.t.Helper()
	for _, body := range bodies {
		if err := c.Send(c.queue, "text/plain", []byte(body), stomp.SendOpt.Receipt); err != nil {
			c.t.Fatal(err)
		}
	}
}

// subscribe receives from the queue, acknowledging in a mode.
func (c goStomp) subscribe(mode stomp.AckMode) *stomp.Subscription {
	c.t.Helper()
	s, err := c.Subscribe(c.queue, mode)
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

// take reads messages and compares their bodies.
func (c goStomp) take(s *stomp.Subscription, bodies ...string) (messages []*stomp.Message) {
	c.t.Helper()
	for _, want := range bodies {
		m, err := s.Read()
		if err != nil {
			c.t.Fatal(err)
		}
		if string(m.Body) != want {
			c.t.Errorf("got %q, want %q", m.Body, want)
		}
		messages = append(messages, m)
	}
	return messages
}

// holds compares what the queue has with bodies: what comes to a subscriber before what is sent last.
func (c goStomp) holds(bodies ...string) {
	c.t.Helper()
	c.send("the end")
	s := c.subscribe(stomp.AckAuto)
	c.take(s, append(slices.Clone(bodies), "the end")...)
	c.end(s)
}

// end unsubscribes, and waits for the receipt.
func (c goStomp) end(s *stomp.Subscription) {
	c.t.Helper()
	if err := s.Unsubscribe(); err != nil {
		c.t.Fatal(err)
	}
}

func (c goStomp) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func TestGoStompSendsAndReceives(t *testing.T) {
	eachStomp(t, func(t *testing.T, c goStomp) {
		c.must(c.Send(c.queue, "application/octet-stream", []byte("a\x00b\r\n:\\"), stomp.SendOpt.Receipt,
			stomp.SendOpt.Header("colour", "red"), stomp.SendOpt.Header("correlation-id", "7"),
			stomp.SendOpt.Header("priority", "7")))
		s := c.subscribe(stomp.AckAuto)
		m := c.take(s, "a\x00b\r\n:\\")[0]
		for name, want := range map[string]string{
			"colour": "red", "correlation-id": "7", "priority": "7", "destination": c.queue,
		} {
			if got := m.Header.Get(name); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		if m.ContentType != "application/octet-stream" {
			t.Errorf("content type %q", m.ContentType)
		}
		c.end(s)
	})
}

func TestGoStompAcknowledges(t *testing.T) {
	eachStomp(t, func(t *testing.T, c goStomp) {
		c.send("1", "2", "3", "4")
		s := c.subscribe(stomp.AckClient)
		c.must(c.Ack(c.take(s, "1", "2", "3", "4")[2])) // and those before it
		c.end(s)
		c.holds("4")
		if c.Version() == stomp.V10 {
			return // which knows no other mode
		}
		c.send("5", "6", "7")
		s = c.subscribe(stomp.AckClientIndividual)
		c.must(c.Ack(c.take(s, "5", "6", "7")[1]))
		c.end(s)
		c.holds("5", "7")
	})
}

func TestGoStompRefuses(t *testing.T) {
	eachStomp(t, func(t *testing.T, c goStomp) {
		if c.Version() == stomp.V10 {
			return // it has no NACK
		}
		c.send("refused", "taken")
		s := c.subscribe(stomp.AckClientIndividual)
		messages := c.take(s, "refused", "taken")
		c.must(c.Ack(messages[1]))
		c.must(c.Nack(messages[0]))
		again := c.take(s, "refused")[0]
		if again.Header.Get("redelivered") != "true" {
			t.Errorf("it came again with %v", again.Header)
		}
		c.must(c.Ack(again))
		c.end(s)
		c.holds()
	})
}

func TestGoStompTransactions(t *testing.T) {
	eachStomp(t, func(t *testing.T, c goStomp) {
		c.send("before")
		s := c.subscribe(stomp.AckClient)
		for _, commit := range []bool{false, true} {
			tx := c.Begin()
			c.must(tx.Send(c.queue, "text/plain", []byte("inside "+strconv.FormatBool(commit)), stomp.SendOpt.Receipt))
			if commit {
				c.must(tx.CommitWithReceipt())
			} else {
				c.must(tx.AbortWithReceipt())
			}
		}
		messages := c.take(s, "before", "inside true")
		tx := c.Begin()
		c.must(tx.Ack(messages[1]))
		c.must(tx.AbortWithReceipt())
		tx = c.Begin()
		c.must(tx.Ack(messages[0]))
		c.must(tx.CommitWithReceipt())
		c.end(s)
		c.holds("inside true")
	})
}

// TestGoStompHeartBeats: each side is silent for longer than the heart-beats allow, but for those.
func TestGoStompHeartBeats(t *testing.T) {
	g := start(t, t.TempDir())
	for _, version := range stompVersions[1:] { // 1.0 has none
		t.Run(string(version), func(t *testing.T) {
			c := dialGoStomp(t, g, version, stomp.ConnOpt.HeartBeat(100*time.Millisecond, 100*time.Millisecond))
			s := c.subscribe(stomp.AckAuto)
			silence := time.NewTimer(2 * time.Second)
			select {
			case m := <-s.C:
				t.Fatalf("%v", m.Err)
			case <-silence.C:
			}
			c.send("still here")
			c.take(s, "still here")
		})
	}
}

func TestGoStompIsToldOfErrors(t *testing.T) {
	eachStomp(t, func(t *testing.T, c goStomp) {
		err := c.Send("/queue/nowhere", "text/plain", nil, stomp.SendOpt.Receipt)
		if err == nil || !strings.Contains(err.Error(), "not found") {
			t.Errorf("sending gave %v", err)
		}
	})
}
