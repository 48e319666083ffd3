package engine

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/transport/transporttest"
)

// FuzzCutAnywhere feeds one byte stream in one piece, and cut into pieces. The events, the error and the answer have to
// be the same, nothing may panic, and what is kept has to stay within its bound.
func FuzzCutAnywhere(f *testing.F) {
	for _, stream := range scriptStreams(f) {
		f.Add(stream, []byte{0}, false)
		f.Add(stream, []byte{0, 6, 40, 2}, true)
	}
	f.Fuzz(func(t *testing.T, stream, cuts []byte, client bool) {
		whole := talk(t, stream, nil, client)
		cut := talk(t, stream, cuts, client)
		if !slices.Equal(whole, cut) {
			t.Errorf("in one piece:\n%s\nin pieces:\n%s", strings.Join(whole, "\n"), strings.Join(cut, "\n"))
		}
	})
}

// TestByteByByte is the finest cut of each script.
func TestByteByByte(t *testing.T) {
	for _, stream := range scriptStreams(t) {
		for _, client := range []bool{false, true} {
			whole, cut := talk(t, stream, nil, client), talk(t, stream, []byte{0}, client)
			if !slices.Equal(whole, cut) {
				t.Errorf("in one piece:\n%s\nbyte by byte:\n%s", strings.Join(whole, "\n"), strings.Join(cut, "\n"))
			}
		}
	}
}

// echo is a conversation whose owner answers from inside the Handler: it lets everybody in, accepts every link, grants
// credit, sends each message back on the first sender's link there is, and settles in various ways.
type echo struct {
	*conversation
	sender *Link
}

func (e *echo) Authenticate(a Authentication) {
	e.conversation.Authenticate(a)
	if a.First && len(a.Response) == 0 {
		e.conn.Challenge([]byte("more"))
		return
	}
	e.conn.Admit(nil)
}

func (e *echo) Opened(o *frame.Open) {
	e.conversation.Opened(o)
	e.conn.Open(frame.Open{})
}

func (e *echo) Requested(l *Link) {
	e.conversation.Requested(l)
	if l.Name() == "refused" {
		l.Refuse(&frame.Error{Condition: frame.NotFound})
		return
	}
	l.Accept(frame.Attach{})
	if l.Role() == frame.Sender {
		e.sender = l
		return
	}
	if len(l.Name())%2 == 0 {
		l.Stream()
	}
	l.Grant(8)
	l.announce() // as if it were flushed at once, wherever the stream is cut
}

func (e *echo) Detached(l *Link, d Detachment) {
	e.conversation.Detached(l, d)
	if e.sender == l {
		e.sender = nil
	}
}

func (e *echo) Sendable(l *Link) {
	e.conversation.Sendable(l)
	if l.Credit() > 0 {
		e.refused(l.Send(Delivery{Payload: []byte("sendable"), Settled: l.Credit()%2 == 0, Token: "s"}))
	}
	l.Drained()
}

func (e *echo) Received(l *Link, x *Transfer) {
	e.conversation.Received(l, x)
	if x.ID%2 == 1 {
		l.Gather()
	}
	if e.sender != nil && x.Last && !x.Aborted {
		e.refused(e.sender.Send(Delivery{Payload: bytes.Clone(x.Payload), Token: "e"}))
	}
	if !x.Settled {
		l.Settle(x.ID, frame.State{Kind: frame.Accepted + frame.StateKind(x.ID%4)})
	}
	l.Grant(1)
	l.announce()
}

func (e *echo) Progressed(l *Link, u Update) {
	e.conversation.Progressed(l, u)
	if u.Progress == Updated && u.State.IsOutcome() {
		l.Settle(u.ID, *u.State)
	}
}

// talk feeds the stream in pieces of cuts[i]+1 bytes, in one piece without cuts, and gives all that was said.
func talk(t *testing.T, stream, cuts []byte, client bool) []string {
	c := newConversation(t)
	c.limits.MaxFrameSize, c.limits.MaxHandshakeFrame, c.limits.MaxMessageSize = 1<<12, 1<<10, 1<<13
	c.limits.IncomingWindow, c.limits.MaxUnsettled = 16, 8
	c.handler = &echo{conversation: c}
	if client {
		c.client = &Client{Mechanisms: []Mechanism{WithPlain("user", "secret")}}
	} else {
		c.server.Mechanisms, c.server.Optional = append(c.server.Mechanisms, "PLAIN"), true
	}
	c.start()
	c.conn.Open(frame.Open{ContainerID: "me"})
	for piece := range transporttest.Pieces(stream, cuts) {
		c.feed(piece)
		if kept := len(c.conn.in); kept > int(c.limits.MaxFrameSize)+maxBacklog {
			t.Fatalf("%d bytes are kept", kept)
		}
	}
	var out []byte
	for {
		n := len(out)
		if out = c.conn.Flush(out); len(out) == n {
			break
		}
	}
	c.conn.Lost()
	if c.conn.partial != 0 || c.conn.attachments != 0 || c.conn.unsent != 0 {
		t.Errorf("counts are left over: %d, %d, %d", c.conn.partial, c.conn.attachments, c.conn.unsent)
	}
	return append(c.lines, fmt.Sprintf("%x", out), fmt.Sprint(c.conn.Closed()))
}

// scriptStreams are the peer's halves of the conversations in testdata.
func scriptStreams(t testing.TB) [][]byte {
	return transporttest.Streams(t, func() transporttest.Encode {
		return func(word, rest string) (stream []byte) {
			switch word {
			case "recv":
				return encodeFrame(t, rest)
			case "bytes":
				return transporttest.Hex(t, rest)
			case "opened":
				for _, words := range []string{"Header AMQP", "Open ContainerID=client",
					"Begin NextOutgoingID=0 IncomingWindow=100 OutgoingWindow=100"} {
					stream = append(stream, encodeFrame(t, words)...)
				}
			}
			return stream
		}
	})
}
