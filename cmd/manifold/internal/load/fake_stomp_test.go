package load

import (
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/go-stomp/stomp/v3/frame"
)

// fakeDesk is the smallest STOMP server that a load run accepts, on the codec of go-stomp: the subscriptions to a
// destination get its messages in turn, those below /topic/ get all of them. It has one place to make it misbehave.
type fakeDesk struct {
	// fate says how often the n-th message (from 0) is delivered and whether its sender gets a receipt; nil: once, yes.
	fate        func(n int) (times int, receipt bool)
	refuse      bool   // CONNECT
	deny        bool   // SUBSCRIBE
	hangUpAfter int    // messages of all senders; 0: never
	greeting    string // instead of an answer to CONNECT

	listener net.Listener
	wg       sync.WaitGroup

	mu            sync.Mutex // guards everything below, and writing
	conns         []net.Conn
	subscriptions map[string][]*fakeSubscription
	unsettled     map[string]bool // by what an ACK has to say
	turn          int
	messages      int
	persistent    int // of them
	acknowledged  int
	host          string // that the newest client has named
}

// fakeSubscription is where messages go.
type fakeSubscription struct {
	writer *frame.Writer
	id     string
	acks   bool
}

// start listens until the test ends.
func (f *fakeDesk) start(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.listener = ln
	f.subscriptions, f.unsettled = map[string][]*fakeSubscription{}, map[string]bool{}
	f.wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.conns = append(f.conns, nc)
			f.mu.Unlock()
			f.wg.Go(func() { f.serve(t, nc) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		f.mu.Lock()
		for _, nc := range f.conns {
			nc.Close()
		}
		f.mu.Unlock()
		f.wg.Wait()
	})
	return ln.Addr().String()
}

// served waits until every client has said goodbye.
func (f *fakeDesk) served() {
	f.listener.Close()
	f.wg.Wait()
}

func (f *fakeDesk) serve(t *testing.T, nc net.Conn) {
	defer nc.Close()
	reader, writer := frame.NewReader(nc), frame.NewWriter(nc)
	for {
		request, err := reader.Read()
		if err != nil {
			return
		}
		if request != nil && !f.handle(t, nc, writer, request) {
			return
		}
	}
}

// handle answers one frame and says whether the connection goes on.
func (f *fakeDesk) handle(t *testing.T, nc net.Conn, w *frame.Writer, request *frame.Frame) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := request.Header
	receipt, asked := h.Contains(frame.Receipt)
	switch request.Command {
	case frame.CONNECT:
		f.host = h.Get(frame.Host)
		switch {
		case f.greeting != "":
			_, _ = nc.Write([]byte(f.greeting))
		case f.refuse:
			_ = w.Write(frame.New(frame.ERROR, frame.Message, "not here"))
		default:
			_ = w.Write(frame.New(frame.CONNECTED, frame.Version, "1.2"))
		}
	case frame.SUBSCRIBE:
		if f.deny {
			_ = w.Write(frame.New(frame.ERROR, frame.Message, "no such place"))
			return false
		}
		d := h.Get(frame.Destination)
		f.subscriptions[d] = append(f.subscriptions[d],
			&fakeSubscription{w, h.Get(frame.Id), h.Get(frame.Ack) == "client-individual"})
	case frame.SEND:
		n := f.messages
		f.messages++
		if f.hangUpAfter > 0 && n >= f.hangUpAfter {
			return false
		}
		if h.Get("persistent") == "true" {
			f.persistent++
		}
		times := 1
		if f.fate != nil {
			var confirmed bool
			times, confirmed = f.fate(n)
			asked = asked && confirmed
		}
		for range times {
			f.deliver(h.Get(frame.Destination), n, request.Body)
		}
	case frame.ACK:
		id := h.Get(frame.Id)
		if !f.unsettled[id] {
			t.Errorf("ACK of %q, which nobody holds", id)
		}
		delete(f.unsettled, id)
		f.acknowledged++
	case frame.BEGIN, frame.ABORT:
	case frame.DISCONNECT:
		return false
	default:
		t.Errorf("%s is not a frame of a client", request.Command)
	}
	if asked {
		_ = w.Write(frame.New(frame.RECEIPT, frame.ReceiptId, receipt))
	}
	return true
}

// deliver sends a message to who subscribes to its destination. What an ACK has to say needs escaping.
func (f *fakeDesk) deliver(destination string, n int, body []byte) {
	all := f.subscriptions[destination]
	if !strings.HasPrefix(destination, "/topic/") && len(all) > 0 {
		f.turn++
		all = all[f.turn%len(all):][:1]
	}
	for _, s := range all {
		m := frame.New(frame.MESSAGE, frame.Destination, destination, frame.Subscription, s.id,
			frame.MessageId, strconv.Itoa(n), frame.ContentLength, strconv.Itoa(len(body)))
		if s.acks {
			ack := "ID:" + strconv.Itoa(len(f.unsettled)+f.acknowledged)
			f.unsettled[ack] = true
			m.Header.Add(frame.Ack, ack)
		}
		m.Body = body
		_ = s.writer.Write(m)
	}
}
