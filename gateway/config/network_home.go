package config

import (
	"fmt"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/network"
)

// DefinitionOf gives the declaration of an address in the words of package addressing, as it is for this router.
func (c *Config) DefinitionOf(a *Address) addressing.Definition {
	d := a.Definition()
	switch a.Home {
	case "":
		d.Home = addressing.Alone
	case c.Network.Router.ID:
		d.Home = addressing.Here
	default:
		d.Home, d.Keeper = addressing.Elsewhere, a.Home
	}
	return d
}

// validateHomes looks at where the addresses of a tenant are stored.
func (c *Config) validateHomes(k *check, path string, addresses []Address) {
	for i := range addresses {
		a := &addresses[i]
		if a.Home == "" {
			continue
		}
		at := fmt.Sprintf("%s[%d].home", path, i)
		k.refuse(c.Network.Router.ID == "", at, "this gateway is no router of a network: network.router.id is missing")
		k.refuse(!network.ValidRouterID(a.Home), at, "%.80q is no id of a router", a.Home)
		k.refuse(a.Kind != addressing.Queue && a.Kind != addressing.Topic, at, "does not fit kind %v, only queue and topic", a.Kind)
	}
}
