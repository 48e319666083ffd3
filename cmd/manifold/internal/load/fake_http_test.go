package load

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"strings"
	"sync"
	"testing"
)

// fakeDoor is the smallest HTTP server that a load run accepts. What is posted goes to all streams of its address, or
// waits for who takes it under a lock. It has one place to make it misbehave.
type fakeDoor struct {
	// fate says how often the n-th message (from 0) is delivered and what its sender is answered; nil: once, as it asked.
	fate   func(n int) (times, status int)
	refuse bool // every request
	hangUp bool // streams end at once
	over   chan struct{}

	mu       sync.Mutex // guards everything below
	streams  map[string][]chan string
	waiting  map[string]chan []byte
	messages int
	seen     doorSeen
}

// doorSeen is what a fakeDoor has seen.
type doorSeen struct {
	protocol    string // of the newest request
	unconfirmed int    // messages whose outcome nobody asked for
	deleted     int    // locks
}

// start listens until the test ends.
func (f *fakeDoor) start(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.over, f.streams, f.waiting = make(chan struct{}), map[string][]chan string{}, map[string]chan []byte{}
	protocols := new(nethttp.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &nethttp.Server{Handler: f, Protocols: protocols}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(ln) })
	t.Cleanup(func() {
		close(f.over)
		server.Close()
		serving.Wait()
	})
	return ln.Addr().String()
}

// ServeHTTP implements nethttp.Handler. Addresses come as one level, percent-encoded.
func (f *fakeDoor) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	f.mu.Lock()
	f.seen.protocol = r.Proto
	f.mu.Unlock()
	levels := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/v1/default/"), "/")
	switch action := r.Method + " " + strings.Join(levels[1:], "/"); {
	case f.refuse:
		w.WriteHeader(nethttp.StatusForbidden)
		fmt.Fprint(w, `{"detail":"not here"}`)
	case r.Method == nethttp.MethodOptions:
		w.WriteHeader(nethttp.StatusNoContent)
	case action == "POST messages":
		f.post(w, r, levels[0])
	case action == "POST messages/head":
		f.head(w, r, levels[0])
	case action == "GET stream":
		f.stream(w, r, levels[0])
	case action == "DELETE messages/lock":
		f.mu.Lock()
		f.seen.deleted++
		f.mu.Unlock()
		w.WriteHeader(nethttp.StatusNoContent)
	default:
		w.WriteHeader(nethttp.StatusNotFound)
	}
}

// look gives what it has seen so far.
func (f *fakeDoor) look() doorSeen {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen
}

func (f *fakeDoor) post(w nethttp.ResponseWriter, r *nethttp.Request, address string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	times, status := 1, nethttp.StatusCreated
	f.mu.Lock()
	if r.URL.Query().Get("ack") == "none" {
		status = nethttp.StatusAccepted
		f.seen.unconfirmed++
	}
	if f.fate != nil {
		times, status = f.fate(f.messages)
	}
	f.messages++
	queue := f.queue(address)
	for range times {
		streams := append(f.streams[address], f.streams[wildcardOf(address)]...)
		for _, s := range streams {
			s <- "id: 1\nevent: binary\ndata: " + base64.StdEncoding.EncodeToString(body) + "\n\n"
		}
		if len(streams) == 0 {
			queue <- body
		}
	}
	f.mu.Unlock()
	w.WriteHeader(status)
}

// wildcardOf gives the filter whose last level is any.
func wildcardOf(address string) string {
	return address[:strings.LastIndex("%2F"+address, "%2F")] + "%2A"
}

// queue gives what waits at an address. The caller holds the lock.
func (f *fakeDoor) queue(address string) chan []byte {
	const room = 10_000
	if f.waiting[address] == nil {
		f.waiting[address] = make(chan []byte, room)
	}
	return f.waiting[address]
}

func (f *fakeDoor) head(w nethttp.ResponseWriter, r *nethttp.Request, address string) {
	f.mu.Lock()
	queue := f.queue(address)
	f.mu.Unlock()
	select {
	case body := <-queue:
		w.Header().Set("Location", "/v1/default/"+address+"/messages/lock")
		_, _ = w.Write(body)
	case <-r.Context().Done():
	case <-f.over:
	}
}

func (f *fakeDoor) stream(w nethttp.ResponseWriter, r *nethttp.Request, address string) {
	const room = 10_000
	events := make(chan string, room)
	f.mu.Lock()
	f.streams[address] = append(f.streams[address], events)
	f.mu.Unlock()
	fmt.Fprint(w, ": the route is live\n\n")
	control := nethttp.NewResponseController(w)
	for control.Flush() == nil && !f.hangUp {
		select {
		case e := <-events:
			fmt.Fprint(w, e)
		case <-r.Context().Done():
			return
		case <-f.over:
			return
		}
	}
}
