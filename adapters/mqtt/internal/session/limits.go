package session

import (
	"fmt"
	"math"
	"time"
)

// Limits bound what one client may use. They are settings of a listener, shared by its sessions; start from
// DefaultLimits. What MQTT 5 can announce is announced in CONNACK, and what exceeds a limit ends the connection with the
// reason code named here.
type Limits struct {
	// MaxPacketSize is the largest packet in bytes, fixed header included. Announced. Answer: 0x95 packet too large.
	MaxPacketSize int
	// MaxPacketSizeBeforeConnect bounds CONNECT, which is read from anybody.
	MaxPacketSizeBeforeConnect int
	// ConnectTimeout is how long a connection may live without a whole CONNECT. Answer: closed without a word.
	ConnectTimeout time.Duration
	// MaxQoS is the highest QoS of publishes and subscriptions. Announced. Answer: 0x9B QoS not supported, and to a
	// subscription the highest.
	MaxQoS byte
	// MaxInflight is how many incoming publishes may be unanswered; then reading stops. Announced as Receive Maximum to
	// MQTT 5 clients, whose publishes beyond it with QoS 1 or 2 get 0x93 receive maximum exceeded.
	MaxInflight int
	// MaxInflightBytes is how many bytes the unanswered publishes may have together; then reading stops. The packet that
	// passes the limit is still taken.
	MaxInflightBytes int
	// MaxUnacknowledged is how many deliveries may await the client's PUBACK or PUBCOMP; its own Receive Maximum may be
	// lower.
	MaxUnacknowledged int
	// MaxPending is how many publications may wait to be written. Deliver refuses more with PendingFull.
	MaxPending int
	// MaxPendingBytes is how many bytes those may have together; one larger publication alone is still taken.
	MaxPendingBytes int
	// MaxRequests is how many SUBSCRIBE and UNSUBSCRIBE packets may be unanswered; then reading stops.
	MaxRequests int
	// MaxSubscriptionsPerPacket bounds the filters of one packet. Answer: 0x97 quota exceeded.
	MaxSubscriptionsPerPacket int
	// MaxTopicLength bounds topic names and filters in bytes. Answer: 0x90 topic name invalid, 0x8F topic filter invalid.
	MaxTopicLength int
	// TopicAliasMaximum is how many topic aliases the client may set. Announced. Answer: 0x94 topic alias invalid. As many
	// are used towards a client that takes them.
	TopicAliasMaximum int
	// MaxKeepAlive bounds the keep-alive in whole seconds; 0 leaves it to the client. An MQTT 5 client that asks for
	// more, or for none, is told Server Keep Alive; older ones can't be told and keep their own.
	MaxKeepAlive time.Duration
}

// DefaultLimits suit devices and small applications.
func DefaultLimits() Limits {
	return Limits{
		MaxPacketSize:              1 << 20,
		MaxPacketSizeBeforeConnect: 16 << 10,
		ConnectTimeout:             10 * time.Second,
		MaxQoS:                     2,
		MaxInflight:                1024,
		MaxInflightBytes:           1 << 20,
		MaxUnacknowledged:          256,
		MaxPending:                 1024,
		MaxPendingBytes:            1 << 20,
		MaxRequests:                16,
		MaxSubscriptionsPerPacket:  128,
		MaxTopicLength:             4 << 10,
		TopicAliasMaximum:          16,
		MaxKeepAlive:               0,
	}
}

// Validate reports the first setting that is out of its range.
func (l Limits) Validate() error {
	for _, f := range []struct {
		name            string
		value, low, top int
	}{
		{"maxPacketSize", l.MaxPacketSize, 128, maxRemaining},
		{"maxPacketSizeBeforeConnect", l.MaxPacketSizeBeforeConnect, 128, l.MaxPacketSize},
		{"maxQoS", int(l.MaxQoS), 0, 2},
		{"maxInflight", l.MaxInflight, 1, math.MaxUint16},
		{"maxInflightBytes", l.MaxInflightBytes, 1, math.MaxInt32},
		{"maxUnacknowledged", l.MaxUnacknowledged, 1, math.MaxUint16},
		{"maxPending", l.MaxPending, 1, math.MaxInt32},
		{"maxPendingBytes", l.MaxPendingBytes, 1, math.MaxInt32},
		{"maxRequests", l.MaxRequests, 1, math.MaxUint16},
		{"maxSubscriptionsPerPacket", l.MaxSubscriptionsPerPacket, 1, math.MaxUint16},
		{"maxTopicLength", l.MaxTopicLength, 1, math.MaxUint16},
		{"topicAliasMaximum", l.TopicAliasMaximum, 0, math.MaxUint16},
		{"maxKeepAlive in seconds", int(l.MaxKeepAlive / time.Second), 0, math.MaxUint16},
	} {
		if f.value < f.low || f.value > f.top {
			return fmt.Errorf("%s is %d, outside of %d to %d", f.name, f.value, f.low, f.top)
		}
	}
	if l.ConnectTimeout <= 0 {
		return fmt.Errorf("connectTimeout is %v, not above 0", l.ConnectTimeout)
	}
	if l.MaxKeepAlive%time.Second != 0 {
		return fmt.Errorf("maxKeepAlive is %v, not whole seconds", l.MaxKeepAlive)
	}
	return nil
}
