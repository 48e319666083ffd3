package engine

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/transport/transporttest"
)

// TestConversations plays each script and compares what the engine says with what the script expects.
//
// Input lines start with one of these words; indented lines are expectations:
//
//	server  mechanisms=A,B optional    before anything else; "server" alone is the default
//	client  mechanism=PLAIN
//	limits  Name=value ...             before anything else
//	opened  Window=n MaxFrameSize=n    a client opens and begins a session, which is not written down
//	recv    Frame Field=value ...      a frame of the peer, in the notation of notation_test.go
//	bytes   hex ...                    bytes of the peer as they stand
//	tick    duration                   time passes and Advance is called if it is due
//	do      command key=value ...      a command of the owner
//
// Expectations are event (a call of the Handler), send (a frame that Flush gave), error (of Feed or Advance), refused
// (of a command), taken (by a command), wait (not Ready) and closed.
func TestConversations(t *testing.T) {
	transporttest.Run(t, func(t testing.TB) transporttest.Conversation { return newConversation(t) })
}

// conversation is an engine with an owner that writes down what it hears, and a clock.
type conversation struct {
	t        testing.TB
	limits   Limits
	server   Server
	client   *Client
	conn     *Conn
	now      time.Time
	lines    []string
	closed   bool
	sessions map[string]*Session
	links    map[string]*Link
	handler  Handler // instead of the conversation itself
}

var _ Handler = (*conversation)(nil)

func newConversation(t testing.TB) *conversation {
	return &conversation{t: t, limits: DefaultLimits(), now: time.Unix(1_800_000_000, 0),
		server: Server{ContainerID: "server"}, sessions: map[string]*Session{}, links: map[string]*Link{}}
}

// start makes the engine once all settings are known.
func (c *conversation) start() {
	if c.conn != nil {
		return
	}
	h := c.handler
	if h == nil {
		h = c
	}
	if c.client != nil {
		c.conn = NewClient(c.now, &c.limits, *c.client, h)
	} else {
		c.conn = NewServer(c.now, &c.limits, c.server, h)
	}
}

func (c *conversation) logf(format string, args ...any) {
	c.lines = append(c.lines, fmt.Sprintf(format, args...))
}

// Take implements transporttest.Conversation: it flushes and gives what was written down since the last call.
func (c *conversation) Take() []string {
	if c.conn == nil {
		return nil
	}
	for {
		out := c.conn.Flush(nil)
		if len(out) == 0 {
			break
		}
		for _, l := range decodeFrames(c.t, out) {
			c.logf("send %s", l)
		}
	}
	if c.conn.Closed() && !c.closed {
		c.closed = true
		c.logf("closed")
	} else if !c.conn.Ready() && !c.closed {
		c.logf("wait")
	}
	lines := c.lines
	c.lines = nil
	return lines
}

// Input implements transporttest.Conversation: it does what a line of a script says.
func (c *conversation) Input(word, rest string) {
	switch word {
	case "server", "client", "limits":
		c.setting(word, parseLine(c.t, word+" "+rest))
		return
	}
	c.start()
	switch word {
	case "opened":
		c.opened(parseLine(c.t, word+" "+rest))
	case "recv":
		c.feed(encodeFrame(c.t, rest))
	case "bytes":
		c.feed(transporttest.Hex(c.t, rest))
	case "tick":
		d, err := time.ParseDuration(rest)
		if err != nil {
			c.t.Fatal(err)
		}
		c.now = c.now.Add(d)
		c.advance()
	case "do":
		c.command(parseLine(c.t, rest))
		c.advance()
	default:
		c.t.Fatalf("unknown word %q", word)
	}
}

// opened plays what most scripts begin with.
func (c *conversation) opened(l line) {
	open, begin := "Open ContainerID=client", "Begin NextOutgoingID=0 OutgoingWindow=100"
	if l.has("MaxFrameSize") {
		open += " MaxFrameSize=" + l.text("MaxFrameSize")
	}
	window := "100"
	if l.has("Window") {
		window = l.text("Window")
	}
	c.Input("recv", "Header AMQP")
	c.Input("recv", open)
	c.conn.Open(frame.Open{})
	c.Input("recv", begin+" IncomingWindow="+window)
	c.Take()
}

func (c *conversation) setting(word string, l line) {
	switch word {
	case "server":
		for m := range strings.SplitSeq(l.text("mechanisms"), ",") {
			c.server.Mechanisms = append(c.server.Mechanisms, amqp.Symbol(m))
		}
		c.server.Optional = l.has("optional")
	case "client":
		c.client = &Client{Hostname: "host"}
		c.client.Mechanisms = mechanismsOf(c.t, l.text("mechanism"))
	case "limits":
		for _, key := range l.keys {
			c.limit(key, l)
		}
	}
}

// mechanismsOf gives the client's mechanism of a name. Names and passwords of SCRAM are those of RFC 7677 section 3.
func mechanismsOf(t testing.TB, name string) []Mechanism {
	var m Mechanism
	var err error
	switch name {
	case "PLAIN":
		m = WithPlain("user", "secret")
	case "ANONYMOUS":
		m = WithAnonymous("trace")
	case "EXTERNAL":
		m = WithExternal("")
	case "SCRAM-SHA-256":
		m, err = WithSCRAMSHA256("user", "pencil", "rOprNGfwEbeRWgbNEkqO")
	case "SCRAM-SHA-512":
		m, err = WithSCRAMSHA512("user", "pencil", "rOprNGfwEbeRWgbNEkqO")
	case "OAUTHBEARER":
		m, err = WithOAuthBearer("user", "token")
	case "XOAUTH2":
		m, err = WithXOAuth2("user", "token")
	default:
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return []Mechanism{m}
}

func (c *conversation) limit(key string, l line) {
	n := l.number(key)
	switch key {
	case "MaxFrameSize":
		c.limits.MaxFrameSize = uint32(n)
	case "ChannelMax":
		c.limits.ChannelMax = uint16(n)
	case "HandleMax":
		c.limits.HandleMax = uint32(n)
	case "MaxLinks":
		c.limits.MaxLinks = n
	case "MaxKept":
		c.limits.MaxKept = n
	case "MaxMessageSize":
		c.limits.MaxMessageSize = uint64(n)
	case "MaxPartial":
		c.limits.MaxPartial = n
	case "MaxUnsettled":
		c.limits.MaxUnsettled = n
	case "IncomingBytes":
		c.limits.IncomingBytes = n
	case "IncomingWindow":
		c.limits.IncomingWindow = uint32(n)
	default:
		c.t.Fatalf("unknown limit %s", key)
	}
}

func (c *conversation) feed(b []byte) {
	borrowed := bytes.Clone(b)
	err := c.conn.Feed(c.now, borrowed)
	for i := range borrowed {
		borrowed[i] = 0xAA // whoever kept a borrowed slice will show it
	}
	c.failed(err)
}

// advance lets the engine act if it wants to.
func (c *conversation) advance() {
	for range 4 {
		if d := c.conn.Deadline(); d.IsZero() || c.now.Before(d) {
			return
		}
		c.failed(c.conn.Advance(c.now))
	}
}

func (c *conversation) failed(err error) {
	if err != nil {
		c.logf("error %v", err)
	}
}

// command runs one command of the owner.
func (c *conversation) command(l line) {
	if c.linkCommand(l) {
		return
	}
	s := c.sessions[l.text("session")]
	switch l.word {
	case "open":
		o := frame.Open{}
		delete(l.vals, "open")
		l.fill(c.t, &o)
		c.conn.Open(o)
	case "challenge":
		c.conn.Challenge([]byte(l.text("data")))
	case "admit":
		var additional []byte
		if l.has("data") {
			additional = []byte(l.text("data"))
		}
		c.conn.Admit(additional)
	case "deny":
		c.conn.Deny(frame.SASLAuth)
	case "hold":
		c.conn.Hold()
	case "resume":
		c.conn.Resume()
	case "begin":
		c.sessions[l.text("session")] = c.conn.Begin()
		if c.sessions[l.text("session")] == nil {
			c.logf("refused")
		}
	case "hold-session":
		s.Hold()
	case "resume-session":
		s.Resume()
	case "end":
		s.End(fault(l))
	case "attach":
		a := frame.Attach{SenderSettleMode: frame.SendMixed}
		l.without("session").fill(c.t, &a)
		link := s.Attach(a)
		if link == nil {
			c.logf("refused")
			return
		}
		c.links[a.Name] = link
	case "close":
		c.conn.Close(fault(l))
	case "drain":
		c.conn.Drain(c.now)
	case "lost":
		c.conn.Lost()
	default:
		c.t.Fatalf("unknown command %q", l.word)
	}
}

// without gives the line without a key that is no field.
func (l line) without(names ...string) line {
	out := line{word: l.word, vals: l.vals}
	for _, key := range l.keys {
		found := false
		for _, name := range names {
			found = found || key == name
		}
		if !found {
			out.keys = append(out.keys, key)
		}
	}
	return out
}

func fault(l line) *frame.Error {
	if !l.has("error") {
		return nil
	}
	return &frame.Error{Condition: amqp.Symbol(l.text("error")), Description: l.text("text")}
}

// linkCommand runs a command of a link, named by link=.
func (c *conversation) linkCommand(l line) bool {
	if !l.has("link") {
		return false
	}
	link := c.links[l.text("link")]
	if link == nil {
		c.t.Fatalf("no link %q", l.text("link"))
	}
	switch l.word {
	case "accept":
		a := frame.Attach{}
		l.without("link").fill(c.t, &a)
		link.Accept(a)
	case "refuse":
		link.Refuse(fault(l))
	case "stream":
		link.Stream()
	case "gather":
		link.Stream()
		link.Context = gathers
	case "take":
		c.logf("taken %s", plain(link.Take()))
	case "grant":
		link.Grant(l.number("n"))
	case "credit":
		link.SetCredit(l.number("n"), l.has("Drain"))
	case "drain":
		link.Drain()
	case "drained":
		link.Drained()
	case "available":
		link.SetAvailable(uint32(l.number("n")))
	case "detach":
		link.Detach()
	case "close":
		link.Close(fault(l))
	case "settle", "update":
		c.settle(link, l)
	case "settle-and-close":
		c.settle(link, l)
		c.conn.Close(nil)
	case "together":
		for id := range strings.SplitSeq(l.text("ids"), ",") {
			l.vals["id"] = id
			c.settle(link, l.without("ids"))
		}
	case "send":
		c.send(link, l)
	case "continue":
		c.refused(link.Continue(l.payload(), l.has("More")))
	case "abort":
		c.refused(link.Abort())
	default:
		c.t.Fatalf("unknown command %q", l.word)
	}
	return true
}

func (c *conversation) refused(err error) {
	if err != nil {
		c.logf("refused %v", err)
	}
}

func (c *conversation) settle(link *Link, l line) {
	state := frame.State{}
	l.without("link", "id").fill(c.t, &state)
	command := link.Settle
	if l.word == "update" {
		command = link.Update
	}
	if !command(uint32(l.number("id")), state) {
		c.logf("refused")
	}
}

func (c *conversation) send(link *Link, l line) {
	d := Delivery{Payload: l.payload(), More: l.has("More"), Settled: l.has("Settled"), Resume: l.has("Resume")}
	if l.has("Tag") {
		d.Tag = []byte(l.text("Tag"))
	}
	if l.has("Token") {
		d.Token = l.text("Token")
	}
	if l.has("TxnID") {
		d.State = &frame.State{Kind: frame.Transactional, TxnID: []byte(l.text("TxnID"))}
	}
	c.refused(link.Send(d))
}
