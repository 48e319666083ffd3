package datagram

import (
	"fmt"
	"math"
	"time"

	"github.com/manifoldmq/manifold/adapters/coap/internal/block"
)

// Limits are what one peer may use, and the transmission parameters of section 4.8. Start from DefaultLimits.
type Limits struct {
	// AckTimeout is how long at least an acknowledgement is waited for before the first retransmission (ACK_TIMEOUT).
	AckTimeout time.Duration
	// AckRandomFactor spreads that time: it is at most so many times as long (ACK_RANDOM_FACTOR).
	AckRandomFactor float64
	// MaxRetransmit is how often a confirmable message is sent again, each time after twice the time (MAX_RETRANSMIT). Then its
	// peer has gone, and with it its observations.
	MaxRetransmit int
	// NStart is how many confirmable messages may await their acknowledgement at the same time (NSTART); others wait.
	NStart int
	// SeparateAfter is how long the acknowledgement of a request waits for its response, to carry it (section 5.2.2).
	SeparateAfter time.Duration
	// ExchangeLifetime is how long a confirmable request is remembered, and NonLifetime another one (section 4.8.2).
	ExchangeLifetime time.Duration
	NonLifetime      time.Duration
	// MaxRemembered is how many requests are remembered to know duplicates by; beyond it the oldest is forgotten.
	MaxRemembered int
	// MaxAnswerBytes is how many bytes of answers are remembered for duplicates. A duplicate whose answer is forgotten is
	// handled anew when that does no harm (GET, FETCH), and ignored otherwise.
	MaxAnswerBytes int
	// MaxExchanges is how many requests may await their response. Answer: 4.29 too many requests (RFC 8516).
	MaxExchanges int
	// MaxObservations is how many observations there may be. One more is answered like a request without Observe (RFC 7641
	// section 4.1).
	MaxObservations int
	// ConfirmEvery makes the n-th notification of an observation confirmable at the latest, to find out whether its client is
	// still there; 0 leaves it to once in 24 hours (RFC 7641 section 4.5).
	ConfirmEvery int
	// PingAfter is how long the client of an observation may be silent before it is pinged; one that does not answer has gone.
	PingAfter time.Duration
	// Amplification is how many bytes are sent for each byte received until the peer's address is proven (RFC 9175 section
	// 2.4); 0 trusts every address. An answer above that waits until the peer has answered a ping.
	Amplification int
	// EchoLifetime is how old an Echo value may be.
	EchoLifetime time.Duration
	// Block bounds bodies larger than a datagram.
	Block block.Limits
}

// DefaultLimits are those of section 4.8, and suit devices and small applications.
func DefaultLimits() Limits {
	return Limits{
		AckTimeout:       2 * time.Second,
		AckRandomFactor:  1.5,
		MaxRetransmit:    4,
		NStart:           1,
		SeparateAfter:    500 * time.Millisecond,
		ExchangeLifetime: 247 * time.Second,
		NonLifetime:      145 * time.Second,
		MaxRemembered:    4096,
		MaxAnswerBytes:   64 << 10,
		MaxExchanges:     64,
		MaxObservations:  256,
		ConfirmEvery:     32,
		PingAfter:        24 * time.Hour,
		Amplification:    3,
		EchoLifetime:     4 * time.Minute,
		Block:            block.DefaultLimits(),
	}
}

// Validate reports the first setting that is out of its range.
func (l Limits) Validate() error {
	for _, f := range []struct {
		name            string
		value, low, top int
	}{
		{"maxRetransmit", l.MaxRetransmit, 0, 16},
		{"nStart", l.NStart, 1, math.MaxUint16},
		{"maxRemembered", l.MaxRemembered, 1, math.MaxUint16 + 1},
		{"maxAnswerBytes", l.MaxAnswerBytes, 1, math.MaxInt32},
		{"maxExchanges", l.MaxExchanges, 1, math.MaxUint16},
		{"maxObservations", l.MaxObservations, 0, math.MaxInt32},
		{"confirmEvery", l.ConfirmEvery, 0, math.MaxInt32},
		{"amplification", l.Amplification, 0, math.MaxInt16},
	} {
		if f.value < f.low || f.value > f.top {
			return fmt.Errorf("%s is %d, outside of %d to %d", f.name, f.value, f.low, f.top)
		}
	}
	for _, f := range []struct {
		name  string
		value time.Duration
	}{
		{"ackTimeout", l.AckTimeout}, {"separateAfter", l.SeparateAfter}, {"exchangeLifetime", l.ExchangeLifetime},
		{"nonLifetime", l.NonLifetime}, {"pingAfter", l.PingAfter}, {"echoLifetime", l.EchoLifetime},
	} {
		if f.value <= 0 {
			return fmt.Errorf("%s is %v, not above 0", f.name, f.value)
		}
	}
	if !(l.AckRandomFactor >= 1 && l.AckRandomFactor <= 10) {
		return fmt.Errorf("ackRandomFactor is %v, outside of 1 to 10", l.AckRandomFactor)
	}
	return l.Block.Validate()
}
