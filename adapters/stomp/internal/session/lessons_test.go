package session

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// Each test here is named for what was seen to go wrong in the server half of go-stomp v3.1.5.

// connect gives a conversation whose client has been let in.
func connect(t *testing.T, version string) *conversation {
	t.Helper()
	c := newConversation(t)
	c.Input("recv", "CONNECT|accept-version:"+version+"|host:x||")
	c.session.Accept(c.now, "s", "server")
	c.Take()
	return c
}

// refusedWith tells that the session has ended with an ERROR of this message.
func (c *conversation) refusedWith(message string) {
	c.t.Helper()
	got := strings.Join(c.Take(), "\n")
	if !strings.Contains(got, "send ERROR|message:"+message+"|") {
		c.t.Errorf("no ERROR with message %q in\n%s", message, got)
	}
}

func TestLessonSendWithoutDestinationIsRefused(t *testing.T) {
	c := connect(t, "1.2")
	c.Input("recv", "SEND|receipt:1||x")
	c.refusedWith(Malformed)
}

func TestLessonSubscribeWithBogusAckIsRefused(t *testing.T) {
	c := connect(t, "1.2")
	c.Input("recv", "SUBSCRIBE|id:1|destination:jobs|ack:bogus||")
	c.refusedWith(Malformed)
	c.Input("recv", "ACK|id:s-1-1||")
}

func TestLessonAckOfUnknownMessageIsRefused(t *testing.T) {
	for _, id := range []string{"", "x", "s-1-1", "s-1", "s-18446744073709551616-1", "t-1-1"} {
		c := connect(t, "1.2")
		c.Input("recv", "ACK|id:"+id+"||")
		if id == "" {
			c.refusedWith(Malformed)
		} else {
			c.refusedWith(Conflict)
		}
	}
}

func TestLessonAckByIDIsTakenSince12(t *testing.T) {
	c := connect(t, "1.2")
	c.Input("recv", "SUBSCRIBE|id:1|destination:jobs|ack:client-individual||")
	c.Input("do", "done 1")
	c.Input("do", "deliver 1 a")
	c.Take()
	c.Input("recv", "ACK|id:s-1-1||")
	if got := c.Take(); len(got) != 1 || got[0] != "event settle 2 accepted=true asked=false [a]" {
		t.Errorf("got %q", got)
	}
}

func TestLessonReceiptDoesNotComeBeforeTheMessageIsTaken(t *testing.T) {
	c := connect(t, "1.2")
	c.Input("recv", "SEND|destination:jobs|receipt:1||x")
	if got := c.Take(); len(got) != 1 {
		t.Errorf("got %q", got)
	}
	c.Input("do", "done 1")
	if got := c.Take(); len(got) != 1 || got[0] != "send RECEIPT|receipt-id:1||" {
		t.Errorf("got %q", got)
	}
}

func TestLessonHeadersAreBounded(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	for _, c := range []struct{ name, frame, message string }{
		{"a line without end", "SEND\n" + long, TooLarge},
		{"a line", "SEND\na:" + long + "\n", TooLarge},
		{"their number", "SEND\n" + strings.Repeat("a:b\n", 129), Quota},
		{"all together", "SEND\n" + strings.Repeat("a:"+long[:8000]+"\n", 9), TooLarge},
		{"a command without end", long, Malformed},
		{"no header", "SEND\nabc\n", Malformed},
		{"a header without a name", "SEND\n:abc\n", Malformed},
		{"the frame ends", "SEND\ndestination:a\x00\n", Malformed},
		{"not UTF-8", "SEND\na:\xff\n", Malformed},
		{"CR without LF", "\rSEND\n", Malformed},
		{"of a server", "MESSAGE\n", Malformed},
		{"in lower case", "send\n", Malformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			talk := connect(t, "1.2")
			talk.session.Feed(talk.now, []byte(c.frame))
			talk.refusedWith(c.message)
		})
	}
}

func TestLessonHeadersOfStrangersAreBoundedMore(t *testing.T) {
	c := newConversation(t)
	c.session.Feed(c.now, []byte("CONNECT\n"+strings.Repeat("a:"+strings.Repeat("x", 4000)+"\n", 5)))
	c.refusedWith(TooLarge)
}

func TestLessonBodiesAreBounded(t *testing.T) {
	for _, c := range []struct{ name, frame, message string }{
		{"by content-length", "SEND\ndestination:a\ncontent-length:16777217\n", TooLarge},
		{"without content-length", "SEND\ndestination:a\n\n" + strings.Repeat("x", 16<<20+1), TooLarge},
		{"beyond 32 bits", "SEND\ncontent-length:4294967296\n", Malformed},
		{"below zero", "SEND\ncontent-length:-1\n", Malformed},
		{"of ACK", "ACK\ncontent-length:1\n", Malformed},
		{"of ACK without content-length", "ACK\nid:1\n\nx", Malformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			talk := connect(t, "1.2")
			talk.session.Feed(talk.now, []byte(c.frame))
			talk.refusedWith(c.message)
		})
	}
}

func TestLessonContentLengthTakesNoMemoryAhead(t *testing.T) {
	c := connect(t, "1.2")
	c.limits.MaxBody = 1 << 30
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c.session.Feed(c.now, []byte("SEND\ndestination:a\ncontent-length:1000000000\n\nabc"))
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<16 {
		t.Errorf("a frame of 50 octets took %d octets of memory", took)
	}
	c = newConversation(t)
	c.session.Feed(c.now, []byte("CONNECT\ncontent-length:4294967295\n"))
	c.refusedWith(Malformed)
}

func TestLessonUndefinedEscapesAreRefused(t *testing.T) {
	for _, c := range []struct {
		version, escape string
		ok              bool
	}{
		{"1.2", `\t`, false}, {"1.2", `\`, false}, {"1.2", `\n\c\\\r`, true},
		{"1.1", `\t`, false}, {"1.1", `\r`, false}, {"1.1", `\n\c\\`, true},
		{"1.0", `\t`, true},
	} {
		talk := connect(t, c.version)
		talk.Input("recv", "SEND|destination:a|x:"+c.escape+"||")
		if got := talk.session.Connected(); got != c.ok {
			t.Errorf("%s with STOMP %s: taken %v, want %v", c.escape, c.version, got, c.ok)
		}
	}
}

// TestLessonSlowReaderIsBounded: a session that is not flushed takes no more messages and reads no more.
func TestLessonSlowReaderIsBounded(t *testing.T) {
	c := connect(t, "1.2")
	for range 10_000 {
		c.Input("recv", "BEGIN|transaction:t|receipt:"+strings.Repeat("r", 100)+"||")
		c.session.Done(c.session.receipt)
		c.Input("recv", "ABORT|transaction:t||")
		c.session.Done(c.session.receipt)
		if !c.session.Ready() {
			break
		}
	}
	if n := len(c.session.out); c.session.Ready() || n > maxUnflushed+1000 {
		t.Errorf("%d octets wait to be written", n)
	}
	c.lines = nil
	c.Take()
	if deadline := c.session.Deadline(); deadline.IsZero() || deadline.After(c.now) {
		t.Errorf("the session does not ask to go on: deadline %v", deadline)
	}
	c.session.Advance(c.now.Add(time.Hour))
	if !c.session.Connected() || !c.session.Ready() {
		t.Error("the session does not go on")
	}
}
