package session

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/manifoldmq/manifold/router/transport/transporttest"
)

// TestConversations plays each script and compares what the session says with what the script expects.
//
// Input lines start with one of these words; indented lines are expectations:
//
//	limits  name=value ...             before anything else
//	recv    PACKET key=value ...       a packet of the client, encoded by the codec that serves as oracle
//	bytes   hex ...                    bytes of the client as they stand
//	tick    duration                   time passes and Advance is called
//	do      command key=value ...      a command of the owner
//
// Expectations are event (a call of the Handler), send (a packet that Flush gave, decoded by the oracle), error (of Feed
// or Advance), refused (of Deliver), wait (not Ready) and closed.
func TestConversations(t *testing.T) {
	transporttest.Run(t, func(t testing.TB) transporttest.Conversation { return newConversation(t) })
}

// conversation is a session with an owner that writes down what it hears, and a clock.
type conversation struct {
	t       testing.TB
	limits  Limits
	session *Session
	memory  Memory // of the last connection
	now     time.Time
	version byte
	lines   []string
	closed  bool
}

var _ Handler = (*conversation)(nil)

func newConversation(t testing.TB) *conversation {
	c := &conversation{t: t, limits: DefaultLimits(), now: time.Unix(1_800_000_000, 0), version: 5}
	c.session = New(c.now, &c.limits, c)
	return c
}

func (c *conversation) logf(format string, args ...any) {
	c.lines = append(c.lines, fmt.Sprintf(format, args...))
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
	if c.session.Closed() && !c.closed {
		c.closed = true
		c.logf("closed")
	} else if !c.session.Ready() && !c.closed {
		c.logf("wait")
	}
	lines := c.lines
	c.lines = nil
	return lines
}

// Input implements transporttest.Conversation: it does what a line of a script says.
func (c *conversation) Input(word, rest string) {
	switch word {
	case "limits":
		for _, f := range strings.Fields(rest) {
			c.limit(f)
		}
	case "recv":
		c.feed(clientPacket(c.t, &c.version, rest))
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
		c.command(rest)
		if d := c.session.Deadline(); !d.IsZero() && !c.now.Before(d) {
			c.advance()
		}
	}
}

func (c *conversation) feed(b []byte) {
	borrowed := bytes.Clone(b)
	err := c.session.Feed(c.now, borrowed)
	for i := range borrowed {
		borrowed[i] = 0xAA // whoever kept a borrowed slice will show it
	}
	c.failed(err)
}

func (c *conversation) advance() { c.failed(c.session.Advance(c.now)) }

func (c *conversation) failed(err error) {
	if err != nil {
		c.logf("error %v", err)
	}
}

func (c *conversation) limit(setting string) {
	name, value, _ := strings.Cut(setting, "=")
	n, err := strconv.Atoi(value)
	if err != nil {
		c.t.Fatal(err)
	}
	fields := map[string]*int{"maxPacketSize": &c.limits.MaxPacketSize, "maxInflight": &c.limits.MaxInflight,
		"maxInflightBytes": &c.limits.MaxInflightBytes, "maxUnacknowledged": &c.limits.MaxUnacknowledged,
		"maxPending": &c.limits.MaxPending, "maxRequests": &c.limits.MaxRequests, "maxTopicLength": &c.limits.MaxTopicLength,
		"maxSubscriptionsPerPacket": &c.limits.MaxSubscriptionsPerPacket, "maxPendingBytes": &c.limits.MaxPendingBytes}
	switch name {
	case "maxKeepAlive":
		c.limits.MaxKeepAlive = time.Duration(n) * time.Second
		return
	case "maxQoS":
		c.limits.MaxQoS = byte(n)
		return
	}
	*fields[name] = n
}

// command runs one command of the owner.
func (c *conversation) command(line string) {
	a := parseArgs(line)
	s := c.session
	switch a.word {
	case "accept":
		features := Features{Retain: true, Wildcards: true, SubscriptionIDs: true, SharedSubscriptions: a.has("shared")}
		if a.has("plain") {
			features = Features{}
		}
		s.AcceptConnect(Accept{SessionPresent: a.has("present"), AssignedClientID: a.text("assigned"),
			ServerKeepAlive: uint16(a.number("keepalive")), OverrideExpiry: a.has("expiry"),
			SessionExpiry: uint32(a.number("expiry")), Features: features, Memory: c.memory,
			AuthData: []byte(a.text("data")), ResponseInformation: a.text("responses")})
	case "reconnect":
		c.session, c.closed = New(c.now, &c.limits, c), false
	case "receive":
		s.Receive(uint16(a.number("id")), Reason(a.number("code")), a.text("text"))
	case "complete":
		s.Complete(uint16(a.number("id")), !a.has("unknown"))
	case "resend":
		if err := s.Resend(uint16(a.number("id")), a.publication()); err != nil {
			c.logf("refused %v", err)
		}
	case "challenge":
		s.Challenge([]byte(a.text("data")))
	case "authenticated":
		s.Authenticated([]byte(a.text("data")))
	case "refuse":
		s.RefuseConnect(a.notice())
	case "ack":
		s.Acknowledge(Receipt(a.number("receipt")), Reason(a.number("code")), a.text("text"))
	case "suback":
		s.SubAck(uint16(a.number("id")), a.codes(), a.text("text"))
	case "unsuback":
		s.UnsubAck(uint16(a.number("id")), a.codes(), a.text("text"))
	case "deliver":
		if err := s.Deliver(a.publication()); err != nil {
			c.logf("refused %v", err)
		}
	case "disconnect":
		s.Disconnect(a.notice())
	case "lost":
		s.Lost()
	case "hold":
		s.Hold()
	case "resume":
		s.Resume()
	default:
		c.t.Fatalf("unknown command %q", line)
	}
}

// notice is what refuse and disconnect say.
func (a args) notice() Notice {
	return Notice{Code: Reason(a.number("code")), Text: a.text("text"), Server: a.text("server")}
}

// args are the words of a line: one command, then key=value or key.
type args struct {
	word   string
	values map[string][]string
}

func parseArgs(line string) args {
	fields := strings.Fields(line)
	a := args{word: fields[0], values: map[string][]string{}}
	for _, f := range fields[1:] {
		key, value, _ := strings.Cut(f, "=")
		a.values[key] = append(a.values[key], value)
	}
	return a
}

func (a args) has(key string) bool { return a.values[key] != nil }

func (a args) text(key string) string {
	if v := a.values[key]; v != nil {
		return v[0]
	}
	return ""
}

func (a args) number(key string) uint64 {
	n, err := strconv.ParseUint(a.text(key), 0, 64)
	if err != nil && a.has(key) {
		panic(err)
	}
	return n
}

func (a args) codes() (codes []Reason) {
	for f := range strings.SplitSeq(a.text("codes"), ",") {
		n, err := strconv.ParseUint(f, 0, 8)
		if err != nil {
			panic(err)
		}
		codes = append(codes, Reason(n))
	}
	return codes
}

func (a args) payload() []byte {
	if a.has("size") {
		return bytes.Repeat([]byte("x"), int(a.number("size")))
	}
	return []byte(a.text("payload"))
}

func (a args) publication() Publication {
	p := Publication{Topic: a.text("topic"), Payload: a.payload(), QoS: byte(a.number("qos")), Retain: a.has("retain"),
		Dup: a.has("dup"), Token: a.text("token")}
	p.Properties.Text = a.has("text")
	p.Properties.Expires, p.Properties.Expiry = a.has("expiry"), uint32(a.number("expiry"))
	for key, field := range map[string]*[]byte{"type": &p.Properties.ContentType, "reply": &p.Properties.ResponseTopic,
		"correlation": &p.Properties.CorrelationData} {
		if a.has(key) {
			*field = []byte(a.text(key))
		}
	}
	for _, pair := range a.values["user"] {
		name, value, _ := strings.Cut(pair, ":")
		p.Properties.User.Append(name, value)
	}
	if a.has("subid") {
		p.SubscriptionIDs = []uint32{uint32(a.number("subid"))}
	}
	return p
}

func describeProperties(p Properties) string {
	var b strings.Builder
	if p.Text {
		b.WriteString(" text")
	}
	if p.Expires {
		fmt.Fprintf(&b, " expiry=%d", p.Expiry)
	}
	for i, f := range [][]byte{p.ContentType, p.ResponseTopic, p.CorrelationData} {
		if f != nil {
			fmt.Fprintf(&b, " %s=%s", []string{"type", "reply", "correlation"}[i], f)
		}
	}
	return b.String() + describeUser(p.User)
}

func describeUser(u UserProperties) string {
	var b strings.Builder
	for name, value := range u.All() {
		fmt.Fprintf(&b, " user=%s:%s", name, value)
	}
	return b.String()
}

func brief(b []byte) string {
	if len(b) > 40 {
		return fmt.Sprintf("(%d bytes)", len(b))
	}
	return string(b)
}

func (c *conversation) Connect(k *Connect) {
	c.logf("event connect version=%d id=%q clean=%v keepalive=%d expiry=%d receive=%d size=%d aliases=%d%s", k.Version, k.ClientID,
		k.CleanStart, k.KeepAlive, k.SessionExpiry, k.ReceiveMaximum, k.MaximumPacketSize, k.TopicAliasMaximum, describeUser(k.User))
	if k.AuthMethod != "" {
		c.logf("event   auth=%s:%s", k.AuthMethod, k.AuthData)
	}
	if k.HasUserName || k.HasPassword {
		c.logf("event   user=%q password=%v:%q", k.UserName, k.HasPassword, k.Password)
	}
	if w := k.Will; w != nil {
		c.logf("event   will topic=%s payload=%s qos=%d retain=%v delay=%d%s", w.Topic, w.Payload, w.QoS, w.Retain, w.Delay,
			describeProperties(w.Properties))
	}
}

func (c *conversation) Publish(p Publish) {
	c.logf("event publish receipt=%d id=%d qos=%d dup=%v retain=%v topic=%s payload=%s%s", p.Receipt, p.PacketID, p.QoS, p.Dup,
		p.Retain, p.Topic, brief(p.Payload), describeProperties(p.Properties))
}

func (c *conversation) Auth(a Auth) { c.logf("event auth again=%v data=%s", a.Again, a.Data) }

func (c *conversation) Release(id uint16, known bool) {
	c.logf("event release id=%d known=%v", id, known)
}

func (c *conversation) Sending(id uint16) { c.logf("event sending id=%d", id) }

func (c *conversation) Completed(id uint16) { c.logf("event completed id=%d", id) }

func (c *conversation) Subscribe(r Subscribe) {
	c.logf("event subscribe id=%d subid=%d%s", r.PacketID, r.SubscriptionID, describeUser(r.User))
	for _, f := range r.Filters {
		c.logf("event   topic=%s group=%s qos=%d nolocal=%v asPublished=%v handling=%d refusal=%d", f.Topic, f.Group, f.QoS,
			f.NoLocal, f.RetainAsPublished, f.RetainHandling, byte(f.Refusal))
	}
}

func (c *conversation) Unsubscribe(r Unsubscribe) {
	c.logf("event unsubscribe id=%d%s", r.PacketID, describeUser(r.User))
	for _, f := range r.Filters {
		c.logf("event   topic=%s group=%s refusal=%d", f.Topic, f.Group, byte(f.Refusal))
	}
}

func (c *conversation) Settled(token any, s Settlement) {
	outcome := []string{"?", "written", "acknowledged", "refused", "unsent", "unacknowledged"}[s.Outcome]
	c.logf("event settled token=%v %s reason=%d", token, outcome, byte(s.Reason))
	if s.Outcome == Unacknowledged {
		c.logf("event   id=%d qos=%d", s.PacketID, s.QoS)
	}
}

func (c *conversation) Disconnected(d Disconnected) {
	c.memory = d.Memory
	by := []string{"client", "server", "network"}[d.By]
	c.logf("event disconnected by=%s reason=%q will=%v expiry=%d", by, d.Reason, d.Will, d.SessionExpiry)
}

// sent writes down what Flush gave.
func (c *conversation) sent(out []byte) {
	for _, p := range decodeAll(c.t, out, max(c.session.Version(), 4)) {
		c.logf("send %s", describePacket(p))
	}
}

func describePacket(p packets.Packet) string {
	var b strings.Builder
	b.WriteString(strings.ToUpper(packets.PacketNames[p.FixedHeader.Type]))
	q := p.Properties
	switch p.FixedHeader.Type {
	case packets.Connack:
		fmt.Fprintf(&b, " present=%v code=%d", p.SessionPresent, p.ReasonCode)
		if p.ProtocolVersion == 5 && p.ReasonCode == 0 {
			if !q.MaximumQosFlag {
				q.MaximumQos = 2
			}
			fmt.Fprintf(&b, " receive=%d size=%d aliases=%d maxqos=%d retain=%d wildcards=%d subids=%d shared=%d", q.ReceiveMaximum,
				q.MaximumPacketSize, q.TopicAliasMaximum, q.MaximumQos, q.RetainAvailable, q.WildcardSubAvailable, q.SubIDAvailable,
				q.SharedSubAvailable)
		}
		if q.AssignedClientID != "" {
			fmt.Fprintf(&b, " assigned=%s", q.AssignedClientID)
		}
		if q.AuthenticationMethod != "" {
			fmt.Fprintf(&b, " auth=%s:%s", q.AuthenticationMethod, q.AuthenticationData)
		}
		if q.ServerKeepAliveFlag {
			fmt.Fprintf(&b, " keepalive=%d", q.ServerKeepAlive)
		}
		if q.SessionExpiryIntervalFlag {
			fmt.Fprintf(&b, " expiry=%d", q.SessionExpiryInterval)
		}
	case packets.Publish:
		fmt.Fprintf(&b, " id=%d qos=%d dup=%v retain=%v topic=%s payload=%s", p.PacketID, p.FixedHeader.Qos, p.FixedHeader.Dup,
			p.FixedHeader.Retain, p.TopicName, brief(p.Payload))
		if q.TopicAliasFlag {
			fmt.Fprintf(&b, " alias=%d", q.TopicAlias)
		}
		fmt.Fprintf(&b, "%s", describeProperties(fromOracle(q)))
		if len(q.SubscriptionIdentifier) > 0 {
			fmt.Fprintf(&b, " subids=%v", q.SubscriptionIdentifier)
		}
	case packets.Puback, packets.Pubrec, packets.Pubrel, packets.Pubcomp:
		fmt.Fprintf(&b, " id=%d code=%d", p.PacketID, p.ReasonCode)
	case packets.Suback, packets.Unsuback:
		fmt.Fprintf(&b, " id=%d codes=%v", p.PacketID, slices.Concat([]byte{}, p.ReasonCodes))
	case packets.Auth:
		fmt.Fprintf(&b, " code=%d method=%s data=%s", p.ReasonCode, q.AuthenticationMethod, q.AuthenticationData)
	case packets.Disconnect:
		fmt.Fprintf(&b, " code=%d %q", p.ReasonCode, q.ReasonString)
	}
	if q.ReasonString != "" && p.FixedHeader.Type != packets.Disconnect {
		fmt.Fprintf(&b, " %q", q.ReasonString)
	}
	for key, value := range map[string]string{"responses": q.ResponseInfo, "server": q.ServerReference} {
		if value != "" {
			fmt.Fprintf(&b, " %s=%s", key, value)
		}
	}
	return b.String()
}
