package protocol

import (
	"fmt"
	"unicode/utf8"
)

// MaxKey is how long a key may be, in octets.
const MaxKey = 4096

// Class is the kind of an address in a router's tables.
type Class byte

// The classes. Those from Mobile to Edge are told to other routers.
const (
	Mobile         Class = 'M' // an address of applications, wherever it is
	LinkRouteIn    Class = 'C' // links that send to addresses with a prefix
	LinkRouteOut   Class = 'D' // links that receive from addresses with a prefix
	LinkPatternIn  Class = 'E' // links that send to addresses of a pattern
	LinkPatternOut Class = 'F' // links that receive from addresses of a pattern
	Edge           Class = 'H' // an edge router
	Router         Class = 'R' // another router
	Area           Class = 'A' // another area; there is only one so far
	Local          Class = 'L' // of this router alone
	Topological    Class = 'T' // of every router
)

const (
	lowestPhase   = '0'
	highestPhase  = '9'
	fallbackPhase = 'F'
	longestShown  = 80 // octets of a name in a text for people

	// HighestPhase is the highest phase of messages that are for whoever receives.
	HighestPhase uint8 = highestPhase - lowestPhase
	// FallbackPhase is that of messages that nobody else wants.
	FallbackPhase uint8 = fallbackPhase - lowestPhase
)

// IsPhase tells whether an address may have a phase.
func IsPhase(phase int64) bool {
	return phase >= 0 && phase <= int64(HighestPhase) || phase == int64(FallbackPhase)
}

// Key is an address as routers write it in their tables and tell it each other: its class, for a mobile address its
// phase, then its name.
type Key string

// MobileKey gives the key of a mobile address in a phase from 0 to HighestPhase, or FallbackPhase.
func MobileKey(phase uint8, name string) Key {
	return Key([]byte{byte(Mobile), lowestPhase + phase}) + Key(name)
}

// KeyOf gives the key of an address of a class that is not Mobile.
func KeyOf(class Class, name string) Key { return Key(class) + Key(name) }

// Class gives the class of the address, 0 for no key.
func (k Key) Class() Class {
	if k == "" {
		return 0
	}
	return Class(k[0])
}

// Phase gives the phase of a mobile address, 0 for others.
func (k Key) Phase() uint8 {
	if k.Class() != Mobile || len(k) < 2 {
		return 0
	}
	return k[1] - lowestPhase
}

// Name gives the address without class and phase.
func (k Key) Name() string {
	if k.Class() == Mobile {
		return string(k[min(2, len(k)):])
	}
	return string(k[min(1, len(k)):])
}

// Told tells whether k is the key of an address that routers tell each other.
func (k Key) Told() bool {
	if k.Name() == "" || len(k) > MaxKey || !utf8.ValidString(string(k)) {
		return false
	}
	switch k.Class() {
	case Mobile:
		return IsPhase(int64(k.Phase()))
	case LinkRouteIn, LinkRouteOut, LinkPatternIn, LinkPatternOut, Edge:
		return true
	default:
		return false
	}
}

// String gives the key for people, shortened.
func (k Key) String() string {
	name := k.Name()
	if len(name) > longestShown {
		name = name[:longestShown] + "..."
	}
	if k.Class() == Mobile {
		return fmt.Sprintf("%q (%c%c)", name, k.Class(), lowestPhase+k.Phase())
	}
	return fmt.Sprintf("%q (%c)", name, k.Class())
}

// Treatment is how messages to an address are spread over its consumers. On the wire it is one less.
type Treatment uint8

// The treatments.
const (
	Unknown      Treatment = iota // not told: as configured, or what is usual
	Flood                         // to every router on every way: for routers among themselves
	Multicast                     // one copy to each consumer
	Closest                       // to the consumer in reach at the lowest cost
	Balanced                      // to the consumer with the least to do, cost counted
	LinkBalanced                  // links, not messages, are spread
	Unavailable                   // refused
)

// String gives the word that configurations use.
func (t Treatment) String() string {
	switch t {
	case Flood:
		return "flood"
	case Multicast:
		return "multicast"
	case Closest:
		return "closest"
	case Balanced:
		return "balanced"
	case LinkBalanced:
		return "linkBalanced"
	case Unavailable:
		return "unavailable"
	default:
		return "unknown"
	}
}
