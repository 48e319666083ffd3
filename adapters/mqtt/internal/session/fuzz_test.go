package session

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/transport/transporttest"
)

// FuzzCutAnywhere feeds one byte stream in one piece, and cut into pieces. The events, the error and the answer have to be
// the same, nothing may panic, and what is kept has to stay within its bound.
func FuzzCutAnywhere(f *testing.F) {
	for _, stream := range scriptStreams(f) {
		f.Add(stream, []byte{0}, false)
		f.Add(stream, []byte{0, 6, 40, 2}, true)
	}
	f.Fuzz(func(t *testing.T, stream, cuts []byte, silent bool) {
		whole := talk(t, stream, nil, silent)
		cut := talk(t, stream, cuts, silent)
		if !slices.Equal(whole, cut) {
			t.Errorf("in one piece:\n%s\nin pieces:\n%s", strings.Join(whole, "\n"), strings.Join(cut, "\n"))
		}
	})
}

// TestByteByByte is the finest cut of each script.
func TestByteByByte(t *testing.T) {
	for _, stream := range scriptStreams(t) {
		for _, silent := range []bool{false, true} {
			whole, cut := talk(t, stream, nil, silent), talk(t, stream, []byte{0}, silent)
			if !slices.Equal(whole, cut) {
				t.Errorf("in one piece:\n%s\nbyte by byte:\n%s", strings.Join(whole, "\n"), strings.Join(cut, "\n"))
			}
		}
	}
}

// echo is a conversation whose owner answers from inside the Handler and sends each message back with QoS 0.
type echo struct {
	*conversation
	silent bool
}

func (e echo) Connect(k *Connect) {
	e.conversation.Connect(k)
	e.session.AcceptConnect(Accept{Features: Features{Retain: true, Wildcards: true, SharedSubscriptions: true}})
}

func (e echo) Publish(p Publish) {
	e.conversation.Publish(p)
	if e.silent {
		return
	}
	properties := p.Properties.Clone()
	payload := bytes.Clone(p.Payload)
	err := e.session.Deliver(Publication{Topic: string(p.Topic), Payload: payload, Properties: properties, Token: "echo"})
	if err != nil {
		e.logf("refused %v", err)
	}
	e.session.Acknowledge(p.Receipt, Success, "")
}

func (e echo) Subscribe(r Subscribe) {
	e.conversation.Subscribe(r)
	e.session.SubAck(r.PacketID, make([]Reason, len(r.Filters)), "")
}

func (e echo) Unsubscribe(r Unsubscribe) {
	e.conversation.Unsubscribe(r)
	e.session.UnsubAck(r.PacketID, make([]Reason, len(r.Filters)), "")
}

// talk feeds the stream in pieces of cuts[i]+1 bytes, in one piece without cuts, and gives all that was said.
func talk(t *testing.T, stream, cuts []byte, silent bool) []string {
	c := newConversation(t)
	c.limits.MaxInflight, c.limits.MaxPacketSize = 8, 1<<14
	c.session = New(c.now, &c.limits, echo{c, silent})
	for piece := range transporttest.Pieces(stream, cuts) {
		c.feed(piece)
		if kept := len(c.session.in); kept > c.limits.MaxPacketSizeBeforeConnect+maxBacklog {
			t.Fatalf("%d bytes are kept", kept)
		}
	}
	var out []byte
	for {
		n := len(out)
		if out = c.session.Flush(out); len(out) == n {
			break
		}
	}
	return append(c.lines, fmt.Sprintf("%x", out), fmt.Sprint(c.session.Closed()))
}

// scriptStreams are the client's halves of the conversations in testdata.
func scriptStreams(t testing.TB) [][]byte {
	return transporttest.Streams(t, func() transporttest.Encode {
		version := byte(4)
		return func(word, rest string) []byte {
			switch word {
			case "recv":
				return clientPacket(t, &version, rest)
			case "bytes":
				return transporttest.Hex(t, rest)
			}
			return nil
		}
	})
}
