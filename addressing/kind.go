package addressing

import "fmt"

// Kind says what happens to a message that is sent to an address.
type Kind uint8

// The kinds. The zero Kind, AnyKind, leaves it open: a client that names an address without asserting its kind, or a
// definition that is not finished.
const (
	AnyKind   Kind = iota
	Anycast        // not stored; exactly one consumer gets it
	Broadcast      // not stored; every consumer that is attached gets it
	Queue          // stored; one of the competing consumers gets it
	Topic          // stored per durable subscription; every matching subscription gets it
)

// ParseKind returns the kind that [Kind.String] names so.
func ParseKind(s string) (Kind, error) {
	for k := AnyKind; k <= Topic; k++ {
		if k.String() == s {
			return k, nil
		}
	}
	return AnyKind, fmt.Errorf("kind %.40q is not one of anycast, broadcast, queue, topic", s)
}

// String returns "anycast", "broadcast", "queue", "topic", or "any" for AnyKind.
func (k Kind) String() string {
	switch k {
	case AnyKind:
		return "any"
	case Anycast:
		return "anycast"
	case Broadcast:
		return "broadcast"
	case Queue:
		return "queue"
	case Topic:
		return "topic"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// MarshalText returns the name of the kind.
func (k Kind) MarshalText() ([]byte, error) {
	if k > Topic {
		return nil, fmt.Errorf("%v has no name", k)
	}
	return []byte(k.String()), nil
}

// UnmarshalText reads the name of a kind; the error lists them.
func (k *Kind) UnmarshalText(text []byte) error {
	parsed, err := ParseKind(string(text))
	if err != nil {
		return err
	}
	*k = parsed
	return nil
}

// Distribution says which consumer of an anycast address gets a message.
type Distribution uint8

// The distributions; Balanced is the default.
const (
	Balanced Distribution = iota // shared out over all consumers of the router network by their load
	Closest                      // a consumer at the node that is nearest to the sender
)

// ParseDistribution returns the distribution that [Distribution.String] names so.
func ParseDistribution(s string) (Distribution, error) {
	for d := Balanced; d <= Closest; d++ {
		if d.String() == s {
			return d, nil
		}
	}
	return Balanced, fmt.Errorf("distribution %.40q is not one of balanced, closest", s)
}

// String returns "balanced" or "closest".
func (d Distribution) String() string {
	switch d {
	case Balanced:
		return "balanced"
	case Closest:
		return "closest"
	}
	return fmt.Sprintf("Distribution(%d)", uint8(d))
}

// MarshalText returns the name of the distribution.
func (d Distribution) MarshalText() ([]byte, error) {
	if d > Closest {
		return nil, fmt.Errorf("%v has no name", d)
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads the name of a distribution; the error lists them.
func (d *Distribution) UnmarshalText(text []byte) error {
	parsed, err := ParseDistribution(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}
