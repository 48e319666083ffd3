package session

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router/transport/transporttest"
)

// TestConversations plays each script and compares what the session says with what the script expects.
//
// Input lines start with one of these words; indented lines are expectations:
//
//	limits  name=value ...        before anything else
//	recv    COMMAND|name:value||body   a frame of the client: "|" is the end of a line, the NUL is not written
//	bytes   "quoted"              bytes of the client as they stand, in the syntax of Go
//	tick    duration              time passes, and Advance is called
//	do      command argument ...  a command of the owner: accept; refuse, disconnect MESSAGE; done N; fail N MESSAGE;
//	                              deliver SUBSCRIPTION BODY; lost
//
// Expectations are event (a call of the Handler), send (a frame that Flush gave, written likewise), held (of Deliver),
// wait (not Ready) and closed.
func TestConversations(t *testing.T) {
	transporttest.Run(t, func(t testing.TB) transporttest.Conversation { return newConversation(t) })
}

// conversation is a session with an owner that writes down what it hears, and a clock.
type conversation struct {
	t       testing.TB
	limits  Limits
	session *Session
	now     time.Time
	lines   []string
	queue   []parcel // what Fill delivers
	waits   bool
	closed  bool
}

// parcel is a message for a subscription.
type parcel struct{ subscription, body string }

var _ Handler = (*conversation)(nil)

func newConversation(t testing.TB) *conversation {
	c := &conversation{t: t, limits: DefaultLimits(), now: time.Unix(1_800_000_000, 0)}
	c.session = New(c.now, &c.limits, c)
	return c
}

func (c *conversation) logf(format string, args ...any) {
	c.lines = append(c.lines, fmt.Sprintf(format, args...))
}

// Input implements transporttest.Conversation: it does what a line of a script says.
func (c *conversation) Input(word, rest string) {
	c.t.Helper()
	switch word {
	case "limits":
		for _, setting := range strings.Fields(rest) {
			name, value, _ := strings.Cut(setting, "=")
			n, err := strconv.Atoi(value)
			field := reflect.ValueOf(&c.limits).Elem().FieldByName(name)
			if err != nil || !field.IsValid() {
				c.t.Fatalf("%s: %v", setting, err)
			}
			field.SetInt(int64(n))
		}
	case "recv":
		c.session.Feed(c.now, clientFrame(rest))
	case "bytes":
		c.session.Feed(c.now, unquote(c.t, rest))
	case "tick":
		d, err := time.ParseDuration(rest)
		if err != nil {
			c.t.Fatal(err)
		}
		c.now = c.now.Add(d)
		c.session.Advance(c.now)
	case "do":
		command, argument, _ := strings.Cut(rest, " ")
		c.command(command, argument)
	default:
		c.t.Fatalf("unknown word %q", word)
	}
}

func clientFrame(text string) []byte { return []byte(strings.ReplaceAll(text, "|", "\n") + "\x00") }

func unquote(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := strconv.Unquote(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return []byte(raw)
}

func (c *conversation) command(command, argument string) {
	c.t.Helper()
	number, rest, _ := strings.Cut(argument, " ")
	n, _ := strconv.ParseUint(number, 10, 64)
	switch command {
	case "accept":
		c.session.Accept(c.now, "s", "server")
	case "refuse":
		c.session.Refuse(c.now, refuse(argument, "because"))
	case "disconnect":
		c.session.Disconnect(c.now, refuse(argument, "because"))
	case "done":
		c.session.Done(Receipt(n))
	case "fail":
		c.session.Fail(c.now, Receipt(n), refuse(rest, "because"))
	case "deliver":
		c.queue = append(c.queue, parcel{number, rest})
	case "lost":
		c.session.Lost()
	default:
		c.t.Fatalf("unknown command %q", command)
	}
}

// Take implements transporttest.Conversation: it flushes and gives what was written down since the last call.
func (c *conversation) Take() []string {
	for {
		out := c.session.Flush(nil)
		if len(out) == 0 {
			break
		}
		c.sent(out)
	}
	if waits := !c.session.Ready(); waits != c.waits {
		if c.waits = waits; waits {
			c.logf("wait")
		}
	}
	if c.session.Closed() && !c.closed {
		c.closed = true
		c.logf("closed")
	}
	lines := c.lines
	c.lines = nil
	return lines
}

// sent writes down frames and heart-beats.
func (c *conversation) sent(out []byte) {
	for len(out) > 0 {
		if out[0] == '\n' {
			c.logf("send heart-beat")
			out = out[1:]
			continue
		}
		one, rest, whole := bytes.Cut(out, []byte{0})
		if !whole {
			c.t.Errorf("the frame %q has no end", one)
		}
		c.logf("send %s", strings.ReplaceAll(string(one), "\n", "|"))
		out = rest
	}
}

func (c *conversation) Connect(k *Connect) { c.logf("event connect %+v", *k) }

func (c *conversation) Send(r Send) {
	c.logf("event send %d to %s asked=%v%s %q", r.Receipt, r.Destination, r.Asked, within(r.Transaction), r.Body)
}

func within(t *Transaction) string {
	if t == nil {
		return ""
	}
	return " in " + t.Name
}

func (c *conversation) Subscribe(r Subscribe) {
	c.logf("event subscribe %d id=%q to %s mode=%d", r.Receipt, r.Subscription.ID, r.Subscription.Destination, r.Subscription.Mode)
}

func (c *conversation) Unsubscribe(r Unsubscribe) {
	c.logf("event unsubscribe %d known=%v", r.Receipt, r.Subscription != nil)
}

func (c *conversation) Settle(r Settle) {
	c.logf("event settle %d accepted=%v asked=%v%s %v", r.Receipt, r.Accepted, r.Asked, within(r.Transaction), r.Tokens)
}

func (c *conversation) Begin(r Transacting) {
	c.logf("event begin %d %s", r.Receipt, r.Transaction.Name)
}

func (c *conversation) Commit(r Transacting) {
	c.logf("event commit %d %s", r.Receipt, r.Transaction.Name)
}

func (c *conversation) Abort(r Transacting) {
	c.logf("event abort %d %s", r.Receipt, r.Transaction.Name)
}

func (c *conversation) Settled(token any) { c.logf("event settled %v", token) }

func (c *conversation) Fill() {
	for len(c.queue) > 0 && c.session.Room() {
		p := c.queue[0]
		c.queue = c.queue[1:]
		for _, sub := range c.session.subscriptions {
			if sub.ID == p.subscription {
				m := Message{Header: []string{"destination", sub.Destination}, Body: []byte(p.body)}
				if c.session.Deliver(sub, m, p.body) {
					c.logf("held %s", p.body)
				}
			}
		}
	}
}

func (c *conversation) Disconnected(why *Refusal) {
	if why == nil {
		c.logf("event disconnected")
		return
	}
	c.logf("event disconnected: %v", why)
}
