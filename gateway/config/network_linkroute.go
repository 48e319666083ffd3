package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/network"
)

// LinkRoute declares that links of AMQP clients to some addresses lead on to a broker, as if the clients were connected to
// it. For both directions there are two.
type LinkRoute struct {
	Name              string `yaml:"name"`              // what tools call it; none is by a number
	Tenant            string `yaml:"tenant"`            // none is "default"
	Prefix            string `yaml:"prefix"`            // of the addresses: tokens between . or /
	Pattern           string `yaml:"pattern"`           // or of which form they are: * is any token, # any number of tokens
	Direction         string `yaml:"direction"`         // in: links on which clients send; out: on which they receive
	Connector         string `yaml:"connector"`         // where they lead: a connector, or a listener of role route-container
	ContainerID       string `yaml:"containerID"`       // or what the broker calls itself
	AddExternalPrefix string `yaml:"addExternalPrefix"` // what is put before the address for the broker
	DelExternalPrefix string `yaml:"delExternalPrefix"` // what is taken off its front before that
}

// Route gives the declaration in the words of package network.
func (l *LinkRoute) Route() network.LinkRoute {
	r := network.LinkRoute{
		Name: l.Name, Tenant: cmp.Or(l.Tenant, "default"), Pattern: l.Pattern, Prefix: l.Prefix != "", Direction: network.Out,
		Connector: l.Connector, Container: l.ContainerID, AddPrefix: l.AddExternalPrefix, DelPrefix: l.DelExternalPrefix,
	}
	if r.Prefix {
		r.Pattern = strings.Trim(l.Prefix, "./") + "/#"
	}
	if l.Direction == network.In.String() {
		r.Direction = network.In
	}
	return r
}

// CheckPattern tells why what is said of the addresses is no filter of tokens, if it is none.
func (l *LinkRoute) CheckPattern() error {
	if _, err := addressing.ParseTokens(cmp.Or(l.Prefix, l.Pattern)); err != nil {
		return err
	}
	_, err := addressing.ParseTokens(l.Route().Pattern) // is longer than a prefix
	return err
}

func (c *Config) validateLinkRoutes(k *check) {
	seen := make(map[network.LinkRoute]int)
	for i := range c.Network.LinkRoutes {
		l, at := &c.Network.LinkRoutes[i], fmt.Sprintf("network.linkRoutes[%d]", i)
		k.refuse((l.Prefix == "") == (l.Pattern == ""), at, "has to have either a prefix or a pattern")
		err := l.CheckPattern()
		k.refuse(err != nil, at, "%v", err)
		k.oneOf(at+".direction", l.Direction, network.In.String(), network.Out.String())
		c.validateContainer(k, at, l.Connector, l.ContainerID)
		j, twice := seen[l.Route()]
		k.refuse(twice, at, "is the same as network.linkRoutes[%d]", j)
		seen[l.Route()] = i
	}
}

// validateContainer looks at where links lead, if that is said. For who is used to Dispatch a connector may be made later, by
// management; elsewhere a name that nothing has is a slip.
func (c *Config) validateContainer(k *check, at, connector, container string) {
	k.refuse(connector != "" && container != "", at+".containerID", "there is a connector already")
	known := c.Network.has(connector) || slices.ContainsFunc(c.AMQP.Listeners, func(l AMQPListener) bool {
		return l.Name == connector && l.Role == RouteContainerRole
	})
	k.refuse(connector != "" && !known && c.AMQP.Manner != DispatchManner, at+".connector", "no connector %.80q is declared", connector)
}
