package mqtt

import (
	"fmt"
	"time"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
)

// SessionLimits bound one connection; see the fields of the type.
type SessionLimits = session.Limits

// Limits are the settings of the door. Start from DefaultLimits.
type Limits struct {
	SessionLimits

	// MaxSessionExpiry is how long a session may outlive its connection, in whole seconds; 0 is not at all. An MQTT 5
	// client that asks for more is told; older ones, which cannot say how long, get that.
	MaxSessionExpiry time.Duration
	// MaxSubscriptions is how many subscriptions one client may have. Answer: 0x97 quota exceeded.
	MaxSubscriptions int
	// SubscriptionCredit is how many messages of one subscription to a topic or broadcast address may be on their way
	// to the client. What comes beyond is dropped for this client, and counted.
	SubscriptionCredit int
	// QueueCredit is the same for a queue or anycast address; what comes beyond waits there or goes to others.
	QueueCredit int
	// MaxQueuedBytes is how many bytes of messages from topics and broadcast addresses may be on their way to the
	// client. What comes beyond is dropped for this client, and counted.
	MaxQueuedBytes int
	// MaxSenders is how many addresses a client's publishes keep links to; beyond, idle links are closed.
	MaxSenders int
	// DeliveryTimeout is how long a client before MQTT 5 waits for a PUBACK that must not be given, before it is
	// disconnected, as that protocol has no other way to say no.
	DeliveryTimeout time.Duration
}

// DefaultLimits suit devices and small applications.
func DefaultLimits() Limits {
	return Limits{
		SessionLimits:      session.DefaultLimits(),
		MaxSessionExpiry:   30 * 24 * time.Hour,
		MaxSubscriptions:   1000,
		SubscriptionCredit: 10_000,
		QueueCredit:        100,
		MaxQueuedBytes:     8 << 20,
		MaxSenders:         64,
		DeliveryTimeout:    30 * time.Second,
	}
}

// Validate reports the first setting that is out of its range.
func (l Limits) Validate() error {
	for _, f := range []struct {
		name  string
		value int
	}{
		{"maxSubscriptions", l.MaxSubscriptions},
		{"subscriptionCredit", l.SubscriptionCredit},
		{"queueCredit", l.QueueCredit},
		{"maxQueuedBytes", l.MaxQueuedBytes},
		{"maxSenders", l.MaxSenders},
		{"deliveryTimeout", int(l.DeliveryTimeout)},
	} {
		if f.value <= 0 {
			return fmt.Errorf("%s is %d, not above 0", f.name, f.value)
		}
	}
	if l.MaxSessionExpiry < 0 || l.MaxSessionExpiry%time.Second != 0 || l.MaxSessionExpiry/time.Second >= session.NeverExpires {
		return fmt.Errorf("maxSessionExpiry is %v, not whole seconds below 136 years", l.MaxSessionExpiry)
	}
	return l.SessionLimits.Validate()
}

// expiry gives for how long a session outlives its connection of which the client asked for so many seconds.
func (l *Limits) expiry(asked uint32) uint32 {
	return min(asked, uint32(l.MaxSessionExpiry/time.Second))
}
