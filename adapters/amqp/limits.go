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
	// SubscriptionCredit is how many messages of a receiver from topics or broadcast addresses may wait for its credit.
	// What comes beyond is dropped for this receiver, and counted.
	SubscriptionCredit int
	// MaxQueuedBytes is how many bytes of messages from topics and broadcast addresses may be on their way to one
	// client. What comes beyond is dropped for this client, and counted.
	MaxQueuedBytes int
	// MaxTransactions is how many transactions of a connection may be open. A further one is not declared.
	MaxTransactions int
	// TransactionTimeout is how long a transaction may be open, from what is first done in it. It is rolled back then.
	TransactionTimeout time.Duration
	// StreamTimeout is how long nothing may come of a message that is not whole and whose beginning a consumer has; 0 for as long
	// as it takes. It is void then, after twice the time at the latest.
	StreamTimeout time.Duration
}

// DefaultLimits suit applications.
func DefaultLimits() Limits {
	return Limits{
		ConnectionLimits: engine.DefaultLimits(),

		RelayCredit:        250,
		MaxSenders:         64,
		SubscriptionCredit: 10_000,
		MaxQueuedBytes:     8 << 20,
		MaxTransactions:    256,
		TransactionTimeout: 10 * time.Minute,
		StreamTimeout:      30 * time.Second,
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
		{"subscriptionCredit", l.SubscriptionCredit},
		{"maxQueuedBytes", l.MaxQueuedBytes},
		{"maxTransactions", l.MaxTransactions},
	} {
		if f.value <= 0 {
			return fmt.Errorf("%s is %d, not above 0", f.name, f.value)
		}
	}
	if l.TransactionTimeout <= 0 {
		return fmt.Errorf("transactionTimeout is %v, not above 0", l.TransactionTimeout)
	}
	if l.StreamTimeout < 0 {
		return fmt.Errorf("streamTimeout is %v, below 0", l.StreamTimeout)
	}
	return l.ConnectionLimits.Validate()
}
