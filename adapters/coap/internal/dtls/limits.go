package dtls

import (
	"fmt"
	"time"
)

// Limits bound what clients may use. Start from DefaultLimits.
type Limits struct {
	// MaxSessions is how many sessions there may be; then no handshake is begun.
	MaxSessions int
	// MaxHandshakes is how many handshakes may be under way; one more puts an end to the oldest.
	MaxHandshakes int
	// HandshakesPerSecond is how many handshakes with certificates may begin in a second. A client above that gets no answer,
	// and comes again by itself. Those with keys cost no more than messages.
	HandshakesPerSecond int
	// MaxHandshakeMessage is how many octets a message of a handshake may have, such as a chain of certificates.
	MaxHandshakeMessage int
	// HandshakeTimeout is how long a handshake may take.
	HandshakeTimeout time.Duration
	// RetransmitTimeout is how long an answer is waited for before a flight is sent again; it doubles each time.
	RetransmitTimeout time.Duration
	// MaxDatagram is how many octets a datagram of a handshake has at most.
	MaxDatagram int
}

// DefaultLimits suit constrained devices.
func DefaultLimits() Limits {
	return Limits{
		MaxSessions:         100_000,
		MaxHandshakes:       1024,
		HandshakesPerSecond: 300,
		MaxHandshakeMessage: 16 << 10,
		HandshakeTimeout:    30 * time.Second,
		RetransmitTimeout:   2 * time.Second,
		MaxDatagram:         1200,
	}
}

// Validate reports the first setting that is out of its range.
func (l Limits) Validate() error {
	for _, f := range []struct {
		name         string
		value, least int
	}{
		{"maxSessions", l.MaxSessions, 1},
		{"maxHandshakes", l.MaxHandshakes, 1},
		{"handshakesPerSecond", l.HandshakesPerSecond, 1},
		{"maxHandshakeMessage", l.MaxHandshakeMessage, 1024},
		{"handshakeTimeout", int(l.HandshakeTimeout), 1},
		{"retransmitTimeout", int(l.RetransmitTimeout), 1},
		{"maxDatagram", l.MaxDatagram, 256},
	} {
		if f.value < f.least {
			return fmt.Errorf("%s is %d, which is below %d", f.name, f.value, f.least)
		}
	}
	return nil
}
