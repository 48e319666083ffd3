package http

import (
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// eventStream makes bytes of what comes to one stream: it is the engine of a connection that was taken over, or of a
// request whose handler drives it in the same way. Its methods are called one at a time.
//
// It settles a message once it has been written, or, at a stay, when its client cannot come back for it any more. What is
// not settled goes back.
type eventStream struct {
	server *Server
	form   form
	feed   *feed
	stay   *stay  // nil where a client cannot come back
	wake   func() // tells from any goroutine that there is something to Flush

	head    []byte            // of the answer, or its end: what is written before all else
	chunked bool              // what follows is framed
	greets  bool              // a greeting is to be written
	number  uint64            // of the newest event
	again   []shown           // what a client that is back has to be shown once more
	came    []router.Delivery // from the mailbox, or what could not be shown when the client was here before
	next    int               // the first of them that no Flush has appended
	done    int               // the first of them that is not known to be written
	due     time.Time         // of the next sign of life
	expires time.Time         // when its client has to leave; zero for never
	visit   *tenancy.Visit
	beats   bool // that has come
	fed     bool // the client said something that means nothing here
	over    bool // nothing follows but the end
	drained bool // because the process stops

	buffer []byte // of pour

	dismissed atomic.Bool            // its client is sent away
	listening atomic.Pointer[func()] // wake, from the first Flush on
}

var (
	_ transport.Engine   = (*eventStream)(nil)
	_ tenancy.Connection = (*eventStream)(nil)
)

// greeting begins a stream of events.
const greeting = ": the route is live\n\n"

// start lets messages come. It waits for the first Flush, because they wake who must be there by then.
func (e *eventStream) start() {
	e.due = time.Now().Add(e.server.limits.Heartbeat)
	e.feed.listen(e.wake)
	e.listening.Store(&e.wake)
	if e.feed.window == 0 {
		e.feed.start(e.server.limits)
	}
}

// Feed implements transport.Engine. All that a client can say here is that it goes.
func (e *eventStream) Feed(time.Time, []byte) error {
	e.fed = true
	return nil
}

// Ready implements transport.Engine.
func (e *eventStream) Ready() bool { return true }

// Deadline implements transport.Engine.
func (e *eventStream) Deadline() time.Time {
	if e.expires.IsZero() || e.due.Before(e.expires) {
		return e.due
	}
	return e.expires
}

// Advance implements transport.Engine: it shows that the stream is alive, or ends the one of a token that has expired.
func (e *eventStream) Advance(now time.Time) error {
	if !e.expires.IsZero() && !now.Before(e.expires) {
		e.finishBody()
		return nil
	}
	e.beats, e.due = true, now.Add(e.server.limits.Heartbeat)
	if e.stay != nil {
		e.settleOld(now)
	}
	return nil
}

// Dismiss implements tenancy.Connection.
func (e *eventStream) Dismiss(tenancy.Dismissal) {
	e.dismissed.Store(true)
	if wake := e.listening.Load(); wake != nil {
		(*wake)()
	}
}

// Drain implements transport.Engine.
func (e *eventStream) Drain(time.Time) {
	e.drained = true
	e.finishBody()
}

// finishBody ends the body as one that is complete.
func (e *eventStream) finishBody() {
	if e.chunked && !e.over {
		e.head = append(e.head, lastChunk...)
	}
	e.over = true
}

// Closed implements transport.Engine.
func (e *eventStream) Closed() bool { return e.over }

// Flush implements transport.Engine. That it is called again tells that what it gave before has been written.
func (e *eventStream) Flush(dst []byte) []byte {
	if e.due.IsZero() {
		e.start()
	}
	if e.dismissed.Load() || e.feed.revoked.Load() {
		e.finishBody()
	}
	e.written()
	if e.stay != nil && e.stay.isWanted() {
		e.over = true
	}
	before := len(dst)
	dst = append(dst, e.head...)
	e.head = nil
	if !e.over {
		dst = e.appendChunk(dst)
	}
	if e.fed && len(dst) > before {
		e.wake() // the reader, who writes this, does not come back to hear that it has been written
	}
	e.fed = false
	return dst
}

// lastChunk ends a body (RFC 9112 section 7.1).
const lastChunk = "0\r\n\r\n"

// appendChunk appends what there is to show, as one chunk of the body if it is framed.
func (e *eventStream) appendChunk(dst []byte) []byte {
	if !e.chunked {
		return e.appendEvents(dst)
	}
	before := len(dst)
	dst = append(dst, emptyFrame...)
	begin := len(dst)
	dst = e.appendEvents(dst)
	if len(dst) == begin {
		return dst[:before]
	}
	for size, i := len(dst)-begin, begin-len("\r\n"); size > 0; size >>= 4 {
		i--
		dst[i] = "0123456789abcdef"[size&0xF]
	}
	return append(dst, "\r\n"...)
}

// emptyFrame is what precedes the data of a chunk, with room for its size.
const emptyFrame = "00000000\r\n"

// appendEvents appends what there is to show, up to a size.
func (e *eventStream) appendEvents(dst []byte) []byte {
	before, now := len(dst), time.Now()
	if e.greets {
		dst, e.greets = append(dst, greeting...), false
	}
	if e.beats {
		dst, e.beats = e.appendBeat(dst), false
	}
	for len(e.again) > 0 && len(dst)-before < transport.FlushSize {
		dst = e.append(dst, &e.again[0].delivery, e.again[0].number, now)
		e.again = e.again[1:]
	}
	if len(e.again) == 0 {
		dst = e.appendArrivals(dst, before, now)
	}
	if len(dst) > before {
		e.due = now.Add(e.server.limits.Heartbeat)
	}
	return dst
}

// appendArrivals appends what has come. What was dropped on arrival only gives its credit back.
func (e *eventStream) appendArrivals(dst []byte, before int, now time.Time) []byte {
	for len(dst)-before < transport.FlushSize {
		if e.next == len(e.came) {
			if e.done < e.next && len(dst) > before {
				break // they are to be settled before the mailbox may use their room again
			}
			e.written()
			e.came, e.next, e.done = e.feed.arrivals.Take(), 0, 0
			if len(e.came) == 0 {
				break
			}
		}
		d := &e.came[e.next]
		e.next++
		if !d.Message.IsZero() {
			e.number++
			dst = e.append(dst, d, e.number, now)
		}
	}
	return dst
}

// written settles what has been written. At a stay even what was cut off in between was shown, as far as is known.
func (e *eventStream) written() {
	all := e.came[e.done:e.next]
	if len(all) == 0 {
		return
	}
	e.done = e.next
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

func (e *eventStream) append(dst []byte, d *router.Delivery, number uint64, now time.Time) []byte {
	v := e.server.views.of(d, e.form, now)
	if e.form == formLines {
		return append(dst, v.text...)
	}
	id := ""
	if e.stay != nil {
		id = e.stay.eventID(number)
	}
	return v.appendEvent(dst, id, number)
}

func (e *eventStream) appendBeat(dst []byte) []byte {
	if e.form != formLines {
		dst = append(dst, ":\n"...)
	}
	return append(dst, '\n')
}

// finish ends a stream whose connection has ended. It keeps the stay for a client that may come back.
func (e *eventStream) finish() {
	defer e.visit.Leave()
	e.written()
	e.abandon(e.came[e.next:])
	e.came, e.next, e.done = nil, 0, 0
	if e.drained || e.feed.revoked.Load() || e.stay == nil || !e.server.keeper.runs() {
		e.giveBack()
		return
	}
	e.feed.listen(nil)
	e.stay.number = e.number
	e.server.stays.park(e.stay, time.Now())
	e.server.keeper.poke()
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

// giveBack gives everything back.
func (e *eventStream) giveBack() {
	if e.stay == nil {
		e.feed.close()
		return
	}
	e.server.stays.leave(e.stay)
	e.stay.end()
}
