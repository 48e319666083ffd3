package load

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// A broadcast is what a fleet hears when its idleness ends: messages to one topic that all connections subscribe to. They
// are published as fast as the server takes them. Connections of MQTT are read one after another, so all of the messages
// together have to fit into a socket's buffers.

const (
	broadcastSize = 256 // bytes of a payload
	maxBroadcast  = 100
	broadcastTime = time.Minute // how long the server has to deliver
)

var errNotAsSent = errors.New("what came is not what was published, in order")

// Broadcast is what became of one.
type Broadcast struct {
	Messages int           `json:"messages"`
	Began    time.Time     `json:"began"`
	Heard    int           `json:"heard"` // connections that got every message, in order and nothing else
	Elapsed  time.Duration `json:"elapsedNanos"`
	// Peak is the most memory that the server had in RAM meanwhile, in bytes; 0 when nobody asked.
	Peak uint64 `json:"serverPeak,omitempty"`
}

// Deliveries is how many messages reached those who heard all of them.
func (b *Broadcast) Deliveries() int { return b.Messages * b.Heard }

func (b *Broadcast) write(t *table) {
	t.row("broadcast", "%d messages, heard by %d, in %.2f s  %.0f deliveries/s", b.Messages, b.Heard, b.Elapsed.Seconds(),
		float64(b.Deliveries())/b.Elapsed.Seconds())
	if b.Peak > 0 {
		t.row("", "%d KiB of server memory at most", b.Peak>>10)
	}
}

// hearer is an idle connection that can hear a broadcast.
type hearer interface {
	// hear reads what a herald says that there is to hear.
	hear(want []byte, deadline time.Time) error
}

// herald is the connection that a broadcast comes from.
type herald interface {
	// publish sends n messages, each of its own, to a topic, and says what is to be heard of them.
	publish(topic string, n int) (want []byte, err error)
	farewell()
	close()
}

func openHerald(ctx context.Context, c IdleConfig) (herald, error) {
	switch {
	case c.Hear:
		return elsewhere{}, nil
	case c.Protocol == CoAP:
		return openCoAPHerald(ctx, c)
	}
	h := new(mqttHerald)
	return h, h.open(ctx, c.Address, nil, appendConnect(nil, c.ClientID+"-publisher", c.Username, c.Password))
}

// mqttHerald publishes with QoS 0. What is heard is what it writes.
type mqttHerald struct{ mqttLine }

func (h *mqttHerald) publish(topic string, n int) ([]byte, error) {
	messages := appendBroadcast(nil, topic, n)
	_, err := h.conn.Write(messages)
	return messages, err
}

// elsewhere stands for the MQTT herald of another fleet.
type elsewhere struct{}

func (elsewhere) publish(topic string, n int) ([]byte, error) {
	return appendBroadcast(nil, topic, n), nil
}
func (elsewhere) farewell() {}
func (elsewhere) close()    {}

// broadcast publishes from one more connection and waits until everybody has all of it.
func (f *Fleet) broadcast(ctx context.Context, c IdleConfig) (_ *Broadcast, err error) {
	herald, err := openHerald(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("publisher: %w", err)
	}
	defer herald.close()
	defer herald.farewell()
	if err := forgetPeak(c.ServerPID); err != nil {
		return nil, err
	}
	start := time.Now()
	b := &Broadcast{Messages: c.Broadcast, Began: start}
	want, err := herald.publish(c.Topic, c.Broadcast)
	if err != nil {
		return nil, fmt.Errorf("publisher: %w", broken(err))
	}
	var heard atomic.Int64
	err = inParallelBy(ctx, c.hearAtOnce(), len(f.idlers), func(_ context.Context, i int) error {
		if f.idlers[i].(hearer).hear(want, start.Add(broadcastTime)) == nil {
			heard.Add(1)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	b.Elapsed, b.Heard = time.Since(start), int(heard.Load())
	if c.ServerPID != 0 {
		b.Peak, err = peakBytes(c.ServerPID)
	}
	return b, err
}

// hearAtOnce is how many connections are read at a time: those of CoAP all, for they have to acknowledge what they hear.
func (c IdleConfig) hearAtOnce() int {
	if c.Protocol == CoAP {
		return c.Connections
	}
	return dialAtOnce
}

// appendBroadcast encodes n messages with QoS 0, each of its own. A server hands them on as they are.
func appendBroadcast(dst []byte, topic string, n int) []byte {
	for i := range n {
		dst = append(dst, packetPublish)
		dst = appendLength(dst, 2+len(topic)+broadcastSize)
		dst = appendString(dst, topic)
		dst = fmt.Appendf(dst, "%0*d", broadcastSize, i)
	}
	return dst
}

// forgetPeak begins anew to look for the most memory of the server.
func forgetPeak(pid int) error {
	if pid == 0 {
		return nil
	}
	return resetPeak(pid)
}
