package http

import (
	"context"
	nethttp "net/http"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// stream answers GET {address or filter}/stream: an event stream with one event per message, for as long as the client
// stays.
func (s *Server) stream(w nethttp.ResponseWriter, r *nethttp.Request, path *route, p *tenancy.Principal) {
	source, err := path.source()
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	query := parseQuery(r.URL)
	raw := query.choice("data", "json", "raw", "json")
	retained := "true"
	if source.Subscription != "" {
		retained = "false" // a durable subscription has what it missed
	}
	source.Retained = query.choice("retained", "false", "true", retained)
	if err := query.err(); err != nil {
		s.refuse(w, r, err)
		return
	}
	in, err := s.openIntake(r.Context(), p, source, s.limits.StreamWindow)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	defer in.close()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	if r.Method == nethttp.MethodHead {
		w.WriteHeader(nethttp.StatusOK)
		return
	}
	e := &eventStream{server: s, in: in, w: w, raw: raw}
	e.run(r.Context(), draining(r))
}

// eventStream writes what comes to one stream. It settles a message once it has been written: what is not, goes back.
type eventStream struct {
	server *Server
	in     *intake
	w      nethttp.ResponseWriter
	raw    bool
	number uint64 // of the newest event
	buffer []byte
}

// batchBytes is how much a stream gathers before it writes, if more is there at once.
const batchBytes = 64 << 10

// run writes until the client leaves, the process drains, or the client takes nothing for the write timeout.
func (e *eventStream) run(ctx context.Context, drain <-chan struct{}) {
	e.in.grant(e.server.limits.StreamWindow)
	e.buffer = append(e.buffer, ": the route is live\n\n"...)
	if !e.flush() {
		return
	}
	heartbeat := time.NewTimer(e.server.limits.Heartbeat)
	defer heartbeat.Stop()
	for {
		select {
		case d := <-e.in.came:
			if !e.write(d) {
				return
			}
		case <-heartbeat.C:
			e.buffer = append(e.buffer, ":\n\n"...)
			if !e.flush() {
				return
			}
		case <-ctx.Done():
			return
		case <-drain:
			return
		}
		heartbeat.Reset(e.server.limits.Heartbeat)
	}
}

// write writes a message and all that has come after it, then settles them and grants as many anew.
func (e *eventStream) write(d router.Delivery) (ok bool) {
	batch := []router.Delivery{d}
	e.append(&d)
	for len(e.buffer) < batchBytes {
		select {
		case d := <-e.in.came:
			batch = append(batch, d)
			e.append(&d)
			continue
		default:
		}
		break
	}
	e.in.granted -= len(batch)
	if !e.flush() {
		return false // closing the link gives them back, counted as tried
	}
	for _, d := range batch {
		d.Settle(router.Accept())
	}
	e.in.grant(len(batch))
	return true
}

func (e *eventStream) append(d *router.Delivery) {
	e.number++
	opened := read(d)
	e.buffer = appendEvent(e.buffer, &opened, e.number, e.raw, time.Now())
}

// flush sends the buffer on. The deadline is taken away again: over HTTP/2 it would end the stream by itself.
func (e *eventStream) flush() (ok bool) {
	e.server.setWriteDeadline(e.w)
	control := nethttp.NewResponseController(e.w)
	_, err := e.w.Write(e.buffer)
	if err == nil {
		err = control.Flush()
	}
	control.SetWriteDeadline(time.Time{})
	e.buffer = e.buffer[:0]
	if cap(e.buffer) > 2*batchBytes {
		e.buffer = nil
	}
	return err == nil
}
