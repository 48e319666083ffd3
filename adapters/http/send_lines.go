package http

import (
	"bufio"
	"context"
	"errors"
	"io"
	"maps"
	nethttp "net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// sendLines answers a batch whose messages come one in a line, for as long as its client goes on: each is sent when it
// is there, and a line of the answer tells what became of it. Those lines come as the outcomes do, which need not be the
// order of the messages.
func (s *Server) sendLines(
	w nethttp.ResponseWriter, r *nethttp.Request, p *tenancy.Principal, to router.Target, unconfirmed bool,
) {
	heard := make(verdicts, s.limits.StreamWindow)
	sender, err := s.router.Sender(r.Context(), p, to, heard.unless(unconfirmed))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	control := nethttp.NewResponseController(w)
	control.EnableFullDuplex() // over HTTP/2 there is nothing to enable
	w.Header().Set("Content-Type", typeLines)
	forbidGuessing(w.Header())
	w.Header().Set("Cache-Control", "no-store")
	l := &lines{
		server: s, sender: sender, heard: heard, unconfirmed: unconfirmed,
		header:  r.Header,
		room:    make(chan struct{}, cap(heard)),
		ended:   make(chan struct{}),
		waiting: make(map[int]bool), w: w,
	}
	l.flush()
	defer context.AfterFunc(stopping(r), func() { control.SetReadDeadline(time.Now()) })()
	var answering sync.WaitGroup
	answering.Go(func() { l.answer(r.Context()) })
	l.read(r, patient{r.Body, control, s.limits.IdleTimeout, draining(r)})
	close(l.ended)
	answering.Wait()
	control.SetReadDeadline(time.Time{})
}

// lines is a batch that comes in line by line. One goroutine reads, another answers.
type lines struct {
	server      *Server
	sender      *router.Sender
	heard       verdicts
	unconfirmed bool
	header      nethttp.Header

	room  chan struct{} // holds one for each message on its way
	ended chan struct{} // closed when no more lines come

	mu      sync.Mutex // guards everything below; a leaf
	waiting map[int]bool
	w       nethttp.ResponseWriter
}

// patient is a body that may pause, but not for longer than a connection may be idle, and not while the process drains.
type patient struct {
	body    io.Reader
	control *nethttp.ResponseController
	idle    time.Duration
	drain   <-chan struct{}
}

// Read implements io.Reader. A drain that begins after the deadline was set sets it anew.
func (p patient) Read(b []byte) (int, error) {
	p.control.SetReadDeadline(time.Now().Add(p.idle))
	select {
	case <-p.drain:
		return 0, os.ErrDeadlineExceeded
	default:
		return p.body.Read(b)
	}
}

// lineOverhead is what JSON adds to the longest message that an address takes, beside its encoding.
const lineOverhead = 64 << 10

// read sends what comes until the client ends it, or no outcomes make room for more.
func (l *lines) read(r *nethttp.Request, body io.Reader) {
	most := min(int(l.server.limits.MaxBody), 2*l.sender.MaxMessageSize()+lineOverhead)
	scanner := bufio.NewScanner(body)
	scanner.Buffer(nil, most)
	number := 0
	for scanner.Scan() {
		number++
		if len(scanner.Bytes()) == 0 {
			continue
		}
		if !l.enter(r.Context()) {
			l.write(result{
				Line: number, Status: nethttp.StatusGatewayTimeout,
				Detail: "not sent: too many before it have no outcome yet (http.streamWindow, http.outcomeTimeout)",
			})
			return
		}
		err := l.send(number, scanner.Bytes())
		if err != nil {
			l.write(refusal(number, err))
		}
		if err != nil || l.unconfirmed {
			<-l.room
		}
	}
	switch err := scanner.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		l.write(refusal(number+1, router.Errorf(router.TooLarge, "the line is longer than %d bytes (http.maxBody)", most)))
	case !errors.Is(err, os.ErrDeadlineExceeded):
	case stopping(r).Err() != nil:
		l.write(refusal(number+1, router.Errorf(router.Stopping, "stopping: send it again")))
	default:
		l.write(result{
			Line: number + 1, Status: nethttp.StatusRequestTimeout, Detail: "no line came in time (http.idleTimeout)",
		})
	}
}

// enter waits until there is room for one more message on its way.
func (l *lines) enter(ctx context.Context) bool {
	select {
	case l.room <- struct{}{}:
		return true
	default:
	}
	timeout := time.NewTimer(l.server.limits.OutcomeTimeout)
	defer timeout.Stop()
	select {
	case l.room <- struct{}{}:
		return true
	case <-timeout.C:
	case <-ctx.Done():
	}
	return false
}

func (l *lines) send(number int, text []byte) error {
	p, err := readDraft(text, l.sender.Address())
	if err != nil {
		return err
	}
	if err := p.setKey(l.header.Values(headerIdempotencyKey), number); err != nil {
		return err
	}
	p.letter.readTrace(l.header)
	d, err := p.delivery(l.sender, l.unconfirmed)
	if err != nil {
		return err
	}
	if l.unconfirmed {
		l.sender.Send(uint64(number), d)
		l.write(result{Line: number, Status: nethttp.StatusAccepted})
		return nil
	}
	l.mu.Lock()
	l.waiting[number] = true
	l.mu.Unlock()
	l.sender.Send(uint64(number), d)
	return nil
}

// answer writes what is heard. When no more lines come it waits for the outcomes that are missing, but not for ever.
func (l *lines) answer(ctx context.Context) {
	for open := true; open; {
		select {
		case v := <-l.heard:
			l.hear(v)
		case <-l.ended:
			open = false
		}
	}
	timeout := time.NewTimer(l.server.limits.OutcomeTimeout)
	defer timeout.Stop()
	for len(l.room) > 0 {
		select {
		case v := <-l.heard:
			l.hear(v)
			continue
		case <-timeout.C:
		case <-ctx.Done():
		}
		break
	}
	l.sender.Close()
	for len(l.heard) > 0 {
		l.hear(<-l.heard)
	}
	for _, number := range slices.Sorted(maps.Keys(l.waiting)) {
		r := unknown()
		r.Line = number
		l.write(r)
	}
}

func (l *lines) hear(v verdict) {
	<-l.room
	l.mu.Lock()
	delete(l.waiting, int(v.tag))
	l.mu.Unlock()
	r := resultOf(v.outcome)
	r.Line = int(v.tag)
	l.write(r)
}

func refusal(number int, err error) result {
	reason := router.ReasonOf(err)
	return result{Line: number, Status: statuses[reason].code, Reason: reason.String(), Detail: err.Error()}
}

// write writes a line of the answer, and sends it on unless there is another to write at once.
func (l *lines) write(r result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.server.setWriteDeadline(l.w)
	l.w.Write(append(encodeJSON(r), '\n')) // who is gone misses it; the end of the request's context tells
	if len(l.heard) == 0 {
		l.flush()
	}
}

// flush sends on what was written. Like an event stream it takes the deadline away again.
func (l *lines) flush() {
	control := nethttp.NewResponseController(l.w)
	control.Flush()
	control.SetWriteDeadline(time.Time{})
}
