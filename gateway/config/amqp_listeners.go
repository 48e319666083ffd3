package config

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/manifoldmq/manifold/router/network"
	"github.com/manifoldmq/manifold/tenancy"
)

// AMQPListener is one port of the AMQP door. What it leaves out is as the door has it.
type AMQPListener struct {
	Name             string        `yaml:"name"`
	Host             string        `yaml:"host"`             // name or IP address; none is listen
	Port             int           `yaml:"port"`             // before portOffset; 0 takes any free one
	Role             string        `yaml:"role"`             // who comes in: normal, inter-router, edge or route-container; none is normal
	TLS              bool          `yaml:"tls"`              // whether it speaks TLS, and nothing else
	Secure           ListenerTLS   `yaml:"secure"`           // what TLS is there, in place of what tls says
	ClientAuth       string        `yaml:"clientAuth"`       // as of the door
	Mechanisms       []string      `yaml:"mechanisms"`       // of SASL that are offered, of those that the tenants have; none is all
	Tenant           string        `yaml:"tenant"`           // that all who come in belong to; none leaves it to them
	Cost             int           `yaml:"cost"`             // inter-router: of the way through it; 0 is 1
	MaxFrameSize     Size          `yaml:"maxFrameSize"`     // as of the door
	MaxSessions      int           `yaml:"maxSessions"`      // of a connection; 0 is as of the door
	IdleTimeout      time.Duration `yaml:"idleTimeout"`      // as of the door
	HandshakeTimeout time.Duration `yaml:"handshakeTimeout"` // as of the door
	LinkCredit       int           `yaml:"linkCredit"`       // unsettled messages of one sender; 0 is limits.linkCredit
	Annotations      string        `yaml:"annotations"`      // those of routers, x-opt-qd.*: strip, in, out or keep; see StripsIn
	VirtualHost      string        `yaml:"virtualHost"`      // by which all come in under amqp.policy, whatever host they ask for
	MultiTenant      bool          `yaml:"multiTenant"`      // manner dispatch: each virtual host has a name space of its own, addresses that begin with its name
	Web              WebListener   `yaml:"web"`              // it speaks HTTP
	Failover         []string      `yaml:"failover"`         // hosts that who comes in is told of, for when the connection is lost; see Failover
	OpenProperties   Properties    `yaml:"openProperties"`   // what he is told in open, beside what the gateway is
}

// WebListener is what a listener is that speaks HTTP, where AMQP comes over WebSocket. Everybody who reaches it sees its pages.
type WebListener struct {
	Enabled    bool   `yaml:"enabled"`
	WebSockets bool   `yaml:"webSockets"` // clients come in, at any path
	Health     bool   `yaml:"health"`     // /healthz
	Metrics    bool   `yaml:"metrics"`    // /metrics, of the router as Qpid Dispatch has them
	Files      string `yaml:"files"`      // a folder whose files it shows
}

// Values of AMQPListener.Role: who comes in there. None is clients.
const (
	InterRouterRole    = "inter-router"
	EdgeRole           = "edge"
	RouteContainerRole = "route-container"
)

// DispatchManner is the value of amqp.manner for what was a Qpid Dispatch Router.
const DispatchManner = "dispatch"

// Values of AMQPListener.Annotations: those of routers are taken off messages that come in, that go out, both or neither.
const (
	StripAnnotations    = "strip"
	StripAnnotationsIn  = "in"
	StripAnnotationsOut = "out"
	KeepAnnotations     = "keep"
)

// StripsIn tells whether messages that come in lose what routers wrote on them, and StripsOut the same of those that go out.
func (l *AMQPListener) StripsIn() bool {
	return l.Annotations != KeepAnnotations && l.Annotations != StripAnnotationsOut
}

// StripsOut is described at StripsIn.
func (l *AMQPListener) StripsOut() bool {
	return l.Annotations != KeepAnnotations && l.Annotations != StripAnnotationsIn
}

// DoorName is what the listener's door is called, in metrics and in the log.
func (l *AMQPListener) DoorName() string { return "amqp+" + l.Name }

// Alone gives the listener as one that is opened beside those of a configuration.
func (l *AMQPListener) Alone() Listener {
	return Listener{
		Name: l.DoorName(), Network: "tcp", Enabled: true, Host: l.Host, Port: l.Port, Secured: l.TLS, Either: l.Secure.Optional,
		clientAuth: l.ClientAuth,
	}
}

// Authenticate has only those come in who show who they are: by one of the mechanisms that are declared, or by any if none is.
func (l *AMQPListener) Authenticate() {
	l.Mechanisms = slices.DeleteFunc(l.Mechanisms, func(name string) bool { return name == tenancy.MechanismAnonymous })
	if len(l.Mechanisms) == 0 {
		l.Mechanisms = []string{tenancy.MechanismExternal, "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"}
	}
}

// AskForCertificates has clients asked for certificates, if they may enter by one. Where there is no other way they have to have one.
func (l *AMQPListener) AskForCertificates() {
	switch {
	case !l.TLS || !slices.Contains(l.Mechanisms, tenancy.MechanismExternal):
	case len(l.Mechanisms) == 1:
		l.ClientAuth = "required"
	default:
		l.ClientAuth = "optional"
	}
}

// Limits gives the settings of the door as they are at this listener.
func (l *AMQPListener) Limits(door AMQP) AMQP {
	door.MaxFrameSize = cmp.Or(l.MaxFrameSize, door.MaxFrameSize)
	door.IdleTimeout = cmp.Or(l.IdleTimeout, door.IdleTimeout)
	door.HandshakeTimeout = cmp.Or(l.HandshakeTimeout, door.HandshakeTimeout)
	door.RelayCredit = cmp.Or(l.LinkCredit, door.RelayCredit)
	if l.MaxSessions > 0 {
		door.ChannelMax = l.MaxSessions - 1
	}
	return door
}

// RouterLimits gives the settings of connections with other routers as they are at this listener.
func (l *AMQPListener) RouterLimits(n *Network) network.Limits {
	limits := n.Limits()
	limits.MaxFrameSize = cmp.Or(uint32(l.MaxFrameSize), limits.MaxFrameSize)
	limits.IdleTimeout = cmp.Or(l.IdleTimeout, limits.IdleTimeout)
	limits.HandshakeTimeout = cmp.Or(l.HandshakeTimeout, limits.HandshakeTimeout)
	if l.MaxSessions > 0 {
		limits.ChannelMax = uint16(l.MaxSessions - 1)
	}
	return limits
}

// amqpListeners gives those that are there in place of the one port of the door and the one for TLS.
func (c *Config) amqpListeners() (all []Listener) {
	for i := range c.AMQP.Listeners {
		l := &c.AMQP.Listeners[i]
		all = append(all, Listener{
			Name: l.DoorName(), Network: "tcp", Setting: fmt.Sprintf("amqp.listeners[%d].port", i), Enabled: c.AMQP.Enabled,
			Host: l.Host, Port: l.Port, Secured: l.TLS, Either: l.Secure.Optional,
		})
	}
	return all
}

func (c *Config) validateAMQPListeners(k *check) {
	first := make(map[string]int)
	for i := range c.AMQP.Listeners {
		l, at := &c.AMQP.Listeners[i], fmt.Sprintf("amqp.listeners[%d]", i)
		j, twice := first[l.Name]
		k.refuse(twice, at+".name", "%q is declared in amqp.listeners[%d] already", l.Name, j)
		first[l.Name] = i
		k.refuse(!isLabel(l.Name), at+".name", "%.80q is not 1 to 63 letters, digits, hyphens, dots and underscores", l.Name)
		k.refuse(!isHost(l.Host), at+".host", "%.80q is no host name or IP address; a port does not belong here", l.Host)
		k.oneOf(at+".role", l.Role, "", "normal", InterRouterRole, EdgeRole, RouteContainerRole)
		between := l.Role == InterRouterRole || l.Role == EdgeRole
		k.refuse(between && c.Network.Router.ID == "", at+".role", "needs network.router.id")
		k.refuse(between && c.Network.Router.IsEdge(), at+".role", "is not for an edge router")
		k.refuse(l.TLS && !c.TLS.Enabled() && l.Secure.Certificate == "", at+".tls", "needs tls.certificate")
		l.Secure.validate(k, at+".secure", l.TLS)
		k.refuse(!l.Web.Enabled && l.Web != WebListener{}, at+".web.enabled", "is false, but there are other settings of web")
		k.refuse(l.Web.Enabled && between, at+".web", "is not for routers")
		k.oneOf(at+".clientAuth", l.ClientAuth, "", "none", "optional", "required")
		k.refuse(l.Tenant != "" && !c.hasTenant(l.Tenant), at+".tenant", "no tenant %.80q is declared", l.Tenant)
		k.refuse(l.MultiTenant && c.AMQP.Manner != DispatchManner, at+".multiTenant", "needs amqp.manner: %s; elsewhere hosts name tenants", DispatchManner)
		l.validateLimits(k, at+".")
		k.oneOf(at+".annotations", l.Annotations, "", StripAnnotations, StripAnnotationsIn, StripAnnotationsOut, KeepAnnotations)
	}
}

// Check tells what is wrong with a listener that is opened beside those of a configuration; inNetwork tells whether this is
// a router of a network. Its error is Problems.
func (l *AMQPListener) Check(inNetwork bool) error {
	var k check
	k.refuse(!isLabel(l.Name), "name", "%.80q is not 1 to 63 letters, digits, hyphens, dots and underscores", l.Name)
	k.refuse(!isHost(l.Host), "host", "%.80q is no host name or IP address", l.Host)
	k.oneOf("role", l.Role, "", "normal", InterRouterRole, EdgeRole, RouteContainerRole)
	k.refuse(!inNetwork && (l.Role == InterRouterRole || l.Role == EdgeRole), "role", "%s is for routers of a network only", l.Role)
	l.validateLimits(&k, "")
	return k.err()
}

// validateLimits looks at the numbers of a listener whose settings begin with at.
func (l *AMQPListener) validateLimits(k *check, at string) {
	k.within(at+"cost", l.Cost, 0, many)
	k.refuse(l.MaxFrameSize != 0 && (l.MaxFrameSize < 512 || l.MaxFrameSize > 16<<20), at+"maxFrameSize",
		"%v is neither 0 nor from %v to %v", l.MaxFrameSize, Size(512), Size(16<<20))
	k.within(at+"maxSessions", l.MaxSessions, 0, maxPort+1)
	k.refuse(l.IdleTimeout < 0 || l.IdleTimeout > 24*time.Hour, at+"idleTimeout", "%v is not from 0s to a day", l.IdleTimeout)
	k.refuse(l.HandshakeTimeout < 0 || l.HandshakeTimeout > 24*time.Hour, at+"handshakeTimeout",
		"%v is not from 0s to a day", l.HandshakeTimeout)
	k.within(at+"linkCredit", l.LinkCredit, 0, many)
	l.validateGreeting(k, at)
}

// hasTenant tells whether a tenant is declared.
func (c *Config) hasTenant(name string) bool {
	for _, t := range c.AllTenants() {
		if t.Name == name {
			return true
		}
	}
	return false
}
