package edge

import (
	"strconv"
	"strings"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// waypointPrefix begins the capability of a link that takes from an address, or sends to it, at another phase than
// clients do. A number follows: one more than the phase of a link that receives, the phase of a link that sends.
const waypointPrefix = "qd.waypoint."

// fallbackCapability is that of a link for what nobody else wants of an address.
const fallbackCapability amqp.Symbol = "qd.fallback"

// Capability gives the capability that a link for a phase of an address needs, whose clients send at phase 0 and receive
// at egress; empty for none.
func Capability(d Direction, phase, egress uint8) amqp.Symbol {
	switch {
	case phase == protocol.FallbackPhase:
		return fallbackCapability
	case d == Receive && phase != egress:
		return amqp.Symbol(waypointPrefix + strconv.Itoa(int(phase)+1))
	case d == Send && phase != 0:
		return amqp.Symbol(waypointPrefix + strconv.Itoa(int(phase)))
	default:
		return ""
	}
}

// Phase gives the phase that a link is for, from the capabilities of its terminus.
func Phase(d Direction, egress uint8, capabilities []amqp.Symbol) uint8 {
	for _, c := range capabilities {
		if c == fallbackCapability {
			return protocol.FallbackPhase
		}
		text, ok := strings.CutPrefix(string(c), waypointPrefix)
		ordinal, err := strconv.Atoi(text)
		switch {
		case !ok || err != nil || ordinal < 1 || ordinal > 9:
		case d == Receive:
			return uint8(ordinal - 1)
		default:
			return uint8(ordinal)
		}
	}
	if d == Receive {
		return egress
	}
	return 0
}
