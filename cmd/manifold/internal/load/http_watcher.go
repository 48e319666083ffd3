package load

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"io"
	nethttp "net/http"
)

// httpWatcher receives by server-sent events: one stream, of an address or of a filter for all that it hears.
type httpWatcher struct {
	httpLine
	target     string
	size       int // of a read
	longest    int // line of a stream
	subscriber *subscriber
	events     *bufio.Scanner // lines
}

var _ line = (*httpWatcher)(nil)

func newHTTPWatcher(r *run, i int, s *subscriber) *httpWatcher {
	c := r.config
	const besides = 4 << 10 // what may stand on a line beside a payload
	w := &httpWatcher{
		httpLine: newHTTPLine(c.httpDoor(1)), subscriber: s,
		size: c.readBuffer(), longest: base64.StdEncoding.EncodedLen(c.PayloadSize) + besides,
	}
	w.target = w.door.at(c.watched(i), "stream?data=raw")
	return w
}

// watched is the address or filter that subscriber i watches.
func (c Config) watched(i int) string {
	if c.Layout == FanOut {
		return c.Topic + "/*"
	}
	return c.filters(i)[0]
}

// connect implements line. The answer comes when the route is live.
func (w *httpWatcher) connect(ctx context.Context) error {
	return w.handshake(ctx, func() error {
		body, err := w.watch(w.target)
		if err != nil {
			return err
		}
		w.events = bufio.NewScanner(body)
		w.events.Buffer(make([]byte, 0, w.size), w.longest)
		return nil
	})
}

// watch opens a stream, which ends with the line.
func (l *httpLine) watch(target string) (io.Reader, error) {
	res, err := l.ask(nethttp.MethodGet, target, nil)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != nethttp.StatusOK {
		defer res.Body.Close()
		return nil, problemOf(res)
	}
	return res.Body, nil
}

// listen implements line.
func (w *httpWatcher) listen() error {
	for w.events.Scan() {
		if data, ok := eventData(w.events.Bytes()); ok {
			w.subscriber.begin()
			w.subscriber.take(stampOf(data))
			w.subscriber.end()
		}
	}
	return cmp.Or(w.events.Err(), io.EOF)
}

// eventData gives the data on a line of a stream, if that is what it has
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
func eventData(line []byte) (data []byte, ok bool) { return bytes.CutPrefix(line, []byte("data: ")) }

// stampOf gives the head of a payload written in base64, or nil: octets are never sent in another form.
func stampOf(data []byte) []byte {
	const encoded = MinPayload / 3 * 4
	var head [MinPayload]byte
	if len(data) < encoded {
		return nil
	}
	if n, err := base64.StdEncoding.Decode(head[:], data[:encoded]); err != nil || n < MinPayload {
		return nil
	}
	return head[:]
}
