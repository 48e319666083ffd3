package load

import (
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/udp/coder"
)

// fakeDevice is the smallest CoAP server that a load run accepts, on the codec of go-coap: it keeps nothing, and what is
// posted goes to all who observe. It has one place to make it misbehave.
type fakeDevice struct {
	// answers gives the answers to the n-th datagram (from 0) that is a request; nil for a sound server.
	answers func(n int, m message.Message) []message.Message

	conn net.PacketConn
	wg   sync.WaitGroup

	mu        sync.Mutex // guards everything below
	requests  int
	paths     map[string]int // of requests
	observers []fakeObserver
	misled    int // observers, from the first, that are told something else
	acks      int
}

type fakeObserver struct{ address, token string }

// start serves until the test ends.
func (f *fakeDevice) start(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.(*net.UDPConn).SetReadBuffer(coapBuffer)
	f.conn, f.paths = conn, map[string]int{}
	f.wg.Go(func() {
		p := make([]byte, coapTooLong)
		for {
			n, from, err := conn.ReadFrom(p)
			if err != nil {
				return
			}
			f.take(p[:n], from)
		}
	})
	t.Cleanup(func() {
		conn.Close()
		f.wg.Wait()
	})
	return conn.LocalAddr().String()
}

func (f *fakeDevice) take(p []byte, from net.Addr) {
	m := message.Message{Options: make(message.Options, 0, 16)}
	if _, err := coder.DefaultCoder.Decode(p, &m); err != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case m.Type == message.Acknowledgement:
		f.acks++
		return
	case m.Code == codes.Empty:
		f.send(from, message.Message{Type: message.Reset, MessageID: m.MessageID})
		return
	}
	path, _ := m.Options.Path()
	f.paths[m.Code.String()+" "+path]++
	for _, a := range f.answersTo(m, from) {
		f.send(from, a)
	}
	f.requests++
}

// answersTo does what a request asks for.
func (f *fakeDevice) answersTo(m message.Message, from net.Addr) []message.Message {
	if f.answers != nil {
		return f.answers(f.requests, m)
	}
	a := piggybacked(m, codes.Changed)
	switch _, err := m.Options.Observe(); {
	case err == nil:
		f.enter(fakeObserver{from.String(), string(m.Token)})
		a.Code, a.Options = codes.Content, message.Options{{ID: message.Observe, Value: []byte{1}}}
	case m.Type == message.NonConfirmable:
		a.Type = message.NonConfirmable
		for i, o := range f.observers {
			notice := message.Message{Type: message.Type(i % 2), Code: codes.Content, Token: message.Token(o.token),
				MessageID: int32(f.requests), Options: message.Options{{ID: message.Observe, Value: []byte{2}}}, Payload: m.Payload}
			if i < f.misled {
				notice.Payload = []byte("something else")
			}
			if to, err := net.ResolveUDPAddr("udp", o.address); err == nil {
				f.send(to, notice)
			}
		}
	}
	return []message.Message{a}
}

// enter notes an observer, once.
func (f *fakeDevice) enter(o fakeObserver) {
	if !slices.Contains(f.observers, o) {
		f.observers = append(f.observers, o)
	}
}

// piggybacked is the answer to a request that comes with its acknowledgement.
func piggybacked(m message.Message, code codes.Code) message.Message {
	return message.Message{Type: message.Acknowledgement, Code: code, MessageID: m.MessageID, Token: m.Token}
}

func (f *fakeDevice) send(to net.Addr, m message.Message) {
	p := make([]byte, coapTooLong)
	if n, err := coder.DefaultCoder.Encode(m, p); err == nil {
		_, _ = f.conn.WriteTo(p[:n], to)
	}
}
