package datagram

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/udp/coder"

	"github.com/manifoldmq/manifold/adapters/coap/internal/block"
	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
	"github.com/manifoldmq/manifold/router/transport/transporttest"
)

// TestConversations plays each script and compares what the session says with what the script expects.
//
// Input lines start with one of these words; indented lines are expectations:
//
//	limits  Name=value ...      before anything else; Block.Name for those of blocks
//	peer    unproven            before anything else: its address has to be proven
//	recv    MESSAGE             a message of the client, encoded by the codec that serves as oracle
//	bytes   hex ...             a datagram of the client as it stands; truncated for one that was cut
//	tick    duration            time passes, and Advance is called
//	do      command             of the handler: respond N CODE, observe N CODE, with options and body; notify TOKEN CODE,
//	                            confirmable or not; forget TOKEN; and of who drives: drain, close
//
// A message is a type, a code, id=, token=, options, and after a "|" its payload: text, or "noise N" for N bytes. An
// option is its name, "=" and a number, text, or 0x and bytes; a block is number/more/size.
//
// Expectations are event (a call of the Handler), send (a datagram, decoded by the oracle) and closed.
func TestConversations(t *testing.T) {
	transporttest.Run(t, func(t testing.TB) transporttest.Conversation { return newConversation(t) })
}

// conversation is a session with a handler that writes down what it hears, and a clock.
type conversation struct {
	t        testing.TB
	shared   Shared
	proven   bool
	session  *Session
	now      time.Time
	lines    []string
	buffer   []byte
	answered func(r *session.Request) // what the handler does at once, if anything
	notified func(token message.Token)
	sent     [][]byte
	heard    int
	silent   bool // nothing is written down of what is sent
}

var (
	_ session.Handler = (*conversation)(nil)
	_ Carrier         = (*conversation)(nil)
)

// purse is a budget.
type purse struct{ left int }

func (p *purse) Take(n int) bool {
	if n > p.left {
		return false
	}
	p.left -= n
	return true
}

func (p *purse) Give(n int) { p.left += n }

var _ block.Budget = (*purse)(nil)

// newConversation begins with a proven peer, message ids of ours from 7000 on, and no randomness.
func newConversation(t testing.TB) *conversation {
	return &conversation{
		t: t, now: time.Unix(1_800_000_000, 0), proven: true, buffer: make([]byte, 0, 2048),
		shared: Shared{Limits: DefaultLimits(), Budget: &purse{1 << 30}, Random: func() uint64 { return 6999 }},
	}
}

// begin makes the session, once all is set.
func (c *conversation) begin() *Session {
	if c.session == nil {
		if err := c.shared.Limits.Validate(); err != nil {
			c.t.Fatal(err)
		}
		c.session = New(c.now, &c.shared, c, c, c.proven)
		c.session.sequence = 0
	}
	return c.session
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
			c.limit(setting)
		}
	case "peer":
		c.proven = rest != "unproven"
	case "recv":
		c.feed(encode(c.t, rest))
	case "bytes":
		c.feed(transporttest.Hex(c.t, rest))
	case "truncated":
		c.begin().Truncated(c.now, transporttest.Hex(c.t, rest))
	case "tick":
		d, err := time.ParseDuration(rest)
		if err != nil {
			c.t.Fatal(err)
		}
		c.tick(d)
	case "do":
		c.do(rest)
	default:
		c.t.Fatalf("unknown word %q", word)
	}
}

// Take implements transporttest.Conversation.
func (c *conversation) Take() []string {
	if c.session != nil {
		for {
			c.session.Flush(c.now)
			if len(c.session.written) == 0 {
				break
			}
		}
	}
	lines := c.lines
	c.lines = nil
	return lines
}

func (c *conversation) feed(p []byte) {
	c.heard += len(p)
	c.begin().Feed(c.now, p)
}

// tick lets time pass, and calls Advance at each deadline on the way.
func (c *conversation) tick(d time.Duration) {
	end := c.now.Add(d)
	for s := c.begin(); ; {
		at := s.Deadline()
		if at.IsZero() || at.After(end) {
			break
		}
		c.now = at
		s.Advance(at)
		s.Flush(at)
	}
	c.now = end
}

func (c *conversation) limit(setting string) {
	c.t.Helper()
	name, value, _ := strings.Cut(setting, "=")
	limits := reflect.ValueOf(&c.shared.Limits).Elem()
	if inner, ok := strings.CutPrefix(name, "Block."); ok {
		limits, name = limits.FieldByName("Block"), inner
	}
	field := limits.FieldByName(name)
	if !field.IsValid() {
		c.t.Fatalf("no limit %s", name)
	}
	if d, err := time.ParseDuration(value); err == nil && field.Type() == reflect.TypeFor[time.Duration]() {
		field.SetInt(int64(d))
	} else if n, err := strconv.Atoi(value); err == nil {
		field.SetInt(int64(n))
	} else {
		c.t.Fatal(setting)
	}
}

func (c *conversation) do(rest string) {
	c.t.Helper()
	head, body, _ := strings.Cut(rest, "|")
	words := strings.Fields(head)
	s := c.begin()
	switch words[0] {
	case "respond", "observe":
		n, err := strconv.Atoi(words[1])
		if err != nil {
			c.t.Fatal(err)
		}
		r := session.Response{Code: codeOf(c.t, words[2]), Options: optionsOf(c.t, words[3:]), Body: payloadOf(c.t, body)}
		if words[0] == "respond" {
			s.Respond(c.now, session.Exchange(n), r)
		} else {
			s.Observe(c.now, session.Exchange(n), r)
		}
	case "notify":
		confirmable := slices.Contains(words, "confirmable")
		words = slices.DeleteFunc(words, func(w string) bool { return w == "confirmable" })
		r := session.Response{Code: codeOf(c.t, words[2]), Options: optionsOf(c.t, words[3:]), Body: payloadOf(c.t, body)}
		s.Notify(c.now, transporttest.Hex(c.t, words[1]), r, confirmable)
	case "forget":
		s.Forget(transporttest.Hex(c.t, words[1]))
	case "drain":
		s.Drain(c.now)
	case "close":
		s.Close(c.now)
	default:
		c.t.Fatalf("unknown command %q", words[0])
	}
}

// Request implements session.Handler.
func (c *conversation) Request(_ time.Time, r *session.Request) {
	if c.answered != nil {
		c.answered(r)
		return
	}
	waits := ""
	if !r.Waits {
		waits = " at most once"
	}
	c.logf("event request %d%s %s token=%x%s%s", r.Exchange, waits, codeText(r.Code), []byte(r.Token),
		optionsText(r.Options), payloadText(r.Body))
}

// Notified implements session.Handler.
func (c *conversation) Notified(_ time.Time, token message.Token) {
	if c.notified != nil {
		c.notified(token)
		return
	}
	c.logf("event notified %x", []byte(token))
}

// Forgotten implements session.Handler.
func (c *conversation) Forgotten(_ time.Time, token message.Token) {
	c.logf("event forgotten %x", []byte(token))
}

// Disconnected implements session.Handler.
func (c *conversation) Disconnected(time.Time) { c.logf("event disconnected") }

// Buffer implements Carrier.
func (c *conversation) Buffer() []byte { return c.buffer[:0] }

// Origin implements Carrier.
func (c *conversation) Origin() []byte { return []byte("192.0.2.1") }

// Send implements Carrier.
func (c *conversation) Send(p []byte) {
	c.sent = append(c.sent, bytes.Clone(p))
	if !c.silent {
		c.logf("send %s", messageText(c.t, p))
	}
}

// methods are the request codes that scripts use.
var methods = map[string]codes.Code{"GET": codes.GET, "POST": codes.POST, "PUT": codes.PUT, "DELETE": codes.DELETE,
	"FETCH": fetch, "PATCH": 6, "iPATCH": 7}

func codeOf(t testing.TB, word string) codes.Code {
	t.Helper()
	if c, ok := methods[word]; ok {
		return c
	}
	var class, detail int
	if _, err := fmt.Sscanf(word, "%d.%02d", &class, &detail); err != nil {
		t.Fatalf("code %q: %v", word, err)
	}
	return codes.Code(class<<5 | detail)
}

func codeText(c codes.Code) string {
	for name, code := range methods {
		if code == c {
			return name
		}
	}
	return fmt.Sprintf("%d.%02d", c>>5, c&31)
}

var kinds = []string{"CON", "NON", "ACK", "RST"}

// form is how the value of an option is written.
type form byte

const (
	text form = iota
	number
	opaque
	blocks
)

// optionForms are the options that scripts use.
var optionForms = []struct {
	name string
	id   message.OptionID
	form form
}{
	{"If-Match", message.IfMatch, opaque}, {"Uri-Host", message.URIHost, text}, {"ETag", message.ETag, opaque},
	{"Observe", message.Observe, number}, {"Location-Path", message.LocationPath, text}, {"Uri-Path", message.URIPath, text},
	{"Content-Format", message.ContentFormat, number}, {"Max-Age", message.MaxAge, number},
	{"Uri-Query", message.URIQuery, text}, {"Hop-Limit", 16, number}, {"Accept", message.Accept, number},
	{"Block2", message.Block2, blocks}, {"Block1", message.Block1, blocks}, {"Size2", message.Size2, number},
	{"Proxy-Uri", message.ProxyURI, text}, {"Proxy-Scheme", message.ProxyScheme, text}, {"Size1", message.Size1, number},
	{"Echo", 252, opaque}, {"No-Response", message.NoResponse, number}, {"Request-Tag", 292, opaque},
}

func optionsOf(t testing.TB, words []string) (options message.Options) {
	t.Helper()
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		options = options.Add(optionOf(t, name, value))
	}
	return options
}

func optionOf(t testing.TB, name, value string) message.Option {
	t.Helper()
	if n, err := strconv.Atoi(name); err == nil {
		return message.Option{ID: message.OptionID(n), Value: []byte(value)}
	}
	for _, f := range optionForms {
		if f.name != name {
			continue
		}
		switch f.form {
		case number:
			n, err := strconv.ParseUint(value, 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			return message.Option{ID: f.id, Value: shortest(uint32(n))}
		case opaque:
			return message.Option{ID: f.id, Value: transporttest.Hex(t, strings.TrimPrefix(value, "0x"))}
		case blocks:
			var b block.Option
			var more, size int
			if _, err := fmt.Sscanf(value, "%d/%d/%d", &b.Number, &more, &size); err != nil {
				t.Fatalf("block %q: %v", value, err)
			}
			b.More, b.Size = more == 1, block.SizeOf(size)
			return message.Option{ID: f.id, Value: b.Append(nil)}
		default:
			return message.Option{ID: f.id, Value: []byte(value)}
		}
	}
	t.Fatalf("no option %q", name)
	return message.Option{}
}

// shortest gives a number in as few bytes as it needs.
func shortest(n uint32) []byte {
	b := make([]byte, 4)
	size, _ := message.EncodeUint32(b, n)
	return b[:size]
}

func optionsText(options message.Options) string {
	var s strings.Builder
	for _, o := range options {
		s.WriteString(" " + optionText(o))
	}
	return s.String()
}

func optionText(o message.Option) string {
	for _, f := range optionForms {
		if f.id != o.ID {
			continue
		}
		switch f.form {
		case number:
			n, _, _ := message.DecodeUint32(o.Value)
			return fmt.Sprintf("%s=%d", f.name, n)
		case opaque:
			return fmt.Sprintf("%s=0x%s", f.name, hex.EncodeToString(o.Value))
		case blocks:
			b, _ := block.Parse(o.Value)
			more := map[bool]int{true: 1}[b.More]
			return fmt.Sprintf("%s=%d/%d/%d", f.name, b.Number, more, b.Size.Bytes())
		default:
			return fmt.Sprintf("%s=%s", f.name, o.Value)
		}
	}
	return fmt.Sprintf("%d=%s", o.ID, o.Value)
}

// payloadOf gives the bytes of a payload as a script writes it.
func payloadOf(t testing.TB, s string) []byte {
	t.Helper()
	s = strings.TrimSpace(s)
	size, ok := strings.CutPrefix(s, "noise ")
	if !ok {
		return []byte(s)
	}
	n, err := strconv.Atoi(size)
	if err != nil {
		t.Fatal(err)
	}
	return noise(n)
}

func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i) ^ byte(i>>8)*31
	}
	return b
}

func payloadText(p []byte) string {
	switch {
	case len(p) == 0:
		return ""
	case bytes.ContainsFunc(p, func(r rune) bool { return r < ' ' || r > '~' }):
		return fmt.Sprintf(" | %d bytes", len(p))
	}
	return " | " + string(p)
}

// encode gives the datagram of a message as a script writes it.
func encode(t testing.TB, line string) []byte {
	t.Helper()
	head, payload, _ := strings.Cut(line, "|")
	words := strings.Fields(head)
	m := message.Message{Type: message.Type(slices.Index(kinds, words[0])), Code: codeOf(t, words[1]), Payload: payloadOf(t, payload)}
	for _, w := range words[2:] {
		name, value, _ := strings.Cut(w, "=")
		switch name {
		case "id":
			n, err := strconv.Atoi(value)
			if err != nil {
				t.Fatal(err)
			}
			m.MessageID = int32(n)
		case "token":
			m.Token = transporttest.Hex(t, value)
		default:
			m.Options = m.Options.Add(optionOf(t, name, value))
		}
	}
	p := make([]byte, 4096)
	n, err := coder.DefaultCoder.Encode(m, p)
	if err != nil {
		t.Fatal(err)
	}
	return p[:n]
}

// decode reads a datagram of ours.
func decode(t testing.TB, p []byte) message.Message {
	t.Helper()
	m := message.Message{Options: make(message.Options, 0, 32)}
	if _, err := coder.DefaultCoder.Decode(p, &m); err != nil {
		t.Fatalf("%x: %v", p, err)
	}
	return m
}

func messageText(t testing.TB, p []byte) string {
	t.Helper()
	m := decode(t, p)
	s := fmt.Sprintf("%s %s id=%d", kinds[m.Type], codeText(m.Code), m.MessageID)
	if len(m.Token) > 0 {
		s += fmt.Sprintf(" token=%x", []byte(m.Token))
	}
	return s + optionsText(m.Options) + payloadText(m.Payload)
}
