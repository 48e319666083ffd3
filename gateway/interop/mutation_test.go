//go:build interop

package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// This file has what the tests have in common in which clients send what was their protocol before it was damaged.

// mutationTime is how long they do when MANIFOLD_FUZZ does not say.
const mutationTime = 15 * time.Second

// mutators is how many of them there are at a time.
const mutators = 16

// mutated is a configuration under which nothing piles up that damaged clients leave in queues.
const mutated = `
anonymous: true
log: {level: warn}
mqtt: {port: 0, webSocket: {port: 0}}
amqp: {port: 0}
stomp: {port: 0}
coap: {port: 0, tlsPort: 0, exchangeLifetime: 20s, nonLifetime: 2s, uploadTimeout: 2s, keepTimeout: 2s, ackTimeout: 200ms,
  pingAfter: 5s, sessionTimeout: 5s, handshakeTimeout: 5s, closeTimeout: 1s, lockTime: 2s, maxPoll: 1s}
http: {port: 0, lockTime: 2s, maxLockTime: 1m, maxPoll: 1s, resumeTime: 2s, idleTimeout: 10s}
admin: {port: 0}
users:
  - {name: sensor1, preSharedKey: "` + coapKey + `"}
addresses:
  - {name: telemetry/#, kind: topic, maxMessages: 100, overflow: dropHead}
  - {name: jobs, kind: queue, maxMessages: 100, overflow: dropHead}
  - {name: commands/#, kind: anycast}
  - {name: alerts, kind: broadcast}
  - {name: undisturbed/#, kind: queue}
`

// startMutated starts manifold for damaged clients.
func startMutated(t *testing.T) *gateway {
	t.Helper()
	return startWith(t, t.TempDir(), mutated)
}

// way is one of the ways in which a conversation is damaged.
type way struct {
	name string
	// converse holds one conversation. Its error says that the door is not open any more, or does not let go.
	converse func(m mutator) error
}

// pair is a sender and a receiver that are not to be disturbed.
type pair interface {
	// send sends message n, and returns when the gateway has said that it has it.
	send(n int, body string) error
	// receive takes one message for good.
	receive() (body string, err error)
	close() error
}

// harmsNobody has clients hold damaged conversations for as long as MANIFOLD_FUZZ says, by default shortly. Meanwhile each of the
// pairs, which have names, sends messages and receives every one of them once. When it is over the process goes on without
// a panic, and nothing is left of those clients.
func (g *gateway) harmsNobody(t *testing.T, ways []way, pairs map[string]func() (pair, error)) {
	t.Helper()
	duration := mutationTime
	if asked := os.Getenv("MANIFOLD_FUZZ"); asked != "" {
		var err error
		if duration, err = time.ParseDuration(asked); err != nil {
			t.Fatal(err)
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	before := g.figures(t)
	ctx, stop := context.WithTimeout(t.Context(), duration)
	defer stop()
	var running sync.WaitGroup
	var held [mutators]map[string]int
	for i := range mutators {
		held[i] = make(map[string]int)
		running.Go(func() {
			m := mutator{rand.New(rand.NewPCG(seed, uint64(i)))}
			for ctx.Err() == nil {
				w := pick(m, ways...)
				if err := w.converse(m); err != nil {
					t.Errorf("mutator %d, conversation %d of %v in %s: %v", i, held[i][w.name], held[i], w.name, err)
					return
				}
				held[i][w.name]++
			}
		})
	}
	for name, open := range pairs {
		running.Go(func() {
			n, err := exchange(ctx, open)
			t.Logf("%d messages %s", n, name)
			if err != nil {
				t.Errorf("%s, message %d: %v", name, n, err)
			}
		})
	}
	running.Wait()
	for _, w := range ways {
		n := 0
		for _, each := range held {
			n += each[w.name]
		}
		t.Logf("%d damaged conversations in %s", n, w.name)
	}
	g.calmsDown(t, before)
	if g.stop(t); bytes.Contains(g.said.Bytes(), []byte("panic")) {
		t.Error("there was a panic")
	}
}

// exchange sends messages through a pair until ctx ends, each after the one before has arrived, and tells how many.
func exchange(ctx context.Context, open func() (pair, error)) (n int, err error) {
	p, err := open()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	for ; ctx.Err() == nil; n++ {
		want := strconv.Itoa(n)
		if err := p.send(n, want); err != nil {
			return n, fmt.Errorf("sent: %w", err)
		}
		if got, err := p.receive(); err != nil || got != want {
			return n, fmt.Errorf("received %q: %w", got, err)
		}
	}
	return n, nil
}

// mutator is a source of damage.
type mutator struct{ *rand.Rand }

// pick gives one of several.
func pick[T any](m mutator, of ...T) T { return of[m.IntN(len(of))] }

// some gives up to most pieces, one behind the other. Now and then one comes twice.
func (m mutator) some(most int, piece func() []byte) (all []byte) {
	for range m.IntN(most + 1) {
		all = append(all, bytes.Repeat(piece(), 1+m.IntN(8)/7)...)
	}
	return all
}

// spoil damages what a client says. Every other time its first words are left whole, so that it gets in.
func (m mutator) spoil(first, rest []byte) []byte {
	if m.IntN(2) == 0 {
		return append(first, m.damage(rest)...)
	}
	return m.damage(append(first, rest...))
}

// damage changes a few places: a bit, a byte, a piece that is cut out, doubled or put in.
func (m mutator) damage(b []byte) []byte {
	for range 1 + m.IntN(3) {
		if len(b) == 0 {
			return []byte{byte(m.IntN(256))}
		}
		at := m.IntN(len(b))
		end := at + m.IntN(min(len(b)-at, 16<<m.IntN(4))+1)
		switch m.IntN(5) {
		case 0:
			b[at] ^= 1 << m.IntN(8)
		case 1:
			b[at] = pick[byte](m, 0, 1, '\n', ':', 0x7F, 0x80, 0xFF)
		case 2:
			b = slices.Delete(b, at, end)
		case 3:
			b = slices.Insert(b, at, slices.Clone(b[at:end])...)
		default:
			b = slices.Insert(b, at, byte(m.IntN(256)))
		}
	}
	return b
}

// pour makes a connection, sends a text in pieces, reads what comes, and closes the connection. Every other time it says first
// that there is no more, and hears the server out.
func (m mutator) pour(address string, text []byte) error {
	nc, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer nc.Close()
	var fault error
	var reading sync.WaitGroup
	reading.Go(func() { _, fault = io.Copy(io.Discard, nc) })
	defer reading.Wait()
	defer nc.Close()
	for len(text) > 0 {
		n := 1 + m.IntN(len(text))
		if _, err := nc.Write(text[:n]); err != nil {
			return nil // it was disconnected
		}
		text = text[n:]
	}
	if m.IntN(2) == 0 {
		if nc.(*net.TCPConn).CloseWrite() != nil || nc.SetReadDeadline(time.Now().Add(wirePatience)) != nil {
			return nil // likewise
		}
		if reading.Wait(); errors.Is(fault, os.ErrDeadlineExceeded) {
			return errors.New("the connection is kept open")
		}
	}
	return nil
}

// spare is what the process may take up more when it is over.
var spare = map[string]int{
	"go_goroutines":             10, // of the metrics' own requests and of the store
	"process_open_fds":          20, // likewise
	"manifold_connections":      0,
	"manifold_queue_consumers":  0,
	"links":                     0,
	"go_memstats_next_gc_bytes": 64 << 20, // twice what was in use; each page of metrics is some, so that asking makes the collector run
}

// calmsDown waits until the process takes up about as much as before.
func (g *gateway) calmsDown(t *testing.T, before map[string]int) {
	t.Helper()
	deadline := time.After(3 * wirePatience)
	for {
		now, settled := g.figures(t), true
		for name, more := range spare {
			settled = settled && now[name] <= before[name]+more
		}
		select {
		case <-deadline:
			t.Error("something is left behind")
			settled = true
		case <-time.After(50 * time.Millisecond):
		}
		if settled {
			for _, name := range slices.Sorted(maps.Keys(spare)) {
				t.Logf("%s: %d before, %d after", name, before[name], now[name])
			}
			return
		}
	}
}
