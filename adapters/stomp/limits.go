package stomp

import (
	"fmt"

	"github.com/manifoldmq/manifold/adapters/stomp/internal/session"
)

// SessionLimits bound one connection; see the fields of the type.
type SessionLimits = session.Limits

// Limits are the settings of the door. Start from DefaultLimits.
type Limits struct {
	SessionLimits

	// SubscriptionCredit is how many messages of one subscription to a topic or broadcast address may be on their way to
	// the client. What comes beyond is dropped for this client, and counted.
	SubscriptionCredit int
	// QueueCredit is how many messages a subscription to a queue, an anycast address or a durable subscription may hold
	// if its client does not say.
	QueueCredit int
	// MaxPrefetch is the most that a client may say.
	MaxPrefetch int
	// MaxQueuedBytes is how many octets of messages from topics and broadcast addresses may be on their way to the
	// client. What comes beyond is dropped for this client, and counted.
	MaxQueuedBytes int
	// MaxSenders is how many addresses a client's messages keep links to; beyond, idle links are closed.
	MaxSenders int
	// MaxTemporaries is how many temporary queues and topics a client may have.
	MaxTemporaries int
}

// DefaultLimits suit applications.
func DefaultLimits() Limits {
	return Limits{
		SessionLimits:      session.DefaultLimits(),
		SubscriptionCredit: 10_000,
		QueueCredit:        100,
		MaxPrefetch:        10_000,
		MaxQueuedBytes:     8 << 20,
		MaxSenders:         64,
		MaxTemporaries:     64,
	}
}

// Validate reports the first setting that is out of its range.
func (l Limits) Validate() error {
	for _, f := range []struct {
		name  string
		value int
	}{
		{"subscriptionCredit", l.SubscriptionCredit},
		{"queueCredit", l.QueueCredit},
		{"maxPrefetch", l.MaxPrefetch},
		{"maxQueuedBytes", l.MaxQueuedBytes},
		{"maxSenders", l.MaxSenders},
		{"maxTemporaries", l.MaxTemporaries},
	} {
		if f.value <= 0 {
			return fmt.Errorf("%s is %d, not above 0", f.name, f.value)
		}
	}
	return l.SessionLimits.Validate()
}
