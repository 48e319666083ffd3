package datagram

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/udp/coder"

	"github.com/manifoldmq/manifold/adapters/coap/internal/block"
	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// relay carries datagrams between a session and a client, and is bad at it: it loses, doubles and delays them, so that they
// overtake each other. Its time is not that of the wall.
type relay struct {
	t      *testing.T
	random *rand.Rand
	now    time.Time
	server *Session
	client *simple
	house  *slowHouse
	buffer []byte
	flying []flight
}

// flight is a datagram on its way.
type flight struct {
	at       time.Time
	toServer bool
	datagram []byte
}

// A fifth of the datagrams is lost, a fifth of the others comes twice, and each takes up to delayed.
const (
	fifth   = 0.2
	delayed = 3 * time.Second
)

func (r *relay) carry(toServer bool, p []byte) {
	if r.random.Float64() < fifth {
		return
	}
	for copies := 1; copies > 0; copies-- {
		if r.random.Float64() < fifth {
			copies++
		}
		at := r.now.Add(time.Duration(r.random.Int64N(int64(delayed))))
		r.flying = append(r.flying, flight{at, toServer, bytes.Clone(p)})
	}
}

// Buffer, Send and Origin implement Carrier.
func (r *relay) Buffer() []byte { return r.buffer[:0] }
func (r *relay) Send(p []byte)  { r.carry(false, p) }
func (r *relay) Origin() []byte { return []byte("192.0.2.1") }

// run lets time pass until the client is done, or nothing more can happen.
func (r *relay) run() {
	for !r.client.done {
		next, what := time.Time{}, -1
		consider := func(at time.Time, index int) {
			if !at.IsZero() && (next.IsZero() || at.Before(next)) {
				next, what = at, index
			}
		}
		for i, f := range r.flying {
			consider(f.at, i)
		}
		consider(r.server.Deadline(), len(r.flying))
		consider(r.client.due, len(r.flying)+1)
		consider(r.house.next(), len(r.flying)+2)
		if what < 0 || next.Sub(r.client.began) > 48*time.Hour {
			r.t.Fatalf("at %v nothing happens any more; the client waits in step %d", r.now, r.client.step)
		}
		if next.After(r.now) {
			r.now = next
		}
		switch what - len(r.flying) {
		case 0:
			r.server.Advance(r.now)
		case 1:
			r.client.retransmit()
		case 2:
			r.house.speak(r.now)
		default:
			f := r.flying[what]
			r.flying = slices.Delete(r.flying, what, what+1)
			if f.toServer {
				r.server.Feed(r.now, f.datagram)
			} else {
				r.client.receive(f.datagram)
			}
		}
		r.server.Flush(r.now)
	}
}

// slowHouse is the handler: it answers a POST after a while, a GET at once, and notifies of ten values one by one.
type slowHouse struct {
	relay   *relay
	handled map[string]int // bodies, and how often they were handed on
	waiting []late
	value   int // the last that was notified
	gone    int // observations that were forgotten
}

type late struct {
	at       time.Time
	exchange session.Exchange
}

const values = 10

func (h *slowHouse) Request(now time.Time, r *session.Request) {
	switch r.Code {
	case codes.GET:
		if r.Options.HasOption(message.Observe) {
			h.relay.server.Observe(now, r.Exchange, session.Response{Code: codes.Content, Body: []byte{0}})
			h.notify(now, r.Token)
			return
		}
		h.relay.server.Respond(now, r.Exchange, session.Response{Code: codes.Content, Body: noise(700)})
	case codes.POST:
		h.handled[string(r.Body)]++
		h.waiting = append(h.waiting, late{now.Add(time.Duration(h.relay.random.Int64N(int64(5 * time.Second)))), r.Exchange})
	default:
		h.handled[string(r.Body)]++
		h.relay.server.Respond(now, r.Exchange, session.Response{Code: codes.Changed})
	}
}

func (h *slowHouse) notify(now time.Time, token message.Token) {
	if h.value < values {
		h.value++
		h.relay.server.Notify(now, token, session.Response{Code: codes.Content, Body: []byte{byte(h.value)}}, true)
	}
}

func (h *slowHouse) Notified(now time.Time, token message.Token) { h.notify(now, token) }
func (h *slowHouse) Forgotten(time.Time, message.Token)          { h.gone++ }
func (h *slowHouse) Disconnected(time.Time)                      {}

func (h *slowHouse) next() (at time.Time) {
	for _, l := range h.waiting {
		if at.IsZero() || l.at.Before(at) {
			at = l.at
		}
	}
	return at
}

// speak answers what has waited long enough.
func (h *slowHouse) speak(now time.Time) {
	h.waiting = slices.DeleteFunc(h.waiting, func(l late) bool {
		if l.at.After(now) {
			return false
		}
		h.relay.server.Respond(now, l.exchange, session.Response{Code: codes.Changed})
		return true
	})
}

// simple is a client by the book: one request at a time, repeated until it is acknowledged; each confirmable message is
// acknowledged, and heard once.
type simple struct {
	relay   *relay
	began   time.Time
	step    int // which request is under way
	id      uint16
	request []byte // under way; nil when it is acknowledged
	token   []byte // of it
	timeout time.Duration
	due     time.Time
	heard   map[uint16]bool // ids of the server's confirmable messages
	body    []byte          // of the GET, so far
	seen    []byte          // values of the observation
	numbers []uint32        // and their Observe options
	done    bool
}

// rounds is how often the client does all that it can.
const rounds = 8

// next sends the next request: a PUT, a POST that takes long, a PUT in five blocks, a GET in eleven; in the end it observes
// until it has seen all values.
func (c *simple) next() {
	c.step++
	const steps = 1 + 1 + 5 + 11
	round, step := (c.step-1)/steps, (c.step-1)%steps
	c.token = []byte{byte(c.step >> 8), byte(c.step)}
	var line string
	switch {
	case round == rounds:
		c.token = []byte("o")
		line = "GET Uri-Path=o Observe=0"
	case step == 0:
		line = fmt.Sprintf("PUT Uri-Path=a | put %d", round)
	case step == 1:
		line = fmt.Sprintf("POST Uri-Path=a | post %d", round)
	case step < 7:
		n := step - 2
		more := 1
		if n == 4 {
			more = 0
		}
		line = fmt.Sprintf("PUT Uri-Path=%d Block1=%d/%d/16 | block %d of put %d", round, n, more, n, round)
	default:
		line = fmt.Sprintf("GET Uri-Path=a Block2=%d/0/64", step-7)
	}
	c.id++
	method, rest, _ := bytes.Cut([]byte(line), []byte(" "))
	c.request = encode(c.relay.t, fmt.Sprintf("CON %s id=%d token=%x %s", method, c.id, c.token, rest))
	c.timeout = 2 * time.Second
	c.send()
}

func (c *simple) send() {
	c.relay.carry(true, c.request)
	c.due = c.relay.now.Add(c.timeout)
}

func (c *simple) retransmit() {
	c.timeout = min(2*c.timeout, time.Minute)
	c.send()
}

// receive takes a message of the server.
func (c *simple) receive(p []byte) {
	m := message.Message{Options: make(message.Options, 0, 16)}
	if _, err := coder.DefaultCoder.Decode(p, &m); err != nil {
		c.relay.t.Fatal(err)
	}
	switch m.Type {
	case message.Acknowledgement:
		if uint16(m.MessageID) != c.id || c.request == nil {
			return // a late one
		}
		c.request, c.due = nil, time.Time{}
		if m.Code != codes.Empty && bytes.Equal(m.Token, c.token) {
			c.response(m)
		}
	case message.Confirmable:
		id := uint16(m.MessageID)
		c.relay.carry(true, binary.BigEndian.AppendUint16([]byte{0x60, 0}, id))
		if c.heard[id] {
			return
		}
		c.heard[id] = true
		if bytes.Equal(m.Token, c.token) {
			c.request, c.due = nil, time.Time{}
			c.response(m)
		}
	default:
		c.relay.t.Fatalf("the server sent %v", m.String())
	}
}

// response takes the response to the request under way.
func (c *simple) response(m message.Message) {
	if c.step > rounds*18 {
		c.observe(m)
		return
	}
	switch m.Code {
	case codes.Content:
		c.body = append(c.body, m.Payload...)
		value, err := m.Options.GetBytes(message.Block2)
		if err != nil {
			c.relay.t.Fatal(err)
		}
		if b, err := block.Parse(value); err != nil || !b.More {
			if !bytes.Equal(c.body, noise(700)) {
				c.relay.t.Fatalf("a body of %d bytes that is not the house's", len(c.body))
			}
			c.body = nil
		}
	case codes.Changed, codes.Continue:
	default:
		c.relay.t.Fatalf("step %d is answered %v", c.step, m.String())
	}
	c.token = nil
	c.next()
}

// observe takes a notification, or the response to the registration.
func (c *simple) observe(m message.Message) {
	number, err := m.Options.Observe()
	if err != nil || m.Code != codes.Content {
		c.relay.t.Fatal(m.String())
	}
	if len(c.numbers) > 0 && m.Payload[0] != 0 && number <= c.numbers[len(c.numbers)-1] {
		c.relay.t.Fatalf("Observe %d after %d", number, c.numbers)
	}
	if m.Payload[0] != 0 { // the response to the registration, which a notification may overtake
		c.seen, c.numbers = append(c.seen, m.Payload...), append(c.numbers, number)
	}
	c.done = len(c.seen) == values
}

// TestLossChangesNoOutcome: whatever is lost, doubled or late, each request is handled once and gets its answer, and each
// notification arrives.
func TestLossChangesNoOutcome(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := &relay{t: t, random: rand.New(rand.NewPCG(seed, 1)), now: time.Unix(1_800_000_000, 0), buffer: make([]byte, 0, 2048)}
			r.house = &slowHouse{relay: r, handled: make(map[string]int)}
			shared := &Shared{Limits: DefaultLimits(), Budget: &purse{1 << 20}, Random: r.random.Uint64}
			shared.Limits.MaxRetransmit = 16 // a fifth is lost, both ways: four would not always do
			r.server = New(r.now, shared, r, r.house, true)
			r.client = &simple{relay: r, began: r.now, heard: make(map[uint16]bool)}
			r.client.next()
			r.run()
			if n := len(r.house.handled); n != 3*rounds {
				t.Errorf("%d different bodies, want %d", n, 3*rounds)
			}
			for body, n := range r.house.handled {
				if n != 1 {
					t.Errorf("%q was handled %d times", body, n)
				}
			}
			if !slices.Equal(r.client.seen, []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}) || r.house.gone != 0 {
				t.Errorf("values %v, %d observations forgotten", r.client.seen, r.house.gone)
			}
		})
	}
}
