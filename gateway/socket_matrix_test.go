package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

// socketClient speaks the JSON protocol of the HTTP door over a WebSocket.
type socketClient struct {
	ctx      context.Context
	conn     *websocket.Conn
	messages chan notice

	mu      sync.Mutex // guards everything below
	last    uint64     // order that was given
	waiting map[uint64]chan<- notice
}

// notice is what the door says: an answer to an order, or a message.
type notice struct {
	ID       uint64          `json:"id"`
	Status   int             `json:"status"`
	Detail   string          `json:"detail"`
	Delivery uint64          `json:"delivery"`
	Message  json.RawMessage `json:"message"`
}

// order is what a client may say.
type order struct {
	Op           string    `json:"op"`
	ID           uint64    `json:"id"`
	Address      string    `json:"address,omitempty"`
	Message      *envelope `json:"message,omitempty"`
	Subscription uint64    `json:"subscription,omitempty"`
	Settle       bool      `json:"settle,omitempty"`
	Delivery     uint64    `json:"delivery,omitempty"`
	Outcome      string    `json:"outcome,omitempty"`
}

func dialSocket(ctx context.Context, t *testing.T, door string, header http.Header) *socketClient {
	t.Helper()
	conn, _, err := websocket.Dial(ctx, "ws://"+door+"/v1/default/socket",
		&websocket.DialOptions{Subprotocols: []string{"manifold.v1"}, HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	s := &socketClient{ctx: ctx, conn: conn, messages: make(chan notice, 1), waiting: make(map[uint64]chan<- notice)}
	var reader sync.WaitGroup
	reader.Go(s.read)
	t.Cleanup(func() {
		conn.CloseNow()
		reader.Wait()
	})
	return s
}

// read hands on what the door says until the connection ends.
func (s *socketClient) read() {
	for {
		_, text, err := s.conn.Read(s.ctx)
		var n notice
		if err == nil {
			err = json.Unmarshal(text, &n)
		}
		if err != nil {
			return
		}
		if n.Message != nil {
			s.messages <- n
			continue
		}
		s.mu.Lock()
		asked := s.waiting[n.ID]
		s.mu.Unlock()
		asked <- n
	}
}

// give gives an order, and told what became of it.
func (s *socketClient) give(o order, want int) (told <-chan error) {
	answer, heard := make(chan notice, 1), make(chan error, 1)
	s.mu.Lock()
	s.last++
	o.ID = s.last
	s.waiting[o.ID] = answer
	s.mu.Unlock()
	if err := s.conn.Write(s.ctx, websocket.MessageText, marshal(o)); err != nil {
		heard <- err
		return heard
	}
	go func() {
		select {
		case n := <-answer:
			if n.Status != want {
				heard <- fmt.Errorf("%s: status %d: %s", o.Op, n.Status, n.Detail)
				return
			}
			heard <- nil
		case <-s.ctx.Done():
			heard <- s.ctx.Err()
		}
	}()
	return heard
}

// roundTrip gives an order that is refused: there is no such subscription.
func (s *socketClient) roundTrip() error {
	return <-s.give(order{Op: "unsubscribe", Subscription: 99}, http.StatusNotFound)
}

// socketSender sends over a WebSocket.
type socketSender struct{ *socketClient }

func newSocketSender(t *testing.T, c *cell) sender {
	return socketSender{dialSocket(c.ctx, t, c.doors["http"], nil)}
}

func (s socketSender) send(to string, m fields) <-chan error {
	return s.give(order{Op: "send", Address: to, Message: new(draftOf(m))}, http.StatusCreated)
}

// socketReceiver is a subscription over a WebSocket.
type socketReceiver struct {
	*socketClient
	delivery uint64 // the last that came
}

func newSocketReceiver(t *testing.T, c *cell) receiver { return openSocketReceiver(t, c, true) }

func newAutoSocketReceiver(t *testing.T, c *cell) receiver { return openSocketReceiver(t, c, false) }

func openSocketReceiver(t *testing.T, c *cell, settles bool) receiver {
	r := &socketReceiver{socketClient: dialSocket(c.ctx, t, c.doors["http"], nil)}
	err := <-r.give(order{Op: "subscribe", Subscription: 1, Address: c.address, Settle: settles}, http.StatusOK)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *socketReceiver) next() <-chan fields {
	came := make(chan fields, 1)
	go func() {
		select {
		case n := <-r.messages:
			r.delivery = n.Delivery
			m, err := readEnvelope(n.Message)
			if err != nil {
				m = unread(err)
			}
			came <- m
		case <-r.ctx.Done():
			came <- unread(errors.New("nothing came"))
		}
	}()
	return came
}

func (r *socketReceiver) settle() error {
	if r.delivery == 0 { // it is settled when it has been written, which goes before the next answer
		return r.roundTrip()
	}
	return <-r.give(order{Op: "settle", Delivery: r.delivery, Outcome: "accepted"}, http.StatusNoContent)
}

func (r *socketReceiver) leave() error {
	return <-r.give(order{Op: "unsubscribe", Subscription: 1}, http.StatusNoContent)
}
