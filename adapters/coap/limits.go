package coap

import (
	"fmt"
	"time"

	"github.com/manifoldmq/manifold/adapters/coap/internal/block"
	"github.com/manifoldmq/manifold/adapters/coap/internal/datagram"
	"github.com/manifoldmq/manifold/adapters/coap/internal/dtls"
	"github.com/manifoldmq/manifold/adapters/coap/internal/stream"
)

// Limits of single conversations; see the fields of the types.
type (
	// BlockLimits bound bodies that come or go in blocks (RFC 7959).
	BlockLimits = block.Limits
	// DatagramLimits bound a conversation over UDP or DTLS. Their Block is replaced by Limits.Blocks.
	DatagramLimits = datagram.Limits
	// StreamLimits bound a conversation over TCP, TLS or WebSocket.
	StreamLimits = stream.Limits
	// DTLSLimits bound the handshakes and sessions of a socket.
	DTLSLimits = dtls.Limits
)

// Limits are the settings of the door. Start from DefaultLimits.
type Limits struct {
	Blocks   BlockLimits
	Datagram DatagramLimits
	Stream   StreamLimits
	DTLS     DTLSLimits

	MaxBlockBytes int // of unfinished bodies of all peers together
	MaxPeers      int // at one socket of UDP or DTLS; the datagrams of one more are dropped
	MaxDatagram   int // bytes of a datagram that is taken

	SessionTimeout time.Duration // how long a session of DTLS is kept whose client is silent

	MaxSenders         int           // addresses that a peer's messages keep links to
	MaxUsers           int           // users that the requests of one peer may speak for at once
	MaxObservations    int           // of one peer
	SubscriptionCredit int           // messages of an observed topic or broadcast on their way; more are dropped
	QueueCredit        int           // messages of an observed queue, anycast address or subscription on their way
	MaxQueuedBytes     int           // of topics and broadcast on their way to one peer; more are dropped
	OutcomeTimeout     time.Duration // how long a request waits for what becomes of its message
	RetryAfter         time.Duration // what Max-Age tells a client to wait that is to try again
	MaxPoll            time.Duration // the longest time that a receive may wait for a message
	LockTime           time.Duration // how long a received message is locked if the client does not say
	MaxLockTime        time.Duration // the longest lock that a client may ask for
	MaxLocks           int           // messages that one user of a tenant may hold locked
	MaxTopics          int           // topics that the clients of a tenant may configure at /ps
	DrainTimeout       time.Duration // how long peers get for what is under way when the process stops
}

// DefaultLimits suit devices and small applications.
func DefaultLimits() Limits {
	l := Limits{
		Blocks:             block.DefaultLimits(),
		Datagram:           datagram.DefaultLimits(),
		Stream:             stream.DefaultLimits(),
		DTLS:               dtls.DefaultLimits(),
		MaxBlockBytes:      256 << 20,
		MaxPeers:           200_000,
		MaxDatagram:        2048,
		SessionTimeout:     24 * time.Hour,
		MaxSenders:         32,
		MaxUsers:           16,
		MaxObservations:    256,
		SubscriptionCredit: 256,
		QueueCredit:        8,
		MaxQueuedBytes:     1 << 20,
		OutcomeTimeout:     30 * time.Second,
		RetryAfter:         time.Second,
		MaxPoll:            time.Minute,
		LockTime:           time.Minute,
		MaxLockTime:        10 * time.Minute,
		MaxLocks:           1000,
		MaxTopics:          10_000,
		DrainTimeout:       10 * time.Second,
	}
	l.DTLS.MaxSessions = l.MaxPeers + l.DTLS.MaxHandshakes
	return l
}

// Validate reports the first setting that is out of its range.
func (l Limits) Validate() error {
	for _, f := range []struct {
		name  string
		value int
	}{
		{"maxBlockBytes", l.MaxBlockBytes},
		{"maxPeers", l.MaxPeers},
		{"maxDatagram", l.MaxDatagram},
		{"sessionTimeout", int(l.SessionTimeout)},
		{"maxSenders", l.MaxSenders},
		{"maxUsers", l.MaxUsers},
		{"maxObservations", l.MaxObservations},
		{"subscriptionCredit", l.SubscriptionCredit},
		{"queueCredit", l.QueueCredit},
		{"maxQueuedBytes", l.MaxQueuedBytes},
		{"outcomeTimeout", int(l.OutcomeTimeout)},
		{"retryAfter", int(l.RetryAfter)},
		{"maxPoll", int(l.MaxPoll)},
		{"lockTime", int(l.LockTime)},
		{"maxLockTime", int(l.MaxLockTime)},
		{"maxLocks", l.MaxLocks},
		{"maxTopics", l.MaxTopics},
		{"drainTimeout", int(l.DrainTimeout)},
	} {
		if f.value <= 0 {
			return fmt.Errorf("%s is %d, not above 0", f.name, f.value)
		}
	}
	if l.DTLS.MaxSessions <= l.MaxPeers { // a session that opens needs room beside the one that makes room for it
		return fmt.Errorf("maxSessions of DTLS is %d, not above maxPeers", l.DTLS.MaxSessions)
	}
	for _, inner := range []interface{ Validate() error }{l.Blocks, l.Datagram, l.Stream, l.DTLS} {
		if err := inner.Validate(); err != nil {
			return err
		}
	}
	return nil
}
