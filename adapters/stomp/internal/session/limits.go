package session

import (
	"fmt"
	"time"
)

// Limits bound what one client may use. They are settings of a listener, shared by its sessions; start from
// DefaultLimits. A frame that passes a limit is answered with ERROR before memory is spent on it.
type Limits struct {
	// MaxHeaders is how many headers a frame may have.
	MaxHeaders int
	// MaxHeaderLine is how many octets a header may have, name and value together.
	MaxHeaderLine int
	// MaxHeaderBytes is how many octets a frame may have before its body.
	MaxHeaderBytes int
	// MaxHeaderBytesBeforeConnect is the same of CONNECT, which is read from anybody.
	MaxHeaderBytesBeforeConnect int
	// MaxBody is how many octets the body of a frame may have.
	MaxBody int
	// ConnectTimeout is how long a connection may live without a whole CONNECT.
	ConnectTimeout time.Duration
	// CloseTimeout is how long the answers to what is under way are waited for when the session ends.
	CloseTimeout time.Duration
	// MinHeartBeat is the shortest interval of heart-beats in either direction; announced.
	MinHeartBeat time.Duration
	// MaxInflight is how many requests may be unanswered; then reading stops.
	MaxInflight int
	// MaxInflightBytes is how many octets their bodies may have together; then reading stops. The frame that passes the
	// limit is still taken.
	MaxInflightBytes int
	// MaxSubscriptions is how many subscriptions a client may have.
	MaxSubscriptions int
	// MaxTransactions is how many transactions a client may have open.
	MaxTransactions int
}

// DefaultLimits suit applications.
func DefaultLimits() Limits {
	return Limits{
		MaxHeaders:                  128,
		MaxHeaderLine:               8 << 10,
		MaxHeaderBytes:              64 << 10,
		MaxHeaderBytesBeforeConnect: 16 << 10,
		MaxBody:                     16 << 20,
		ConnectTimeout:              10 * time.Second,
		CloseTimeout:                2 * time.Second,
		MinHeartBeat:                time.Second,
		MaxInflight:                 1024,
		MaxInflightBytes:            4 << 20,
		MaxSubscriptions:            1000,
		MaxTransactions:             16,
	}
}

// Validate reports the first setting that is out of its range.
func (l Limits) Validate() error {
	for _, f := range []struct {
		name  string
		value int
	}{
		{"maxHeaders", l.MaxHeaders},
		{"maxHeaderLine", l.MaxHeaderLine},
		{"maxHeaderBytes", l.MaxHeaderBytes},
		{"maxHeaderBytesBeforeConnect", l.MaxHeaderBytesBeforeConnect},
		{"maxBody", l.MaxBody},
		{"connectTimeout", int(l.ConnectTimeout)},
		{"closeTimeout", int(l.CloseTimeout)},
		{"minHeartBeat in milliseconds", int(l.MinHeartBeat / time.Millisecond)},
		{"maxInflight", l.MaxInflight},
		{"maxInflightBytes", l.MaxInflightBytes},
		{"maxSubscriptions", l.MaxSubscriptions},
		{"maxTransactions", l.MaxTransactions},
	} {
		if f.value <= 0 {
			return fmt.Errorf("%s is %d, not above 0", f.name, f.value)
		}
	}
	return nil
}
