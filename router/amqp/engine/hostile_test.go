package engine

import (
	"bytes"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// inFrame puts a body into a frame.
func inFrame(layer frame.Type, body []byte) []byte {
	return frame.Finish(append(frame.Start(nil, layer, 0), body...), 0)
}

// TestSizesBeforeAuthenticationAreBounded announces large frames before anybody is known: they are refused by their
// header.
func TestSizesBeforeAuthenticationAreBounded(t *testing.T) {
	for _, header := range []string{"Header SASL", "Header AMQP"} {
		c := played(t, "server mechanisms=PLAIN optional", "recv "+header)
		layer := byte(0)
		if header == "Header SASL" {
			layer = 1
		}
		c.feed([]byte{0, 0, 0x20, 1, 2, layer, 0, 0})
		c.says("amqp:connection:framing-error")
		c.feed(make([]byte, 1<<16))
		if n := cap(c.conn.in); n > 0 {
			t.Errorf("%s: %d bytes are kept", header, n)
		}
	}
}

// TestNothingIsKeptBeyondItsBound feeds what waits for the owner without asking Ready.
func TestNothingIsKeptBeyondItsBound(t *testing.T) {
	c := played(t, "recv Header AMQP", "recv Open ContainerID=c")
	for range 10 {
		c.feed(make([]byte, 64<<10))
		if n := len(c.conn.in); n > maxBacklog+int(c.limits.MaxHandshakeFrame) {
			t.Fatalf("%d bytes are kept", n)
		}
	}
	c.says("amqp:resource-limit-exceeded")
}

// TestHandshakeTimeIsBounded stalls at each step of it.
func TestHandshakeTimeIsBounded(t *testing.T) {
	steps := []string{"bytes 41", "bytes 4d 51 50 03 01 00 00", "bytes 00 00 00 20"}
	for n := range len(steps) + 1 {
		c := played(t, "server mechanisms=PLAIN", "bytes")
		c.play(steps[:n]...)
		c.now = c.now.Add(c.limits.HandshakeTimeout)
		c.advance()
		c.says("no open in time", "closed")
	}
}

// TestFramesBeforeOpenAreRefused sends each performative where open should be.
func TestFramesBeforeOpenAreRefused(t *testing.T) {
	for _, text := range []string{
		"Begin NextOutgoingID=0 IncomingWindow=1 OutgoingWindow=1", "Attach Name=a Handle=0 Role=sender",
		"Flow IncomingWindow=1 NextOutgoingID=0 OutgoingWindow=1", "Transfer Handle=0", "Disposition Role=receiver First=0",
		"Detach Handle=0", "End",
	} {
		c := played(t, "recv Header AMQP", "recv "+text)
		c.says("send Close Error.Condition=amqp:illegal-state")
	}
}

// TestHostileValuesAreDecodeErrors puts values that have broken decoders into a field that takes any map.
func TestHostileValuesAreDecodeErrors(t *testing.T) {
	deep := append([]byte{0xC1, 125, 2, 0xA3, 1, 'k'}, make([]byte, 121)...)
	for want, value := range map[string][]byte{
		"elements of no size":                   {0xC1, 14, 2, 0xA3, 1, 'k', 0xF0, 0, 0, 0, 5, 0x7F, 0xFF, 0xFF, 0xFF, 0x40},
		"nested too deeply":                     deep,
		"size or count is beyond 2 GiB":         {0xD1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
		"value ends past the end":               {0xD1, 0x7F, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF},
		"compound value has more elements":      {0xC1, 4, 200, 0xA3, 1, 'k'},
		"map has a key without a value":         {0xC1, 4, 1, 0xA3, 1, 'k'},
		"open has a map whose key is no symbol": {0xC1, 5, 2, 0xA1, 1, 'k', 0x40},
	} {
		fields := append(amqp.AppendString(nil, "c"), bytes.Repeat([]byte{0x40}, 8)...)
		fields = append(fields, value...)
		body := append([]byte{0, 0x53, 0x10, 0xD0, 0, 0, 0, byte(len(fields) + 4), 0, 0, 0, 10}, fields...)
		c := played(t, "recv Header AMQP")
		c.feed(inFrame(frame.AMQP, body))
		c.says("send Close Error.Condition=amqp:decode-error", want)
	}
}

// TestEchoStormIsAnsweredOnce asks for a thousand answers at a time.
func TestEchoStormIsAnsweredOnce(t *testing.T) {
	c := played(t, "opened", peerReceives, "do accept link=a")
	c.Take()
	for range 1000 {
		c.Input("recv", "Flow NextIncomingID=0 IncomingWindow=9 NextOutgoingID=0 OutgoingWindow=1 Handle=0 LinkCredit=1 Echo")
		c.Input("recv", "Flow NextIncomingID=0 IncomingWindow=9 NextOutgoingID=0 OutgoingWindow=1 Echo")
	}
	c.lines = nil
	if got := c.Take(); len(got) != 1 {
		t.Errorf("%d answers", len(got))
	}
}

// TestPeerThatDoesNotReadIsHeldBack attaches and detaches for ever without taking the answers.
func TestPeerThatDoesNotReadIsHeldBack(t *testing.T) {
	c := played(t, "opened")
	for range 10_000 {
		if !c.conn.Ready() {
			break
		}
		c.Input("recv", "Attach Name=refused Handle=0 Role=sender")
		c.Input("recv", "Detach Handle=0")
	}
	if c.conn.Ready() {
		t.Errorf("%d bytes of answers wait, and more are welcome", len(c.conn.out))
	}
	if n := len(c.conn.out); n > 2*maxUnflushed {
		t.Errorf("%d bytes of answers wait", n)
	}
}

// TestChannelsAndHandlesCostNothingUntilUsed has a peer use the highest of both.
func TestChannelsAndHandlesCostNothingUntilUsed(t *testing.T) {
	c := played(t, "opened", "recv Begin NextOutgoingID=0 IncomingWindow=9 OutgoingWindow=1 Channel=255",
		"recv Attach Channel=255 Name=a Handle=1023 Role=sender InitialDeliveryCount=0")
	if n := cap(c.conn.remoteSessions); n > 512 {
		t.Errorf("room for %d sessions", n)
	}
	if n := cap(c.conn.remoteSessions[255].remoteLinks); n > 2048 {
		t.Errorf("room for %d links", n)
	}
}

// TestIdleTimeoutOfTheLongestKindIsNeverReached has a peer announce 49 days.
func TestIdleTimeoutOfTheLongestKindIsNeverReached(t *testing.T) {
	c := played(t, "recv Header AMQP", "recv Open ContainerID=c IdleTimeOut=4294967295", "do open")
	c.Take()
	if want := c.now.Add(c.limits.IdleTimeout); !c.conn.Deadline().Equal(want) {
		t.Errorf("the deadline is in %v", c.conn.Deadline().Sub(c.now))
	}
	c.now = c.now.Add(time.Minute)
	c.advance()
	c.saysNot("send Heartbeat")
}

// FuzzFrames puts arbitrary bodies into frames of an open connection, so that every performative is reached.
func FuzzFrames(f *testing.F) {
	for _, stream := range scriptStreams(f) {
		f.Add(stream)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		c := newConversation(t)
		c.limits.MaxPartial = 1 << 12
		c.handler = &echo{conversation: c}
		c.start()
		c.conn.Open(frame.Open{})
		c.play("recv Header AMQP", "recv Open ContainerID=c MaxFrameSize=512",
			"recv Begin NextOutgoingID=0 IncomingWindow=9 OutgoingWindow=1")
		for len(in) > 1 && !c.conn.Closed() {
			n := min(int(in[0]), len(in)-1)
			c.feed(inFrame(frame.AMQP, in[1:1+n]))
			in = in[1+n:]
			c.Take() // which decodes all that is said
		}
		c.conn.Lost()
	})
}

// TestLinksThatWaitForAWindowAreForgottenWithTheirEnd attaches, gets a message queued behind a window that never opens, and
// detaches, again and again.
func TestLinksThatWaitForAWindowAreForgottenWithTheirEnd(t *testing.T) {
	c := played(t, "opened Window=0")
	for range 100 {
		c.play(peerReceives, "do accept link=a",
			"recv Flow NextIncomingID=0 IncomingWindow=0 NextOutgoingID=0 OutgoingWindow=1 Handle=0 LinkCredit=1",
			"do send link=a Payload=x Token=x", "recv Detach Handle=0 Closed")
		c.Take()
	}
	if s := c.sessions["0"]; len(s.blocked) > 0 || s.unsent > 0 || c.conn.unsent > 0 || c.conn.kept > 100 {
		t.Errorf("%d links wait, %d and %d are counted, %d bytes are kept", len(s.blocked), s.unsent, c.conn.unsent, c.conn.kept)
	}
}
