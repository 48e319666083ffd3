package load

import (
	"bufio"
	"context"
	"io"
	"net"
	nethttp "net/http"
)

// httpIdler is an idle connection with one stream.
type httpIdler struct {
	httpLine
	config IdleConfig
	number int
	events *bufio.Reader
}

var _ idler = (*httpIdler)(nil)

func newHTTPIdler(c IdleConfig, i int) *httpIdler {
	return &httpIdler{httpLine: newHTTPLine(c.httpDoor()), config: c, number: i}
}

func (m *httpIdler) open(ctx context.Context, source net.Addr) error {
	m.door.source = source
	return m.handshake(ctx, func() error {
		body, err := m.watch(m.door.at(m.config.topic(m.number), "stream"))
		if err != nil {
			return err
		}
		const longest = 128
		m.events = bufio.NewReaderSize(body, longest)
		return nil
	})
}

// ping implements idler with a message to itself, sent on a connection that is closed again if the stream's is taken.
func (m *httpIdler) ping(ctx context.Context) error {
	return m.handshake(ctx, func() error {
		r, err := m.request(nethttp.MethodPost, m.door.at(m.config.topic(m.number), "messages"), nil)
		if err != nil {
			return err
		}
		r.Close = m.door.protocol == HTTP
		res, err := m.client.RoundTrip(r)
		if err != nil {
			return err
		}
		defer discard(res)
		if res.StatusCode != nethttp.StatusCreated {
			return problemOf(res)
		}
		return m.awaitEvent()
	})
}

// awaitEvent reads up to the next event.
func (m *httpIdler) awaitEvent() error {
	for {
		text, err := m.events.ReadSlice('\n')
		if err == io.EOF {
			return errHungUp
		}
		if _, ok := eventData(text); ok {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// beat implements idler; it is the server that sends heartbeats.
func (m *httpIdler) beat() error { return nil }
