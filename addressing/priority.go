package addressing

import (
	"fmt"
	"strconv"
)

// Priority is that of messages to an address on the links between routers.
type Priority uint8

// The priorities: the zero value leaves it to each message, the others are one more than their number.
const (
	OfMessage       Priority = 0
	HighestPriority Priority = 10
)

// ParsePriority reads a number from 0 to 9, or -1 for that of each message.
func ParsePriority(s string) (Priority, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < -1 || n >= int(HighestPriority) {
		return OfMessage, fmt.Errorf("priority %.40q is not one of 0 to 9, or -1 for that of each message", s)
	}
	return Priority(n + 1), nil
}

// Of gives the priority of a message that has one of its own.
func (p Priority) Of(message uint8) uint8 {
	if p == OfMessage {
		return message
	}
	return uint8(p - 1)
}

// Number gives the number, -1 for OfMessage.
func (p Priority) Number() int { return int(p) - 1 }

// String gives the number.
func (p Priority) String() string { return strconv.Itoa(p.Number()) }

// MarshalText gives the number.
func (p Priority) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the number.
func (p *Priority) UnmarshalText(text []byte) error {
	parsed, err := ParsePriority(string(text))
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}
