package websocket_test

import (
	"bytes"
	"io"
	"net"
	"testing"

	"github.com/manifoldmq/manifold/adapters/coap/internal/stream"
	"github.com/manifoldmq/manifold/adapters/coap/internal/websocket"
)

// socket is a WebSocket with messages from the client, and those for it.
type socket struct {
	net.Conn
	from, to [][]byte
}

func (s *socket) next() (io.Reader, error) {
	if len(s.from) == 0 {
		return nil, io.EOF
	}
	message := s.from[0]
	s.from = s.from[1:]
	return bytes.NewReader(message), nil
}

func (s *socket) Write(p []byte) (int, error) {
	s.to = append(s.to, bytes.Clone(p))
	return len(p), nil
}

// messages are some, of all kinds of lengths.
func messages() (all [][]byte) {
	for _, n := range []int{0, 1, 12, 13, 268, 269, 65804, 65805, 70_000} {
		all = append(all, append([]byte{0x02, 0x45, 0xAA, 0xBB}, bytes.Repeat([]byte{'x'}, n)...))
	}
	return all
}

func TestMessagesGoThroughAStreamAndBack(t *testing.T) {
	s := &socket{from: messages()}
	c := websocket.New(s, s.next, 1<<20)
	p, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.Write(p); n != len(p) || err != nil {
		t.Fatalf("wrote %d of %d: %v", n, len(p), err)
	}
	for i, want := range messages() {
		if i >= len(s.to) || !bytes.Equal(s.to[i], want) {
			t.Fatalf("message %d of %d octets is another", i, len(want))
		}
	}
}

func TestMessagesThatAreNoneEndTheStream(t *testing.T) {
	for name, message := range map[string][]byte{
		"empty": {}, "without a code": {0x00}, "with a length": {0x10, 0x45, 0xB0}, "short token": {0x04, 0x45, 1, 2, 3},
	} {
		s := &socket{from: [][]byte{message}}
		if p, err := io.ReadAll(websocket.New(s, s.next, 100)); err == nil {
			t.Errorf("%s: read %x", name, p)
		}
	}
}

func TestNoMoreIsReadThanTheLimitAllows(t *testing.T) {
	s := &socket{from: [][]byte{append([]byte{0x00, 0x02}, make([]byte, 1<<20)...)}}
	p, err := io.ReadAll(websocket.New(s, s.next, 1000))
	if err != nil || len(p) < 1000 || len(p) > 1010 {
		t.Errorf("read %d octets: %v", len(p), err)
	}
}

func TestHalfAMessageIsNotWritten(t *testing.T) {
	framed, err := stream.AppendFramed(nil, []byte{0x00, 0x45, 0xFF, 'x'})
	if err != nil {
		t.Fatal(err)
	}
	s := &socket{}
	n, err := websocket.New(s, s.next, 100).Write(append(framed, framed[:2]...))
	if n != len(framed) || err != io.ErrShortWrite || len(s.to) != 1 {
		t.Errorf("wrote %d, %v, %d messages", n, err, len(s.to))
	}
}

func FuzzFraming(f *testing.F) {
	for _, m := range messages() {
		f.Add(m[:min(len(m), 300)])
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		framed, err := stream.AppendFramed(nil, message)
		if err != nil {
			return
		}
		got, rest, err := stream.AppendUnframed(nil, framed)
		if err != nil && message[0] <= 8 {
			t.Fatal(err)
		}
		if err == nil && (len(rest) > 0 || !bytes.Equal(got, message)) {
			t.Fatalf("%x became %x and %x", message, got, rest)
		}
	})
}
