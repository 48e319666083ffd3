package session

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-stomp/stomp/v3/frame"
)

// FuzzCutAnywhere feeds one byte stream in one piece, and cut into pieces. The events and the answers have to be the same,
// nothing may panic, and what is kept has to stay within its bound.
func FuzzCutAnywhere(f *testing.F) {
	for _, stream := range scriptStreams(f) {
		f.Add(stream, []byte{0})
		f.Add(stream, []byte{0, 6, 40, 2})
	}
	f.Fuzz(func(t *testing.T, stream, cuts []byte) {
		whole, cut := talk(t, stream, nil), talk(t, stream, cuts)
		if !slices.Equal(whole, cut) {
			t.Errorf("in one piece:\n%s\nin pieces:\n%s", strings.Join(whole, "\n"), strings.Join(cut, "\n"))
		}
	})
}

// TestByteByByte is the finest cut of each script.
func TestByteByByte(t *testing.T) {
	for _, stream := range scriptStreams(t) {
		whole, cut := talk(t, stream, nil), talk(t, stream, []byte{0})
		if !slices.Equal(whole, cut) {
			t.Errorf("in one piece:\n%s\nbyte by byte:\n%s", strings.Join(whole, "\n"), strings.Join(cut, "\n"))
		}
	}
}

// FuzzHeadersSurvive writes headers in each version and reads them with the codec, and back by a session: what a version
// can write comes back as it was.
func FuzzHeadersSurvive(f *testing.F) {
	f.Add("name", "value")
	f.Add(`a:b\c`, "x\r\n\\c\\\\:\x00")
	f.Add("größe", "\r")
	f.Fuzz(func(t *testing.T, name, value string) {
		for v := V10; v <= V12; v++ {
			line := v.appendHeader(nil, name, value)
			if len(line) == 0 || v < V12 && strings.HasSuffix(value, "\r") || name == frame.ContentLength {
				continue
			}
			c := newConversation(t)
			c.session.state, c.session.version = connected, v
			raw := slices.Concat([]byte("SEND\n"), line, []byte("\n\x00"))
			size, refusal := c.session.scanFrame(raw)
			if refusal != nil {
				if v.checkHeader(bytes.TrimSuffix(line, []byte("\n"))) == nil && len(line) < c.limits.MaxHeaderLine {
					t.Fatalf("%v: %q: %v", v, line, refusal)
				}
				continue
			}
			got, err := c.session.decode(raw[:size])
			if err != nil {
				t.Fatalf("%v: %q: %v", v, line, err)
			}
			if n, x := got.Header.GetAt(0); n != name || x != value {
				t.Errorf("%v: %q: %q is %q, want %q is %q", v, line, n, x, name, value)
			}
		}
	})
}

// echo is a conversation whose owner answers from inside the Handler.
type echo struct{ *conversation }

func (e echo) Connect(k *Connect) {
	e.conversation.Connect(k)
	e.session.Accept(e.now, "s", "server")
}

func (e echo) Send(r Send) {
	e.conversation.Send(r)
	e.session.Done(r.Receipt)
}

func (e echo) Subscribe(r Subscribe) {
	e.conversation.Subscribe(r)
	e.session.Done(r.Receipt)
}

func (e echo) Unsubscribe(r Unsubscribe) {
	e.conversation.Unsubscribe(r)
	if r.Subscription == nil {
		e.session.Fail(e.now, r.Receipt, refuse(NotFound, "nothing"))
		return
	}
	e.session.Done(r.Receipt)
}

func (e echo) Settle(r Settle) {
	e.conversation.Settle(r)
	e.session.Done(r.Receipt)
}

func (e echo) Begin(r Transacting) {
	e.conversation.Begin(r)
	e.session.Done(r.Receipt)
}

func (e echo) Commit(r Transacting) {
	e.conversation.Commit(r)
	e.session.Done(r.Receipt)
}

func (e echo) Abort(r Transacting) {
	e.conversation.Abort(r)
	e.session.Done(r.Receipt)
}

// talk feeds the stream in pieces of cuts[i]+1 bytes, in one piece without cuts, and gives all that was said.
func talk(t *testing.T, stream, cuts []byte) []string {
	c := newConversation(t)
	c.limits.MaxHeaderBytes, c.limits.MaxBody = 1<<12, 1<<12
	c.session = New(c.now, &c.limits, echo{c})
	for i := 0; len(stream) > 0; i++ {
		n := len(stream)
		if len(cuts) > 0 {
			n = min(n, int(cuts[i%len(cuts)])+1)
		}
		c.session.Feed(c.now, stream[:n])
		c.session.Advance(c.now)
		stream = stream[n:]
		if kept := len(c.session.in); kept > c.limits.MaxHeaderBytes+c.limits.MaxBody+maxBacklog {
			t.Fatalf("%d bytes are kept", kept)
		}
	}
	out := c.session.Flush(nil)
	c.session.Lost()
	return append(c.lines, fmt.Sprintf("%q", out))
}

// scriptStreams are the client's halves of the conversations in testdata.
func scriptStreams(t testing.TB) (streams [][]byte) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		script, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var stream []byte
		for line := range strings.Lines(string(script)) {
			line = strings.TrimSuffix(line, "\n")
			if text, ok := strings.CutPrefix(line, "recv "); ok {
				stream = append(stream, clientFrame(text)...)
			} else if text, ok := strings.CutPrefix(line, "bytes "); ok {
				stream = append(stream, unquote(t, text)...)
			}
		}
		streams = append(streams, stream)
	}
	return streams
}
