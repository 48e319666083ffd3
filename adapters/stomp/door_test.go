package stomp

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-stomp/stomp/v3/frame"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

func TestReceiptComesAfterTheConsumersOutcome(t *testing.T) {
	run(t, func(h *house) {
		worker := h.links.Receiver("commands/a", 10)
		c := h.connect()
		c.send(frame.SEND, "one", "destination", "commands/a", "receipt", "1")
		c.send(frame.SEND, "two", "destination", "/anycast/commands/a", "receipt", "2")
		got := worker.Expect("one", "two")
		c.idle()
		got[1].Settle(router.Accept())
		if f := c.receive(frame.RECEIPT); f.Header.Get(frame.ReceiptId) != "2" {
			t.Errorf("RECEIPT of %s", f.Header.Get(frame.ReceiptId))
		}
		got[0].Settle(router.Reject(router.Malformed, "not a command"))
		if f := c.refused("malformed"); f.Header.Get(frame.ReceiptId) != "1" || string(f.Body) != "not a command" {
			t.Errorf("ERROR of %s: %s", f.Header.Get(frame.ReceiptId), f.Body)
		}
	})
}

func TestRefusalsAreErrorsThatNameTheReceipt(t *testing.T) {
	for _, c := range []struct {
		name, command string
		header        []string
		message       string
	}{
		{"unknown address", frame.SEND, []string{"destination", "nowhere"}, "not found"},
		{"another kind", frame.SEND, []string{"destination", "/queue/commands/a"}, "not found"},
		{"no destination", frame.SEND, []string{"destination", "/queue/"}, "malformed"},
		{"a filter", frame.SEND, []string{"destination", "alerts/#"}, "malformed"},
		{"nobody there for a command", frame.SEND, []string{"destination", "commands/a"}, "unroutable"},
		{"nobody there for an alert", frame.SEND, []string{"destination", "alerts/a"}, "unroutable"},
		{"priority", frame.SEND, []string{"destination", "alerts/a", "priority", "10"}, "malformed"},
		{"expires", frame.SEND, []string{"destination", "alerts/a", "expires", "soon"}, "malformed"},
		{"content type", frame.SEND, []string{"destination", "alerts/a", "content-type", "größe"}, "malformed"},
		{"too large", frame.SEND, []string{"destination", "alerts/a", "content-length", "1048576"}, "too large"},
		{"unknown source", frame.SUBSCRIBE, []string{"id", "1", "destination", "nowhere"}, "not found"},
		{"selector", frame.SUBSCRIBE, []string{"id", "1", "destination", "alerts/a", "selector", "a ="}, "malformed"},
		{"prefetch", frame.SUBSCRIBE, []string{"id", "1", "destination", "alerts/a", "prefetch-count", "few"}, "malformed"},
		{"browsing", frame.SUBSCRIBE, []string{"id", "1", "destination", "alerts/a", "browser", "true"}, "unsupported"},
		{"durable", frame.SUBSCRIBE, []string{"id", "1", "destination", "alerts/a", "durable", "true"}, "unsupported"},
		{"unsubscribe", frame.UNSUBSCRIBE, []string{"id", "1"}, "not found"},
		{"ack", frame.ACK, []string{"id", "1"}, "conflict"},
		{"commit", frame.COMMIT, []string{"transaction", "t"}, "not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, func(h *house) {
				client := h.connect()
				body := ""
				if c.message == "too large" {
					body = string(make([]byte, 1<<20))
				}
				client.send(c.command, body, append(c.header, "receipt", "r")...)
				if f := client.refused(c.message); f.Header.Get(frame.ReceiptId) != "r" {
					t.Errorf("ERROR of receipt %q", f.Header.Get(frame.ReceiptId))
				}
			})
		})
	}
}

func TestSendWithoutReceiptHearsNothing(t *testing.T) {
	run(t, func(h *house) {
		c := h.connect()
		c.send(frame.SEND, "x", "destination", "alerts/a")
		c.idle()
		c.send(frame.SEND, "x", "destination", "nowhere")
		c.refused("not found")
	})
}

func TestClientsAreLetIntoTheirTenant(t *testing.T) {
	for _, c := range []struct {
		name   string
		header []string
		in     bool
	}{
		{"anonymous", nil, true},
		{"name that nobody checks", []string{"login", "guest", "passcode", "guest"}, true},
		{"host", []string{"host", "acme.example", "login", "ann", "passcode", "secret"}, true},
		{"user@tenant", []string{"login", "ann@acme", "passcode", "secret"}, true},
		{"wrong passcode", []string{"host", "acme", "login", "ann", "passcode", "x"}, false},
		{"nobody", []string{"host", "acme"}, false},
		{"two tenants", []string{"host", "default", "login", "ann@acme", "passcode", "secret"}, false},
		{"a token where none are known", []string{"authorization", "Bearer abc"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, func(h *house) {
				client := h.dial()
				client.send(frame.CONNECT, "", append(c.header, "accept-version", "1.1,1.2")...)
				if !c.in {
					client.refused("unauthenticated")
					return
				}
				f := client.receive(frame.CONNECTED)
				if f.Header.Get("version") != "1.2" || f.Header.Get("session") == "" {
					t.Errorf("CONNECTED with %+v", f.Header)
				}
			})
		})
	}
}

func TestHeadersComeBackAsTheyWere(t *testing.T) {
	run(t, func(h *house) {
		sub, pub := h.connect(), h.connect()
		sub.ask(frame.SUBSCRIBE, "", "id", "s", "destination", "/broadcast/alerts/*")
		expires := strconv.FormatInt(time.Now().Add(time.Minute).UnixMilli(), 10)
		sent := []string{
			"content-type", "text/plain;charset=utf-8", "content-encoding", "gzip", "persistent", "true",
			"expires", expires, "priority", "7", "correlation-id", "order:7", "amqp-message-id", "ulong:7",
			"reply-to", "alerts/answers", "type", "fire", "JMSXGroupID", "g", "timestamp", "1700000000000",
			"größe: \r\n\\", "±5: \r\n\\c", "empty", "",
		}
		pub.ask(frame.SEND, "\x00body\n", append(sent,
			"destination", "alerts/a", "empty", "only the first counts", "message-id", "not the client's", "content-length", "6")...)
		f := sub.expect("\x00body\n")[0]
		for i := 0; i < len(sent); i += 2 {
			if got, ok := f.Header.Contains(sent[i]); !ok || got != sent[i+1] {
				t.Errorf("%q is %q (%v), want %q", sent[i], got, ok, sent[i+1])
			}
		}
		if got := f.Header.Get("destination"); got != "/broadcast/alerts/a" {
			t.Errorf("destination %q", got)
		}
		if f.Header.Get("subscription") != "s" || f.Header.Get("ack") != "" || f.Header.Get("content-length") != "6" ||
			len(f.Header.GetAll("message-id")) != 1 || len(f.Header.GetAll("empty")) != 1 {
			t.Errorf("headers %+v", f.Header)
		}
	})
}

func TestExpiredMessagesAreNotDelivered(t *testing.T) {
	run(t, func(h *house) {
		sub, pub := h.connect(), h.connect()
		sub.ask(frame.SUBSCRIBE, "", "id", "s", "destination", "alerts/a")
		pub.send(frame.SEND, "old", "destination", "alerts/a", "expires", "1")
		pub.ask(frame.SEND, "new", "destination", "alerts/a", "expires", "0")
		sub.expect("new")
	})
}

func TestSelectorAndNoLocalLeaveOut(t *testing.T) {
	run(t, func(h *house) {
		c := h.connect()
		c.ask(frame.SUBSCRIBE, "", "id", "red", "destination", "alerts/a", "selector", "color = 'red'")
		c.ask(frame.SUBSCRIBE, "", "id", "others", "destination", "alerts/a", "no-local", "true")
		c.send(frame.SEND, "1", "destination", "alerts/a", "color", "blue")
		c.send(frame.SEND, "2", "destination", "alerts/a", "color", "red")
		got := c.expect("2")
		h.connect().ask(frame.SEND, "3", "destination", "alerts/a")
		got = append(got, c.expect("3")...)
		if got[0].Header.Get("subscription") != "red" || got[1].Header.Get("subscription") != "others" {
			t.Errorf("got %+v and %+v", got[0].Header, got[1].Header)
		}
	})
}

func TestPrefetchBoundsWhatIsHeld(t *testing.T) {
	run(t, func(h *house) {
		c := h.connect()
		c.ask(frame.SUBSCRIBE, "", "id", "s", "destination", "commands/a", "ack", "client", "prefetch-count", "2")
		sender := h.links.Sender("commands/a")
		for _, body := range []string{"1", "2", "3", "4"} {
			sender.Send(body)
		}
		got := c.expect("1", "2")
		c.idle()
		c.ask(frame.ACK, "", "id", got[1].Header.Get("ack"))
		sender.Accepted(2)
		got = c.expect("3", "4")
		c.ask(frame.NACK, "", "id", got[0].Header.Get("ack"))
		if s := sender.Next(); s.Outcome != router.Fail() {
			t.Errorf("NACK became %+v", s.Outcome)
		}
		if sender.Heard() {
			t.Error("NACK of one message ended a later one")
		}
	})
}

// TestSlowSubscriberMissesNothingWithinItsCredit: its prefetch holds messages back, and does not drop them.
func TestSlowSubscriberMissesNothingWithinItsCredit(t *testing.T) {
	run(t, func(h *house) {
		c := h.connect()
		c.ask(frame.SUBSCRIBE, "", "id", "s", "destination", "alerts/a", "ack", "client-individual", "prefetch-count", "1")
		h.links.Sender("alerts/a").Send("1")
		h.links.Sender("alerts/a").Send("2")
		got := c.expect("1")
		c.idle()
		c.send(frame.ACK, "", "id", got[0].Header.Get("ack"))
		c.expect("2")
	})
}

func TestUnacknowledgedComesBackMarked(t *testing.T) {
	run(t, func(h *house) {
		address, release := h.links.Router.Temporary(h.links.User)
		defer release()
		h.links.Sender(string(address)).Send("x")
		for _, redelivered := range []string{"", "true"} {
			c := h.connect()
			c.ask(frame.SUBSCRIBE, "", "id", "s", "destination", string(address), "ack", "client")
			if got := c.expect("x")[0].Header.Get("redelivered"); got != redelivered {
				t.Errorf("redelivered is %q, want %q", got, redelivered)
			}
			c.nc.Close()
			synctest.Wait()
		}
		c := h.connect()
		c.ask(frame.SUBSCRIBE, "", "id", "s", "destination", string(address), "ack", "client")
		c.expect("x")
		c.ask(frame.UNSUBSCRIBE, "", "id", "s")
		c.ask(frame.SUBSCRIBE, "", "id", "s", "destination", string(address))
		c.expect("x")
		c.idle()
	})
}

func TestTemporaryQueueTakesAnswers(t *testing.T) {
	run(t, func(h *house) {
		asker, worker := h.connect(), h.connect()
		worker.ask(frame.SUBSCRIBE, "", "id", "w", "destination", "/anycast/commands/a")
		asker.ask(frame.SUBSCRIBE, "", "id", "t", "destination", "/temp-queue/answers")
		asker.send(frame.SEND, "ask", "destination", "commands/a", "reply-to", "/temp-queue/answers", "correlation-id", "7")
		question := worker.expect("ask")[0]
		worker.ask(frame.SEND, "answer", "destination", question.Header.Get("reply-to"), "correlation-id", "7")
		answer := asker.expect("answer")[0]
		if answer.Header.Get("destination") != "/temp-queue/answers" || answer.Header.Get("correlation-id") != "7" {
			t.Errorf("headers %+v", answer.Header)
		}
		asker.ask(frame.SUBSCRIBE, "", "id", "u", "destination", "/temp-topic/news")
		asker.send(frame.SUBSCRIBE, "", "id", "v", "destination", "/temp-topic/more")
		asker.refused("quota")
		late := h.connect()
		late.send(frame.SEND, "late", "destination", question.Header.Get("reply-to"))
		late.refused("not found")
	})
}

func TestTransactionsHappenAtTheirCommit(t *testing.T) {
	run(t, func(h *house) {
		worker := h.links.Receiver("commands/b", 10)
		sender := h.links.Sender("commands/a")
		c := h.connect()
		c.ask(frame.SUBSCRIBE, "", "id", "s", "destination", "commands/a", "ack", "client-individual", "prefetch-count", "1")
		sender.Send("1")
		got := c.expect("1")[0]
		for _, end := range []string{frame.ABORT, frame.COMMIT} {
			c.ask(frame.BEGIN, "", "transaction", "t")
			c.ask(frame.ACK, "", "transaction", "t", "id", got.Header.Get("ack"))
			c.ask(frame.SEND, end, "transaction", "t", "destination", "commands/b")
			if sender.Heard() || !worker.Idle() {
				t.Error("something was done before the commit")
			}
			c.ask(end, "", "transaction", "t")
		}
		sender.Accepted(1)
		worker.Expect(frame.COMMIT)
		if !worker.Idle() {
			t.Error("something was done that was aborted")
		}
		for _, body := range []string{"2", "3"} { // the credit is what it was
			sender.Send(body)
			c.ask(frame.ACK, "", "id", c.expect(body)[0].Header.Get("ack"))
		}
	})
}

// TestAbortGivesNoCreditAway: what a client gets in place of what it settled in a transaction is not given twice.
func TestAbortGivesNoCreditAway(t *testing.T) {
	run(t, func(h *house) {
		sender := h.links.Sender("commands/a")
		c := h.connect()
		c.ask(frame.SUBSCRIBE, "", "id", "s", "destination", "commands/a", "ack", "client-individual", "prefetch-count", "1")
		sender.Send("1")
		id := c.expect("1")[0].Header.Get("ack")
		c.ask(frame.BEGIN, "", "transaction", "t")
		c.ask(frame.ACK, "", "transaction", "t", "id", id)
		c.ask(frame.ABORT, "", "transaction", "t")
		c.ask(frame.ACK, "", "id", id)
		sender.Send("2")
		sender.Send("3")
		c.expect("2")
		h.links.Receiver("commands/a", 1).Expect("3")
	})
}

// TestLessonSubscriberThatDoesNotReadHangsNobody: go-stomp's server stood still as a whole.
func TestLessonSubscriberThatDoesNotReadHangsNobody(t *testing.T) {
	run(t, func(h *house) {
		deaf, sub, pub := h.connect(), h.connect(), h.connect()
		deaf.ask(frame.SUBSCRIBE, "", "id", "s", "destination", "alerts/a")
		sub.ask(frame.SUBSCRIBE, "", "id", "s", "destination", "alerts/a")
		for i := range 1000 {
			body := strconv.Itoa(i)
			pub.ask(frame.SEND, body, "destination", "alerts/a")
			sub.expect(body)
		}
	})
}

func TestStoppingSaysGoodbye(t *testing.T) {
	run(t, func(h *house) {
		c := h.connect()
		h.serving.Go(func() { c.refused("stopping") }) // when the house closes
	})
}

func TestWildcardsTakeFromBroadcast(t *testing.T) {
	run(t, func(h *house) {
		c := h.connect()
		c.ask(frame.SUBSCRIBE, "", "id", "s", "destination", "#")
		h.links.Receiver("commands/a", 1)
		h.links.Sender("commands/a").Send("not for the curious")
		h.links.Sender("alerts/x/y").SendDelivery(routertest.Text("fire"))
		if got := c.expect("fire")[0].Header.Get("destination"); got != "alerts/x/y" {
			t.Errorf("destination %q", got)
		}
		c.idle()
	})
}

func TestDestinationsAreTakenApart(t *testing.T) {
	for _, c := range []struct {
		text, prefix, name string
		kind               addressing.Kind
	}{
		{"jobs", "", "jobs", addressing.AnyKind},
		{"/jobs", "/", "jobs", addressing.AnyKind},
		{"queue/jobs", "", "queue/jobs", addressing.AnyKind},
		{"/queue/a/b", "/queue/", "a/b", addressing.Queue},
		{"/topic//a", "/topic/", "/a", addressing.Topic},
		{"/anycast/a", "/anycast/", "a", addressing.Anycast},
		{"/broadcast/a", "/broadcast/", "a", addressing.Broadcast},
		{"/temp-queue/a", "/temp-queue/", "a", addressing.Queue},
	} {
		if p := parseDestination(c.text); p.prefix != c.prefix || p.name != c.name || p.kind != c.kind {
			t.Errorf("%q: %+v", c.text, p)
		}
	}
}
