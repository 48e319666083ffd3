package coap

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/udp/coder"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// serve opens a house's door on a socket, until the test ends.
func serve(t *testing.T, h *house) net.Addr {
	t.Helper()
	socket, err := h.server.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := socket.Serve(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		serving.Wait()
	})
	return socket.Addr()
}

// endpoint is a client on a socket of its own. Its requests are confirmable, and numbered: that is their body and, the low bits
// of it, their message id and token. What is not answered it sends again, as the kernel drops what it has no room for.
type endpoint struct {
	t      *testing.T
	conn   net.Conn
	path   string
	open   map[uint32][]byte // requests without an answer, by number
	codes  map[codes.Code]int
	buffer [1500]byte
}

func newEndpoint(t *testing.T, server net.Addr, path string) *endpoint {
	t.Helper()
	conn, err := net.Dial("udp", server.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &endpoint{t: t, conn: conn, path: path, open: make(map[uint32][]byte), codes: make(map[codes.Code]int)}
}

// send sends a request.
func (d *endpoint) send(number uint32) {
	r := newRequest(codes.POST, d.path, strconv.Itoa(int(number)))
	m := message.Message{Type: message.Confirmable, Code: r.Code, MessageID: int32(uint16(number)),
		Token: binary.BigEndian.AppendUint32(nil, number), Options: r.Options, Payload: r.Body}
	p := make([]byte, 128)
	n, err := coder.DefaultCoder.Encode(m, p)
	if err != nil {
		d.t.Fatal(err)
	}
	d.open[number] = p[:n]
	d.write(p[:n])
}

func (d *endpoint) write(p []byte) {
	if _, err := d.conn.Write(p); err != nil {
		d.t.Fatal(err)
	}
}

// await reads until no more than so many requests are open.
func (d *endpoint) await(most int) {
	d.t.Helper()
	for deadline := time.Now().Add(patience); len(d.open) > most; {
		if time.Now().After(deadline) {
			d.t.Fatalf("%d requests are not answered", len(d.open))
		}
		if err := d.conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			d.t.Fatal(err)
		}
		n, err := d.conn.Read(d.buffer[:])
		switch {
		case err == nil:
			d.take(d.buffer[:n])
		case errors.Is(err, os.ErrDeadlineExceeded):
			for _, p := range d.open {
				d.write(p)
			}
		default:
			d.t.Fatal(err)
		}
	}
}

// take notes an answer. One that comes again is none.
func (d *endpoint) take(p []byte) {
	m := message.Message{Options: make(message.Options, 0, 8)}
	if _, err := coder.DefaultCoder.Decode(p, &m); err != nil {
		d.t.Fatal(err)
	}
	if m.Type == message.Confirmable {
		p := make([]byte, 4)
		n, _ := coder.DefaultCoder.Encode(message.Message{Type: message.Acknowledgement, MessageID: m.MessageID}, p)
		d.write(p[:n])
	}
	if m.Code == codes.Empty {
		return
	}
	number := binary.BigEndian.Uint32(m.Token)
	if _, is := d.open[number]; is {
		delete(d.open, number)
		d.codes[m.Code]++
	}
}

// counter is a consumer that counts what it gets, by body.
type counter struct {
	mu  sync.Mutex // guards got
	got map[string]int
}

func (c *counter) Deliver(_ *router.Receiver, d router.Delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got[routertest.Body(d)]++
}

// Message ids have 16 bits: one endpoint uses each of them more than once here, within EXCHANGE_LIFETIME.
func TestEachOfManyRequestsOfOneEndpointIsHandledOnce(t *testing.T) {
	const requests, window = 100_000, 32
	h := newHouse(t, Config{})
	d := newEndpoint(t, serve(t, h), "a/telemetry/busy")
	c := &counter{got: make(map[string]int)}
	link, err := h.links.Router.Receiver(t.Context(), h.links.User,
		router.Source{Filter: addressing.Address("telemetry/busy").Filter()}, c)
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	link.Grant(2 * requests)
	for i := range uint32(requests) {
		d.await(window - 1)
		d.send(i)
	}
	d.await(0)
	if n := d.codes[codes.Changed]; n != requests {
		t.Errorf("%d of %d requests succeeded: %v", n, requests, d.codes)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range requests {
		if n := c.got[fmt.Sprint(i)]; n != 1 {
			t.Fatalf("request %d was handled %d times", i, n)
		}
	}
	if len(c.got) != requests {
		t.Errorf("%d messages, want %d", len(c.got), requests)
	}
}

func TestStuckRequestsOfOneClientDelayNobodyElse(t *testing.T) {
	const stuck, others = 40, 1000
	h := newHouse(t, with(func(l *Limits) { l.OutcomeTimeout = time.Hour }))
	address := serve(t, h)
	hoarder := h.links.Receiver("command/lamp/req/#", stuck)
	waiting := newEndpoint(t, address, "a/command/lamp/req/0/on")
	for i := range uint32(stuck) {
		waiting.send(i)
	}
	var held []router.Delivery
	for range stuck {
		held = append(held, hoarder.Next())
	}
	for _, other := range []*endpoint{newEndpoint(t, address, "a/telemetry/other"), newEndpoint(t, address, "a/telemetry/another")} {
		for i := range uint32(others) {
			other.await(15)
			other.send(i)
		}
		if other.await(0); other.codes[codes.Changed] != others {
			t.Errorf("answers %v", other.codes)
		}
	}
	waiting.path = "a/telemetry/itself"
	waiting.send(stuck)
	waiting.await(stuck)
	if len(waiting.codes) != 1 || waiting.codes[codes.Changed] != 1 {
		t.Errorf("answers to who waits: %v", waiting.codes)
	}
	for _, delivery := range held {
		delivery.Settle(router.Accept())
	}
	if waiting.await(0); waiting.codes[codes.Changed] != stuck+1 {
		t.Errorf("answers to who waited: %v", waiting.codes)
	}
}
