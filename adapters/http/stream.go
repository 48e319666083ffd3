package http

import (
	"context"
	nethttp "net/http"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// wish is what a client asks of a stream.
type wish struct {
	source router.Source
	form   form
	resume bool // it may come back, if the address stores
	place  place
	last   string // the id of the last event that it has
}

// form is how a stream shows messages.
type form uint8

const (
	formJSON  form = iota // an event whose data is the envelope
	formRaw               // an event whose data is the payload
	formLines             // the envelope, one in a line
)

func (s *Server) readWish(r *nethttp.Request, path *route, p *tenancy.Principal) (wish, error) {
	query := parseQuery(r.URL)
	source, err := s.readSource(p, path, query)
	if err != nil {
		return wish{}, err
	}
	want := wish{source: source, last: r.Header.Get("Last-Event-Id")}
	if query.choice("data", "json", "raw", "json") {
		want.form = formRaw
	}
	if acceptsLines(r.Header) {
		want.form = formLines
	}
	want.resume = query.choice("resume", "false", "true", "true") && want.form != formLines
	retained := "true"
	if source.Subscription != "" {
		retained = "false" // a durable subscription has what it missed
	}
	want.source.Retained = query.choice("retained", "false", "true", retained)
	if r.Method == nethttp.MethodHead {
		want.last, want.resume = "", false
	}
	want.place = place{holder{p.Tenant.Name, p.User}, path.text}
	if source.Selector != nil {
		want.place.text += "\n" + source.Selector.String()
	}
	return want, query.err()
}

// acceptsLines tells whether a client prefers plain lines of JSON to events.
func acceptsLines(h nethttp.Header) bool {
	accept := h.Get("Accept")
	return strings.Contains(accept, typeLines) && !strings.Contains(accept, typeEvents)
}

// typeEvents is the media type of server-sent events.
const typeEvents = "text/event-stream"

// stream answers GET {address or filter}/stream: one event per message, for as long as the client stays. All that it
// needs only to begin is in another function, so that a stream that waits holds little of its stack.
func (s *Server) stream(w nethttp.ResponseWriter, r *nethttp.Request, path *route, p *tenancy.Principal) {
	if e := s.openStream(w, r, path, p); e != nil {
		e.run(r.Context(), draining(r))
	}
}

// openStream gives a stream whose route is live, or answers itself.
func (s *Server) openStream(w nethttp.ResponseWriter, r *nethttp.Request, path *route, p *tenancy.Principal) *eventStream {
	want, err := s.readWish(r, path, p)
	if err != nil {
		s.refuse(w, r, err)
		return nil
	}
	e := &eventStream{server: s, w: w, form: want.form}
	if err := e.open(r.Context(), p, &want); err != nil {
		s.refuse(w, r, err)
		return nil
	}
	h := w.Header()
	h.Set("Content-Type", typeEvents)
	if want.form == formLines {
		h.Set("Content-Type", typeLines)
	}
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	if r.Method == nethttp.MethodHead {
		w.WriteHeader(nethttp.StatusOK)
		e.end()
		return nil
	}
	return e
}

// eventStream writes what comes to one stream. It settles a message once it has been written, or, at a stay, when its
// client cannot come back for it any more. What is not settled goes back.
type eventStream struct {
	server *Server
	w      nethttp.ResponseWriter
	form   form
	feed   *feed
	stay   *stay  // nil where a client cannot come back
	number uint64 // of the newest event
	buffer []byte
}

// open finds the stay that the client comes back to, or attaches anew.
func (e *eventStream) open(ctx context.Context, p *tenancy.Principal, want *wish) error {
	s := e.server
	if id, number, ok := parseEventID(want.last); ok && want.resume {
		ctx, cancel := context.WithTimeout(ctx, s.limits.WriteTimeout)
		defer cancel()
		if e.stay = s.stays.claim(ctx, id, want.place); e.stay != nil {
			e.stay.seen(number)
			e.feed, e.number = e.stay.feed, e.stay.number
			return nil
		}
	}
	if err := e.attach(ctx, p, want); err != nil {
		return err
	}
	if want.resume && e.feed.keeps() {
		e.stay = s.stays.begin(want.place, e.feed)
	}
	return nil
}

// attach opens a route of its own. A page that is loaded anew may be here before its old connection is known to be gone:
// where that is in the way, it is waited for.
func (e *eventStream) attach(ctx context.Context, p *tenancy.Principal, want *wish) (err error) {
	s := e.server
	e.feed = newFeed(s.limits.MaxQueuedBytes)
	for again := want.resume; ; again = false {
		if want.resume {
			for _, gone := range s.stays.evict(want.place) {
				gone.end()
			}
		}
		e.feed.link, err = s.router.Receiver(ctx, p, want.source, e.feed)
		if !again || router.ReasonOf(err) != router.Conflict || !s.stays.await(ctx, want.place, s.limits.RetryAfter) {
			return err
		}
	}
}

// batchBytes is how much a stream gathers before it writes, if more is there at once.
const batchBytes = 64 << 10

// run writes until the client leaves, comes back elsewhere, or takes nothing for the write timeout, or until the process
// drains.
func (e *eventStream) run(ctx context.Context, drain <-chan struct{}) {
	if e.feed.window == 0 {
		e.feed.start(e.server.limits)
	}
	if e.form != formLines {
		e.buffer = append(e.buffer, ": the route is live\n\n"...)
	}
	ok := e.flush()
	var wanted <-chan struct{}
	if e.stay != nil {
		wanted = e.stay.wanted
		ok = ok && e.resume()
	}
	heartbeat := time.NewTimer(e.server.limits.Heartbeat)
	defer heartbeat.Stop()
	for e.feed.poke(); ok; heartbeat.Reset(e.server.limits.Heartbeat) {
		select {
		case <-e.feed.wake:
			ok = e.writeArrivals()
		case <-heartbeat.C:
			ok = e.beat()
		case <-wanted:
			ok = false
		case <-ctx.Done():
			ok = false
		case <-drain:
			e.end()
			return
		}
	}
	e.leave()
}

// leave keeps the stay for a client that may come back, else it ends.
func (e *eventStream) leave() {
	if e.stay == nil || !e.server.keeper.runs() {
		e.end()
		return
	}
	e.stay.number = e.number
	e.server.stays.park(e.stay, time.Now())
	e.server.keeper.poke()
}

// end gives everything back.
func (e *eventStream) end() {
	if e.stay == nil {
		e.feed.close()
		return
	}
	e.server.stays.leave(e.stay)
	e.stay.end()
}

// resume shows a client that is back what it has not seen, and what it could not be shown.
func (e *eventStream) resume() (ok bool) {
	for _, old := range e.stay.shown {
		e.append(&old.delivery, old.number)
		if len(e.buffer) >= batchBytes && !e.flush() {
			return false
		}
	}
	if !e.flush() {
		return false
	}
	pending := e.stay.pending
	e.stay.pending = nil
	return e.write(pending)
}

// writeArrivals writes what has come.
func (e *eventStream) writeArrivals() (ok bool) {
	for {
		came := e.feed.arrivals.Take()
		if len(came) == 0 {
			return true
		}
		if !e.write(came) {
			return false
		}
	}
}

// write writes messages, and settles them or notes that they were shown.
func (e *eventStream) write(all []router.Delivery) (ok bool) {
	begin := 0
	for i := range all {
		if !all[i].Message.IsZero() { // else it was dropped on arrival
			e.number++
			e.append(&all[i], e.number)
		}
		if i+1 < len(all) && len(e.buffer) < batchBytes {
			continue
		}
		ok := e.flush()
		e.written(all[begin : i+1])
		if begin = i + 1; !ok {
			e.abandon(all[begin:])
			return false
		}
	}
	return true
}

// written settles what has been written. At a stay even what was cut off in between was shown, as far as is known.
func (e *eventStream) written(all []router.Delivery) {
	e.feed.written(all)
	if e.stay == nil {
		for _, d := range all {
			d.Settle(router.Accept())
		}
		return
	}
	now, number := time.Now(), e.number-uint64(len(all)) // a node that keeps its messages drops none on arrival
	for _, d := range all {
		number++
		e.stay.show(d, number, now)
	}
	e.settleOld(now)
}

func (e *eventStream) settleOld(now time.Time) {
	l := &e.server.limits
	e.stay.settle(now, l.ResumeTime, l.StreamWindow, l.MaxQueuedBytes)
}

// abandon keeps what the client could not be shown for when it is back; without a stay it goes back untouched.
func (e *eventStream) abandon(all []router.Delivery) {
	if e.stay != nil {
		e.stay.pending = append(e.stay.pending, all...)
		return
	}
	for _, d := range all {
		d.Settle(router.Release())
	}
}

func (e *eventStream) append(d *router.Delivery, number uint64) {
	opened := read(d)
	if e.form == formLines {
		e.buffer = append(append(e.buffer, encodeJSON(opened.envelope(time.Now()))...), '\n')
		return
	}
	id := ""
	if e.stay != nil {
		id = e.stay.eventID(number)
	}
	e.buffer = appendEvent(e.buffer, &opened, id, number, e.form == formRaw, time.Now())
}

// beat shows that the stream is alive.
func (e *eventStream) beat() (ok bool) {
	if e.stay != nil {
		e.settleOld(time.Now())
	}
	if e.form != formLines {
		e.buffer = append(e.buffer, ':', '\n')
	}
	e.buffer = append(e.buffer, '\n')
	return e.flush()
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
	if cap(e.buffer) > idleBuffer {
		e.buffer = nil
	}
	return err == nil
}

// idleBuffer is how much of its buffer a stream keeps while nothing comes.
const idleBuffer = 4 << 10
