package load

import (
	"context"
	"errors"
	"io"
	nethttp "net/http"
	"net/url"
)

// httpTaker receives under a lock, one message after the other: it takes the head of its address, deletes it, and
// takes the next.
type httpTaker struct {
	httpLine
	target     string
	subscriber *subscriber
}

var _ line = (*httpTaker)(nil)

func newHTTPTaker(r *run, i int, s *subscriber) *httpTaker {
	c := r.config
	t := &httpTaker{httpLine: newHTTPLine(c.httpDoor(1)), subscriber: s}
	t.target = t.door.at(c.filters(i)[0], "messages/head?timeout=20")
	return t
}

// connect implements line.
func (t *httpTaker) connect(ctx context.Context) error {
	return t.handshake(ctx, func() error { return t.probe(t.target) })
}

// listen implements line.
func (t *httpTaker) listen() error {
	for {
		taken, err := t.take()
		if err != nil {
			return err
		}
		if taken == nil {
			continue
		}
		t.subscriber.begin()
		t.subscriber.take(taken.head)
		if err := t.remove(taken.lock); err != nil {
			return err
		}
		t.subscriber.end()
	}
}

// taken is a message under a lock.
type taken struct {
	head []byte   // of the payload
	lock *url.URL // nil for a message that is nobody's, which needs none
}

// take waits for a message; nil if none has come for long.
func (t *httpTaker) take() (*taken, error) {
	res, err := t.ask(nethttp.MethodPost, t.target, nil)
	if err != nil {
		return nil, err
	}
	defer discard(res)
	switch res.StatusCode {
	case nethttp.StatusOK:
	case nethttp.StatusNoContent:
		return nil, nil
	default:
		return nil, problemOf(res)
	}
	head, err := io.ReadAll(io.LimitReader(res.Body, MinPayload))
	if err != nil {
		return nil, err
	}
	lock, err := res.Location()
	if err != nil && !errors.Is(err, nethttp.ErrNoLocation) {
		return nil, err
	}
	return &taken{head, lock}, nil
}

// remove deletes a lock: its message is done with.
func (t *httpTaker) remove(lock *url.URL) error {
	if lock == nil {
		return nil
	}
	res, err := t.ask(nethttp.MethodDelete, lock.String(), nil)
	if err != nil {
		return err
	}
	defer discard(res)
	if res.StatusCode != nethttp.StatusNoContent {
		return problemOf(res)
	}
	return nil
}
