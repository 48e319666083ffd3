package stream

import (
	"fmt"
	"time"
)

// baseMaxMessage is how long a message may be that is sent to who has not said anything else (RFC 8323 section 5.3.1).
const baseMaxMessage = 1152

// leastMaxMessage is what a client can take at least, whatever it says: an error has to fit.
const leastMaxMessage = 64

// Limits bound what one client may use. They are settings of a listener, shared by its connections; start from
// DefaultLimits.
type Limits struct {
	// MaxMessage is how many octets a message may have, announced in our CSM. Before the client's own CSM it is 1,152.
	MaxMessage int
	// MaxOptions is how many options a message may have.
	MaxOptions int
	// MaxExchanges is how many requests may be unanswered; then reading stops.
	MaxExchanges int
	// MaxObservations is how many resources a client may observe; one more is answered like a plain GET (RFC 7641
	// section 4.1).
	MaxObservations int
	// MaxOwed is how many octets may wait to be written; then reading stops. The response that passes the limit is
	// still taken.
	MaxOwed int
	// GreetingTimeout is how long a connection may live without a CSM.
	GreetingTimeout time.Duration
	// CloseTimeout is how long the responses to what is under way are waited for after a Release.
	CloseTimeout time.Duration
}

// DefaultLimits suit devices and gateways.
func DefaultLimits() Limits {
	return Limits{
		MaxMessage:      256 << 10,
		MaxOptions:      64,
		MaxExchanges:    256,
		MaxObservations: 1024,
		MaxOwed:         64 << 10,
		GreetingTimeout: 10 * time.Second,
		CloseTimeout:    5 * time.Second,
	}
}

// Validate reports the first setting that is out of its range.
func (l Limits) Validate() error {
	for _, f := range []struct {
		name         string
		value, least int
	}{
		{"maxMessage", l.MaxMessage, baseMaxMessage},
		{"maxOptions", l.MaxOptions, 1},
		{"maxExchanges", l.MaxExchanges, 1},
		{"maxObservations", l.MaxObservations, 1},
		{"maxOwed", l.MaxOwed, 1},
		{"greetingTimeout", int(l.GreetingTimeout), 1},
		{"closeTimeout", int(l.CloseTimeout), 1},
	} {
		if f.value < f.least {
			return fmt.Errorf("%s is %d, which is below %d", f.name, f.value, f.least)
		}
	}
	return nil
}
