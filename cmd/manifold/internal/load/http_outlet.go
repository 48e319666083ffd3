package load

import (
	"bytes"
	"context"
	nethttp "net/http"
	"sync"
	"time"
)

// httpOutlet posts messages, as many at a time as the window allows, each in a goroutine that waits for its answer.
type httpOutlet struct {
	httpLine
	config    Config
	target    string
	publisher *publisher
	payload   []byte // encoded once; only the stamp changes
	errands   chan errand

	mu sync.Mutex // guards the publisher's acks
}

// errand is a message to post.
type errand struct {
	sequence uint64
	due      time.Duration
}

var _ outlet = (*httpOutlet)(nil)

func newHTTPOutlet(r *run, i int, p *publisher) *httpOutlet {
	c := r.config
	o := &httpOutlet{
		httpLine: newHTTPLine(c.httpDoor(c.Window)), config: c, publisher: p,
		payload: appendPayload(nil, c.PayloadSize, r.id, uint32(i)),
		errands: make(chan errand),
	}
	endpoint := "messages"
	if c.PublishQoS == 0 {
		endpoint += "?ack=none"
	}
	o.target = o.door.at(c.publishTopic(i), endpoint)
	return o
}

// connect implements line. Connections after the first are opened when they are needed.
func (o *httpOutlet) connect(ctx context.Context) error {
	return o.handshake(ctx, func() error { return o.probe(o.target) })
}

// write implements outlet. It returns when all messages are with somebody who posts them.
func (o *httpOutlet) write(n int, first uint64, due schedule) error {
	for i := range n {
		select {
		case o.errands <- errand{first + uint64(i), due.at(i)}:
		case <-o.live.Done():
			return context.Cause(o.live)
		}
	}
	return nil
}

// listen implements line: it posts, because in HTTP the answer comes to who has asked.
func (o *httpOutlet) listen() error {
	var posting sync.WaitGroup
	for range o.config.Window {
		posting.Go(func() { o.end(o.post()) })
	}
	posting.Wait()
	return context.Cause(o.live)
}

// post posts one message after the other.
func (o *httpOutlet) post() error {
	payload := bytes.Clone(o.payload)
	for {
		select {
		case e := <-o.errands:
			number(payload, e.sequence, e.due)
			taken, err := o.send(payload)
			if err != nil {
				return err
			}
			o.note(e.sequence, taken)
		case <-o.live.Done():
			return context.Cause(o.live)
		}
	}
}

// send posts one message and says whether the server took it. An answer that will be the same next time is an error.
func (o *httpOutlet) send(payload []byte) (taken bool, err error) {
	res, err := o.ask(nethttp.MethodPost, o.target, payload)
	if err != nil {
		return false, err
	}
	defer discard(res)
	switch res.StatusCode {
	case nethttp.StatusCreated, nethttp.StatusAccepted:
		return true, nil
	case nethttp.StatusTooManyRequests, nethttp.StatusServiceUnavailable, nethttp.StatusGatewayTimeout:
		return false, nil
	default:
		return false, problemOf(res)
	}
}

// note enters the answer to one message.
func (o *httpOutlet) note(sequence uint64, taken bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	a := o.publisher.acks
	a.note(sequence, o.publisher.sent.Load(), taken)
	a.advance()
}
