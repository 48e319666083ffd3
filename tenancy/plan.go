package tenancy

import (
	"errors"
	"slices"
	"strings"
)

// Plan is what a tenant may use. Its zero value limits nothing.
type Plan struct {
	Most      [LimitCount]int64 // by Limit; 0 is no limit
	Burst     [LimitCount]int64 // of a rate: how much may come at once; 0 is as much as in a second
	Protocols []string          // that its clients may speak, whatever the case; none is all of them
}

// ErrProtocol refuses a client that has shown who it is and speaks what its tenant's plan does not have.
var ErrProtocol = errors.New("this protocol is not one of those that the tenant may use (protocols)")

// speaks tells whether a client may speak a protocol; one whose name is not known it may.
func (p *Plan) speaks(protocol string) bool {
	return len(p.Protocols) == 0 || protocol == "" ||
		slices.ContainsFunc(p.Protocols, func(name string) bool { return strings.EqualFold(name, protocol) })
}

// burst is how much of a rate may come at once.
func (p *Plan) burst(l Limit) int64 {
	if p.Burst[l] > 0 {
		return p.Burst[l]
	}
	return p.Most[l]
}
