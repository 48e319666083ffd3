package engine

import (
	"fmt"
	"math"
	"time"

	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// Limits bound what one peer may use. They are settings of a listener or connector, shared by its connections; start
// from DefaultLimits. What exceeds a limit is answered with the condition named here.
type Limits struct {
	// MaxFrameSize is the largest frame we take, in bytes; announced. Answer: amqp:connection:framing-error.
	MaxFrameSize uint32
	// MaxHandshakeFrame is the largest frame we take before our open: SASL frames, and the open of a client.
	MaxHandshakeFrame uint32
	// ChannelMax is the highest channel number we take; announced. Answer: amqp:connection:framing-error.
	ChannelMax uint16
	// HandleMax is the highest link handle we take in each session; announced. Answer: amqp:connection:framing-error.
	HandleMax uint32
	// MaxLinks is how many links a connection may have in all its sessions. Answer: the session that goes beyond is ended
	// with amqp:resource-limit-exceeded.
	MaxLinks int
	// MaxKept is how many bytes the begins and attaches may take that are kept for the sessions and links there are, and the tables of
	// the handles that the peer has taken.
	// Answer: amqp:resource-limit-exceeded, for the session or the connection.
	MaxKept int
	// MaxMessageSize is the largest message we take, in bytes; announced. Answer: amqp:link:message-size-exceeded.
	MaxMessageSize uint64
	// TooLarge ends the connection of a peer that sends a larger one; nil ends only the link.
	TooLarge *frame.Error
	// MaxPartial is how many bytes of unfinished messages are kept for the links of a connection that take whole
	// messages. Answer: the link that goes beyond is detached with amqp:resource-limit-exceeded.
	MaxPartial int
	// MaxUnsettled is how many deliveries of one link may be unsettled: no more are sent, and no credit is given.
	MaxUnsettled int
	// IncomingWindow is how many transfer frames the peer may send in a session before we say go on. Answer:
	// amqp:session:window-violation.
	IncomingWindow uint32
	// IncomingBytes is about how many bytes these frames may have together: of large frames the window has fewer.
	IncomingBytes int
	// IdleTimeout is how long a peer may be silent; half of it is announced, as [2.4.5] advises. 0 is for ever. Answer:
	// amqp:resource-limit-exceeded.
	IdleTimeout time.Duration
	// MinIdleTimeout is the shortest idle-time-out of a peer that we keep up with. Answer: amqp:not-allowed.
	MinIdleTimeout time.Duration
	// HandshakeTimeout is how long a connection may live without the peer's open. Answer: closed.
	HandshakeTimeout time.Duration
	// CloseTimeout is how long we wait for the peer's close after ours.
	CloseTimeout time.Duration
}

// DefaultLimits suit applications.
func DefaultLimits() Limits {
	return Limits{
		MaxFrameSize:      64 << 10,
		MaxHandshakeFrame: 8 << 10,
		ChannelMax:        255,
		HandleMax:         1023,
		MaxLinks:          4096,
		MaxKept:           4 << 20,
		MaxMessageSize:    16 << 20,
		MaxPartial:        32 << 20,
		MaxUnsettled:      2048,
		IncomingWindow:    512,
		IncomingBytes:     8 << 20,
		IdleTimeout:       2 * time.Minute,
		MinIdleTimeout:    100 * time.Millisecond,
		HandshakeTimeout:  10 * time.Second,
		CloseTimeout:      2 * time.Second,
	}
}

// Validate reports the first setting that is out of its range.
func (l Limits) Validate() error {
	for _, f := range []struct {
		name            string
		value, low, top uint64
	}{
		{"maxFrameSize", uint64(l.MaxFrameSize), frame.MinMaxSize, 16 << 20},
		{"maxHandshakeFrame", uint64(l.MaxHandshakeFrame), frame.MinMaxSize, 1 << 20},
		{"handleMax", uint64(l.HandleMax), 0, math.MaxUint16},
		{"maxLinks", uint64(l.MaxLinks), 1, 1 << 20},
		{"maxKept", uint64(l.MaxKept), 1, math.MaxInt32},
		{"maxMessageSize", l.MaxMessageSize, 1, math.MaxInt64},
		{"maxPartial", uint64(l.MaxPartial), 1, math.MaxInt64},
		{"maxUnsettled", uint64(l.MaxUnsettled), 1, 1 << 20},
		{"incomingWindow", uint64(l.IncomingWindow), 2, math.MaxInt32},
		{"incomingBytes", uint64(l.IncomingBytes), 1, math.MaxInt32},
	} {
		if f.value < f.low || f.value > f.top {
			return fmt.Errorf("%s is %d, outside of %d to %d", f.name, f.value, f.low, f.top)
		}
	}
	for _, f := range []struct {
		name       string
		value, low time.Duration
	}{
		{"idleTimeout", l.IdleTimeout, 0},
		{"minIdleTimeout", l.MinIdleTimeout, 4 * time.Millisecond},
		{"handshakeTimeout", l.HandshakeTimeout, time.Millisecond},
		{"closeTimeout", l.CloseTimeout, time.Millisecond},
	} {
		if f.value < f.low {
			return fmt.Errorf("%s is %v, below %v", f.name, f.value, f.low)
		}
	}
	return nil
}
