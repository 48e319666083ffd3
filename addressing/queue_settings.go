package addressing

import (
	"errors"
	"fmt"
	"time"
)

// QueueSettings shapes what is stored. The zero value stores without limit and for ever.
type QueueSettings struct {
	MaxMessages  int64    // stored at once; 0 is no limit
	MaxBytes     int64    // stored at once; 0 is no limit
	Overflow     Overflow // what happens beyond these
	MaxConsumers int      // at once; 0 is no limit
	SingleActive bool     // one consumer gets everything until it leaves
	Exclusive    bool     // who consumes lets nobody in beside him
	Groups       bool     // messages of one group-id go to one consumer until it leaves

	LastValueKey   string // an application property: only the last message of each of its values is kept
	NonDestructive bool   // consumers read what is there and take nothing
	ConsumeOnly    bool   // clients do not send; other queues' dead and expired messages come in. Queues only
	Dedup          Dedup

	TTL           TTL
	Redelivery    Backoff
	MaxDeliveries int     // failed ones, after which a message is dead; 0 is no limit
	DeadLetter    Address // the queue that dead messages go to; empty drops them
	Expiry        Address // the queue that expired messages go to; empty drops them
}

// TTL bounds how long messages live, counted from when they are stored. 0 is no bound.
type TTL struct {
	Default time.Duration // of a message that does not say itself
	Min     time.Duration // of one that does
	Max     time.Duration // of every message
}

// Dedup is how long message-ids are remembered, so that a message that is sent again is not stored again: the last
// Messages of them, 0 for none, and for so much Time, 0 for as long as they are among these.
type Dedup struct {
	Messages int
	Time     time.Duration
}

// maxDedup bounds the ids that a queue remembers, which are in memory: 64 bytes each.
const maxDedup = 1_000_000

// Backoff is how long a message waits after a failed delivery: Initial after the first one, Multiplier times as long
// after each further one, at most Max. A Multiplier of 0 is 1, a Max of 0 no bound.
type Backoff struct {
	Initial    time.Duration
	Multiplier float64
	Max        time.Duration
}

// Overflow says what happens to a message for which there is no room.
type Overflow uint8

// The overflows; RejectNew is the default.
const (
	RejectNew Overflow = iota // its sender is refused
	DropHead                  // the oldest messages of the lowest priority make room
)

// String returns "reject" or "dropHead".
func (o Overflow) String() string {
	switch o {
	case RejectNew:
		return "reject"
	case DropHead:
		return "dropHead"
	}
	return fmt.Sprintf("Overflow(%d)", uint8(o))
}

// MarshalText returns the name of the overflow.
func (o Overflow) MarshalText() ([]byte, error) {
	if o > DropHead {
		return nil, fmt.Errorf("%v has no name", o)
	}
	return []byte(o.String()), nil
}

// UnmarshalText reads the name of an overflow; the error lists them.
func (o *Overflow) UnmarshalText(text []byte) error {
	for known := RejectNew; known <= DropHead; known++ {
		if known.String() == string(text) {
			*o = known
			return nil
		}
	}
	return fmt.Errorf("overflow %.40q is not one of reject, dropHead", text)
}

func (q QueueSettings) validate() error {
	switch {
	case q.MaxMessages < 0:
		return fmt.Errorf("maxMessages %d is negative", q.MaxMessages)
	case q.MaxBytes < 0:
		return fmt.Errorf("maxBytes %d is negative", q.MaxBytes)
	case q.Overflow > DropHead:
		return fmt.Errorf("overflow %v does not exist", q.Overflow)
	case q.MaxConsumers < 0:
		return fmt.Errorf("consumers.max %d is negative", q.MaxConsumers)
	case q.MaxDeliveries < 0:
		return fmt.Errorf("maxDeliveries %d is negative", q.MaxDeliveries)
	}
	return errors.Join(
		q.Dedup.validate(), q.TTL.validate(), q.Redelivery.validate(),
		letters("deadLetter", q.DeadLetter), letters("expiry", q.Expiry),
	)
}

func (t TTL) validate() error {
	switch {
	case t.Default < 0 || t.Min < 0 || t.Max < 0:
		return errors.New("ttl is negative")
	case t.Max > 0 && t.Min > t.Max:
		return fmt.Errorf("ttl.min %v is greater than ttl.max %v", t.Min, t.Max)
	}
	return nil
}

func (d Dedup) validate() error {
	switch {
	case d.Messages < 0 || d.Messages > maxDedup:
		return fmt.Errorf("dedupWindow.messages %d is not within 0 and %d", d.Messages, maxDedup)
	case d.Time < 0:
		return fmt.Errorf("dedupWindow.time %v is negative", d.Time)
	case d.Time > 0 && d.Messages == 0:
		return errors.New("dedupWindow.time without dedupWindow.messages remembers nothing")
	}
	return nil
}

func (b Backoff) validate() error {
	switch {
	case b.Initial < 0 || b.Max < 0:
		return errors.New("redeliveryDelay is negative")
	case b.Multiplier != 0 && !(b.Multiplier >= 1):
		return fmt.Errorf("redeliveryDelay.multiplier %v is less than 1", b.Multiplier)
	}
	return nil
}

// letters checks the address that a setting names, if it names one.
func letters(setting string, a Address) error {
	if a == "" {
		return nil
	}
	if _, err := ParseAddress(string(a)); err != nil {
		return fmt.Errorf("%s: %w", setting, err)
	}
	return nil
}

// firstSet names the first setting that is not zero.
func (q QueueSettings) firstSet() string {
	switch {
	case q.MaxMessages != 0:
		return "maxMessages"
	case q.MaxBytes != 0:
		return "maxBytes"
	case q.Overflow != 0:
		return "overflow"
	case q.MaxConsumers != 0:
		return "consumers.max"
	case q.SingleActive:
		return "consumers.singleActive"
	case q.Exclusive:
		return "consumers.exclusive"
	case q.Groups:
		return "groups"
	case q.LastValueKey != "":
		return "lastValueKey"
	case q.NonDestructive:
		return "nonDestructive"
	case q.ConsumeOnly:
		return "consumeOnly"
	case q.Dedup != Dedup{}:
		return "dedupWindow"
	case q.TTL != TTL{}:
		return "ttl"
	case q.Redelivery != Backoff{}:
		return "redeliveryDelay"
	case q.MaxDeliveries != 0:
		return "maxDeliveries"
	case q.DeadLetter != "":
		return "deadLetter"
	}
	return "expiry"
}
