package config

import (
	"time"

	"github.com/manifoldmq/manifold/router/network"
)

// Router is the gateway as a router in a network of routers. Those that connect to it have a listener of their own, and
// users of their own: who may send messages may not connect a router for that.
type Router struct {
	ID         string `yaml:"id"`         // unlike that of any other router of the network; none is no part of one
	Mode       string `yaml:"mode"`       // InteriorMode or EdgeMode
	Port       int    `yaml:"port"`       // where other routers connect to it, before portOffset; 0 takes any free one
	TLSPort    int    `yaml:"tlsPort"`    // likewise, by TLS; open when there is a certificate
	ClientAuth string `yaml:"clientAuth"` // whether routers show a certificate there, as of other doors
	Cost       int    `yaml:"cost"`       // of the way to a router that has connected, at least; the higher of both ends counts

	Anonymous bool   `yaml:"anonymous"` // whether a router may connect that does not show who it is; without users it may from this machine
	Certified bool   `yaml:"certified"` // whether any router may that shows a certificate of tls.clientCA
	Users     []User `yaml:"users"`     // as whom routers may connect, by a password or a certificate

	MaxRouters   int `yaml:"maxRouters"`   // other routers that are known
	MaxAddresses int `yaml:"maxAddresses"` // addresses of one of them that are known

	Hello             time.Duration `yaml:"hello"`             // between two words to each neighbour
	HelloMaxAge       time.Duration `yaml:"helloMaxAge"`       // without one after which a neighbour is lost
	Advertise         time.Duration `yaml:"advertise"`         // between two words to all routers
	AdvertiseInFlux   time.Duration `yaml:"advertiseInFlux"`   // likewise, after a change of the network
	RemoteStateMaxAge time.Duration `yaml:"remoteStateMaxAge"` // without a word after which the links of a router count no more
}

// The modes of a router.
const (
	InteriorMode = "interior" // it is a part of the network's topology
	EdgeMode     = "edge"     // it has an uplink to a router that is, by a connector of role edge
)

// IsEdge tells whether the gateway is an edge router.
func (r *Router) IsEdge() bool { return r.ID != "" && r.Mode == EdgeMode }

func defaultRouter() Router {
	t := network.Timers{}.WithDefaults()
	return Router{
		Mode: InteriorMode, Port: 55672, TLSPort: 55671, Cost: 1,
		Hello: t.Hello, HelloMaxAge: t.HelloMaxAge, Advertise: t.Advertise, AdvertiseInFlux: t.AdvertiseInFlux,
		RemoteStateMaxAge: t.StateMaxAge,
		MaxRouters:        network.DefaultMaxRouters, MaxAddresses: network.DefaultMaxAddresses,
	}
}

// Timers gives the settings in the words of package network.
func (r *Router) Timers() network.Timers {
	return network.Timers{
		Hello: r.Hello, HelloMaxAge: r.HelloMaxAge, Advertise: r.Advertise, AdvertiseInFlux: r.AdvertiseInFlux,
		StateMaxAge: r.RemoteStateMaxAge,
	}
}

// routerDoor gives where other routers connect. Who declares the listeners of AMQP one by one declares this one there too.
func (c *Config) routerDoor() secureDoor {
	r := &c.Network.Router
	enabled := r.ID != "" && !r.IsEdge() && len(c.AMQP.Listeners) == 0
	return secureDoor{"router", "network.router", SecureDoor{
		Door: Door{Enabled: enabled, Port: r.Port}, TLSPort: r.TLSPort, ClientAuth: r.ClientAuth,
	}}
}

func (c *Config) validateRouter(k *check) {
	const tick = 10 * time.Millisecond
	r := &c.Network.Router
	k.refuse(r.ID != "" && !network.ValidRouterID(r.ID), "network.router.id",
		"%.80q is not 1 to 127 bytes of printable text without spaces and slashes", r.ID)
	k.oneOf("network.router.mode", r.Mode, InteriorMode, EdgeMode)
	k.within("network.router.cost", r.Cost, 1, many)
	k.refuse(r.Certified && c.TLS.ClientCA == "", "network.router.certified", "needs tls.clientCA")
	validateUsers(k, "network.router.users", r.Users)
	k.within("network.router.maxRouters", r.MaxRouters, 1, network.MostRouters)
	k.within("network.router.maxAddresses", r.MaxAddresses, 1, network.MostAddresses)
	k.span("network.router.hello", r.Hello, tick)
	k.span("network.router.helloMaxAge", r.HelloMaxAge, r.Hello)
	k.span("network.router.advertise", r.Advertise, tick)
	k.span("network.router.advertiseInFlux", r.AdvertiseInFlux, tick)
	k.span("network.router.remoteStateMaxAge", r.RemoteStateMaxAge, r.Advertise)
}
