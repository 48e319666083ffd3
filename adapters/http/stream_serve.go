package http

import (
	"bytes"
	nethttp "net/http"
	"time"

	"github.com/manifoldmq/manifold/router/transport"
)

// takeOver takes the connection of a stream away from net/http, whose buffers and goroutines would be most of what an idle
// one costs, and serves it with the driver of the other doors. It does so over HTTP/1.1, where a connection has no more
// than this one stream, and for a server of our own, which waits for it. Else it is false.
func (s *Server) takeOver(w nethttp.ResponseWriter, r *nethttp.Request, e *eventStream) bool {
	served, ok := r.Context().Value(servedKey{}).(*served)
	if !ok || r.ProtoMajor != 1 || r.ProtoMinor != 1 || r.ContentLength != 0 || !served.requests.enter() {
		return false
	}
	nc, _, err := nethttp.NewResponseController(w).Hijack()
	if err != nil {
		served.requests.leave()
		return false
	}
	s.connections.Add(1)
	e.begin(w.Header())
	go func() {
		defer served.requests.leave()
		defer s.connections.Add(-1)
		defer nc.Close()
		s.driver.Serve(served.ends, nc, func(wake func()) transport.Engine {
			e.wake = wake
			return e
		})
		e.finish()
	}()
	return true
}

// begin writes the head of an answer whose body is chunked (RFC 9112 sections 4 and 7.1). The connection ends with it.
func (e *eventStream) begin(h nethttp.Header) {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nDate: ")
	b.WriteString(time.Now().UTC().Format(nethttp.TimeFormat))
	b.WriteString("\r\n")
	h.Write(&b) // a buffer takes everything
	b.WriteString("\r\n")
	e.head, e.chunked = b.Bytes(), true
}

// pour drives a stream in the handler of its request: until the client leaves, comes back elsewhere, or takes nothing for
// the write timeout, or until the process drains.
func (s *Server) pour(w nethttp.ResponseWriter, r *nethttp.Request, e *eventStream) {
	defer e.finish()
	woken := make(chan struct{}, 1)
	e.wake = func() {
		select {
		case woken <- struct{}{}:
		default: // it is about to look
		}
	}
	heartbeat := time.NewTimer(s.limits.Heartbeat)
	defer heartbeat.Stop()
	for ok := s.pass(w, nil); ok && s.flush(w, e) && !e.Closed(); {
		heartbeat.Reset(time.Until(e.Deadline()))
		select {
		case <-woken:
		case <-heartbeat.C:
			e.Advance(time.Now())
		case <-r.Context().Done():
			return
		case <-draining(r):
			e.Drain(time.Now())
		}
	}
}

// flush writes all that a stream has to say.
func (s *Server) flush(w nethttp.ResponseWriter, e *eventStream) (ok bool) {
	for {
		e.buffer = e.Flush(e.buffer[:0])
		if len(e.buffer) == 0 {
			return true
		}
		if !s.pass(w, e.buffer) {
			return false
		}
		if cap(e.buffer) > idleBuffer {
			e.buffer = nil
		}
	}
}

// idleBuffer is how much of its buffer a stream keeps while nothing comes.
const idleBuffer = 4 << 10

// pass writes a part of an answer and sends it on. The deadline is taken away again: over HTTP/2 it would end the stream by
// itself.
func (s *Server) pass(w nethttp.ResponseWriter, part []byte) (ok bool) {
	s.setWriteDeadline(w)
	control := nethttp.NewResponseController(w)
	_, err := w.Write(part)
	if err == nil {
		err = control.Flush()
	}
	control.SetWriteDeadline(time.Time{})
	return err == nil
}
