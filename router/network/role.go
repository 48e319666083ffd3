package network

import (
	"fmt"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// Role is what a connection is for.
type Role uint8

// The roles.
const (
	Normal         Role = iota // to a broker, over which automatic links run
	InterRouter                // between two routers of one network
	Edge                       // from an edge router to one of the network
	RouteContainer             // of a broker that links are routed to
)

var roleNames = [...]string{"normal", "inter-router", "edge", "route-container"}

// String gives the role's name.
func (r Role) String() string { return roleNames[r] }

// UnmarshalText reads the role's name.
func (r *Role) UnmarshalText(text []byte) error {
	for i, name := range roleNames {
		if string(text) == name {
			*r = Role(i)
			return nil
		}
	}
	return fmt.Errorf("%.40q is not one of normal, inter-router, edge, route-container", text)
}

// MarshalText gives the role's name.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// ValidRouterID tells whether a router may be called so: 1 to 127 bytes of printable text without spaces and slashes.
func ValidRouterID(id string) bool { return protocol.ValidID(id) }
