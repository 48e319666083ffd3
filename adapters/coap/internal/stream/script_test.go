package stream

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/block"
	"github.com/manifoldmq/manifold/adapters/coap/internal/option"
	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/router/transport/transporttest"
)

var _ transport.Engine = (*Engine)(nil)

// TestConversations plays each script and compares what the engine says with what the script expects.
//
// Input lines start with one of these words; indented lines are expectations:
//
//	limits  name=value ...      before anything else
//	recv    MESSAGE             a message of the client
//	bytes   hex                 octets of the client as they stand
//	tick    duration            time passes, and Advance is called
//	do      command arguments   of the door: respond X MESSAGE, observe X MESSAGE, notify TOKEN MESSAGE, forget TOKEN;
//	                            drain, lost
//
// A message is its code, its token in hex or - for none, options as number=text or number:hex, and its payload after
// "|"; "*N" there stands for N octets. Expectations are event (a call of the client), send (a message that Flush gave),
// wait (not Ready) and closed.
func TestConversations(t *testing.T) {
	transporttest.Run(t, func(t testing.TB) transporttest.Conversation { return newConversation(t) })
}

// conversation is an engine with a door that writes down what it hears, and a clock.
type conversation struct {
	t      testing.TB
	shared Shared
	engine *Engine
	now    time.Time
	lines  []string
	taken  int // octets of bodies
	closed bool
}

var _ session.Client = (*conversation)(nil)

func newConversation(t testing.TB) *conversation {
	c := &conversation{t: t, now: time.Unix(1_800_000_000, 0)}
	c.shared = Shared{DefaultLimits(), block.DefaultLimits(), budget{&c.taken}, func() time.Time { return c.now }}
	c.engine = New(&c.shared, c)
	return c
}

// budget counts what bodies take.
type budget struct{ taken *int }

func (b budget) Take(n int) bool { *b.taken += n; return true }
func (b budget) Give(n int)      { *b.taken -= n }

func (c *conversation) logf(format string, args ...any) {
	c.lines = append(c.lines, fmt.Sprintf(format, args...))
}

// Input implements transporttest.Conversation.
func (c *conversation) Input(word, rest string) {
	c.t.Helper()
	switch word {
	case "limits":
		for _, setting := range strings.Fields(rest) {
			name, value, _ := strings.Cut(setting, "=")
			n, err := strconv.Atoi(value)
			field := reflect.ValueOf(&c.shared.Limits).Elem().FieldByName(name)
			if err != nil || !field.IsValid() {
				c.t.Fatalf("%s: %v", setting, err)
			}
			field.SetInt(int64(n))
		}
		c.engine = New(&c.shared, c)
	case "tick":
		d, err := time.ParseDuration(rest)
		if err != nil {
			c.t.Fatal(err)
		}
		c.now = c.now.Add(d)
		c.engine.Advance(c.now)
	case "do":
		command, rest, _ := strings.Cut(rest, " ")
		c.command(command, rest)
	default:
		c.engine.Feed(c.now, octets(c.t, word, rest))
	}
}

func (c *conversation) command(command, rest string) {
	c.t.Helper()
	which, rest, _ := strings.Cut(rest, " ")
	number, _ := strconv.ParseUint(which, 10, 64)
	m := message.Message{}
	if rest != "" {
		m = parse(c.t, rest)
	}
	r := session.Response{Code: m.Code, Options: m.Options, Body: m.Payload}
	switch command {
	case "respond":
		c.engine.Respond(c.now, session.Exchange(number), r)
	case "observe":
		c.engine.Observe(c.now, session.Exchange(number), r)
	case "notify":
		c.engine.Notify(c.now, transporttest.Hex(c.t, which), r, true)
	case "forget":
		c.engine.Forget(transporttest.Hex(c.t, which))
	case "drain":
		c.engine.Drain(c.now)
	case "lost":
		c.engine.Lost(c.now)
	default:
		c.t.Fatalf("unknown command %q", command)
	}
}

// octets gives what an input line has the client send.
func octets(t testing.TB, word, rest string) []byte {
	t.Helper()
	switch word {
	case "recv":
		m := parse(t, rest)
		o, err := encode(m.Code, tokenOf(m.Token), m.Options, m.Payload)
		if err != nil {
			t.Fatal(err)
		}
		return append(o.head, o.body...)
	case "bytes":
		return transporttest.Hex(t, rest)
	}
	return nil
}

func parse(t testing.TB, line string) (m message.Message) {
	t.Helper()
	line, payload, _ := strings.Cut(line, "|")
	if payload = strings.TrimSpace(payload); strings.HasPrefix(payload, "*") {
		n, err := strconv.Atoi(payload[1:])
		if err != nil {
			t.Fatal(err)
		}
		payload = strings.Repeat("x", n)
	}
	m.Payload = []byte(payload)
	for i, f := range strings.Fields(line) {
		switch {
		case i == 0:
			class, detail, _ := strings.Cut(f, ".")
			c, _ := strconv.Atoi(class)
			d, err := strconv.Atoi(detail)
			if err != nil {
				t.Fatalf("code %s", f)
			}
			m.Code = codes.Code(c<<5 | d)
		case i == 1 && f != "-":
			m.Token = transporttest.Hex(t, f)
		case i > 1:
			number, value, text := strings.Cut(f, "=")
			raw := []byte(value)
			if !text {
				number, value, _ = strings.Cut(f, ":")
				raw = transporttest.Hex(t, value)
			}
			id, err := strconv.Atoi(number)
			if err != nil {
				t.Fatalf("option %s", f)
			}
			m.Options = append(m.Options, message.Option{ID: message.OptionID(id), Value: raw})
		}
	}
	return m
}

func show(code codes.Code, t []byte, options message.Options, payload []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d.%02d %s", code>>5, code&31, hex.EncodeToString(t))
	if len(t) == 0 {
		b.WriteString("-")
	}
	for _, o := range options {
		switch {
		case o.ID == message.URIPath:
			fmt.Fprintf(&b, " %d=%s", o.ID, o.Value)
		case o.ID == message.ETag && len(o.Value) > 1:
			fmt.Fprintf(&b, " %d:random", o.ID) // of package block
		default:
			fmt.Fprintf(&b, " %d:%x", o.ID, o.Value)
		}
	}
	switch {
	case len(payload) > 100:
		fmt.Fprintf(&b, " | *%d", len(payload))
	case len(payload) > 0:
		fmt.Fprintf(&b, " | %s", payload)
	}
	return b.String()
}

// Take implements transporttest.Conversation.
func (c *conversation) Take() []string {
	p := c.engine.Flush(nil)
	for len(p) > 0 {
		f, size, err := next(p, 1<<30)
		if err != nil || size == 0 {
			c.t.Fatalf("flushed %x: %v", p, err)
		}
		options, payload, err := option.Decode(nil, f.rest, 100)
		if err != nil {
			c.t.Fatalf("flushed %x: %v", p, err)
		}
		c.logf("send %s", show(f.code, f.token.bytes(), options, payload))
		p = p[size:]
	}
	if !c.engine.Ready() {
		c.logf("wait")
	}
	if c.engine.Closed() && !c.closed {
		c.closed = true
		c.logf("closed")
	}
	lines := c.lines
	c.lines = nil
	return lines
}

func (c *conversation) Attach(session.Session) {}
func (c *conversation) Collect(time.Time)      {}
func (c *conversation) Deadline() time.Time    { return time.Time{} }
func (c *conversation) Idle() bool             { return true }
func (c *conversation) Drain(time.Time)        { c.logf("event drain") }

func (c *conversation) Request(_ time.Time, r *session.Request) {
	if !r.Waits {
		c.t.Error("a client of a reliable transport always waits")
	}
	c.logf("event request %d %s", r.Exchange, show(r.Code, r.Token, r.Options, r.Body))
}

func (c *conversation) Notified(_ time.Time, t message.Token) { c.logf("event notified %x", []byte(t)) }

func (c *conversation) Forgotten(_ time.Time, t message.Token) {
	c.logf("event forgotten %x", []byte(t))
}

func (c *conversation) Disconnected(time.Time) {
	c.logf("event disconnected")
	if c.taken != 0 {
		c.t.Errorf("%d octets of bodies are not given back", c.taken)
	}
}

// FuzzEngine feeds what clients might send, cut anywhere, and has the door answer everything.
func FuzzEngine(f *testing.F) {
	for _, stream := range transporttest.Streams(f, func() transporttest.Encode {
		return func(word, rest string) []byte { return octets(f, word, rest) }
	}) {
		f.Add(stream, []byte{0})
		f.Add(stream, []byte{})
	}
	f.Fuzz(func(t *testing.T, stream, cuts []byte) {
		c := newConversation(t)
		c.shared.Limits.MaxMessage, c.shared.Limits.MaxExchanges = 4096, 8
		for piece := range transporttest.Pieces(stream, cuts) {
			if c.engine.Ready() {
				c.engine.Feed(c.now, piece)
			}
			for _, line := range c.Take() {
				var x uint64
				if n, _ := fmt.Sscanf(line, "event request %d", &x); n == 1 && x%3 > 0 {
					r := session.Response{Code: codes.Content, Body: bytes.Repeat([]byte("y"), int(x*300))}
					c.engine.Observe(c.now, session.Exchange(x), r)
				}
			}
			if len(c.engine.in) > 4096+maxBacklog {
				t.Fatalf("%d octets are kept", len(c.engine.in))
			}
		}
		c.engine.Lost(c.now)
	})
}
