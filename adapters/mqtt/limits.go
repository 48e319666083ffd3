package mqtt

import (
	"fmt"
	"time"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/addressing"
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
	// MaxTopicLevels is how many levels a topic name or filter may have. Answer: 0x90 topic name invalid, 0x8F topic filter
	// invalid.
	MaxTopicLevels int
	// ConnectRate is how many clients a second may come in, all together; 0 is no limit. Those beyond hear 0x9F connection
	// rate exceeded before anybody looks at their password.
	ConnectRate int
	// PublishRate is how many publishes of one client are taken in a second, and PublishBytes how many bytes of their topics
	// and payloads; 0 is no limit. A faster client is not read from for a while.
	PublishRate, PublishBytes int
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

	// SystemInterval is how often the topics below $SYS are told anew; 0 is never: they are not offered.
	SystemInterval time.Duration
	// ResponseTopics is the topic below which clients that ask for Response Information find one of their own; empty for
	// none. An address has to be declared for it.
	ResponseTopics string
	// ServerReference is where MQTT 5 clients are told to go when this server stops or has too much to do (section 4.11):
	// host names, each perhaps with a port behind a colon, with spaces between; empty for nowhere.
	ServerReference string
	// ServerMoved tells them to stay there: 0x9D server moved, in place of 0x9C use another server.
	ServerMoved bool
	// HideReasons answers every publish and subscription that is refused with 0x80 unspecified error and without a text,
	// so that nobody learns from it which addresses there are.
	HideReasons bool
}

// DefaultLimits suit devices and small applications.
func DefaultLimits() Limits {
	return Limits{
		SessionLimits:      session.DefaultLimits(),
		MaxSessionExpiry:   30 * 24 * time.Hour,
		MaxSubscriptions:   1000,
		MaxTopicLevels:     addressing.MaxLevels,
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
		{"maxTopicLevels", l.MaxTopicLevels},
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
	if l.SystemInterval < 0 {
		return fmt.Errorf("systemInterval is %v, below 0", l.SystemInterval)
	}
	if l.ConnectRate < 0 || l.PublishRate < 0 || l.PublishBytes < 0 {
		return fmt.Errorf("connectRate %d, publishRate %d or publishBytes %d is below 0",
			l.ConnectRate, l.PublishRate, l.PublishBytes)
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
