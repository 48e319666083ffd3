package amqp

import (
	"fmt"
	"time"

	"github.com/manifoldmq/manifold/router/amqp/engine"
)

// ConnectionLimits bound one connection; see the fields of the type.
type ConnectionLimits = engine.Limits

// Limits are the settings of the door. Start from DefaultLimits.
type Limits struct {
	ConnectionLimits

	// RelayCredit is how many messages a sender without an address of its own may have unsettled.
	RelayCredit int
	// MaxSenders is how many addresses such a sender keeps links to; beyond, idle links are closed.
	MaxSenders int
	// MaxQueuedBytes is how many bytes of messages from topics and broadcast addresses may be on their way to one
	// client. What comes beyond is dropped for this client, and counted.
	MaxQueuedBytes int
	// DrainWait is how long a receiver that drains is kept waiting for messages that are still being read from disk.
	DrainWait time.Duration
}

// DefaultLimits suit applications.
func DefaultLimits() Limits {
	return Limits{
		ConnectionLimits: engine.DefaultLimits(),
		RelayCredit:      250,
		MaxSenders:       64,
		MaxQueuedBytes:   8 << 20,
		DrainWait:        50 * time.Millisecond,
	}
}

// Validate reports the first setting that is out of its range.
func (l Limits) Validate() error {
	for _, f := range []struct {
		name  string
		value int
	}{
		{"relayCredit", l.RelayCredit},
		{"maxSenders", l.MaxSenders},
		{"maxQueuedBytes", l.MaxQueuedBytes},
		{"drainWait", int(l.DrainWait)},
	} {
		if f.value <= 0 {
			return fmt.Errorf("%s is %d, not above 0", f.name, f.value)
		}
	}
	return l.ConnectionLimits.Validate()
}
