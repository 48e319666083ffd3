package gateway

import (
	"cmp"
	"net"
	"strings"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/management"
	"github.com/manifoldmq/manifold/tenancy"
)

// Listeners implements management.Model.
func (m *managedTenant) Listeners() (all []management.Listener) {
	for _, d := range m.doors {
		all = append(all, m.listenerOf(d))
	}
	return all
}

// listenerOf describes a door.
func (m *managedTenant) listenerOf(d door) management.Listener {
	host, port, _ := net.SplitHostPort(d.addr().String())
	protocol, secured := spokenAt(d.name)
	identity := "listener/" + d.name
	l := management.Listener{
		Names: management.Names{Name: identity, Identity: identity},
		Host:  host, Port: port, Protocol: protocol, Role: "normal", Cost: 1, OperStatus: "up",
		AuthenticatePeer: !m.tenant.Anonymous, RequireEncryption: secured, RequireSSL: secured, MultiTenant: true,
		HTTP: protocol == "http", Websockets: protocol == "http" || protocol == "ws", StripAnnotations: "no",
		LinkCapacity: m.config.Limits.LinkCredit,
	}
	if protocol == "amqp" {
		m.describeAMQP(&l, &m.config.AMQP)
	}
	for i := range m.config.AMQP.Listeners {
		if declared := &m.config.AMQP.Listeners[i]; declared.DoorName() == d.name {
			m.describeListener(&l, declared)
		}
	}
	return l
}

// describeAMQP adds what the settings of the AMQP door say.
func (m *managedTenant) describeAMQP(l *management.Listener, c *config.AMQP) {
	l.MaxFrameSize, l.MaxSessions = int(c.MaxFrameSize), c.ChannelMax+1
	l.IdleTimeoutSeconds = int(c.IdleTimeout.Seconds())
	l.InitialHandshakeTimeoutSeconds = int(c.HandshakeTimeout.Seconds())
	visitor := tenancy.Visitor{Tenant: m.name, Private: l.RequireEncryption}
	l.SASLMechanisms = strings.Join(m.directory.Mechanisms(visitor), " ")
}

// describeListener adds what one of several AMQP listeners says of itself.
func (m *managedTenant) describeListener(l *management.Listener, declared *config.AMQPListener) {
	settings := declared.Limits(m.config.AMQP)
	l.Protocol, l.RequireEncryption, l.RequireSSL = "amqp", declared.TLS, declared.TLS
	m.describeAMQP(l, &settings)
	l.Role, l.Cost = cmp.Or(declared.Role, "normal"), cmp.Or(declared.Cost, 1)
	l.MultiTenant = declared.Tenant == ""
	l.LinkCapacity = cmp.Or(declared.LinkCredit, l.LinkCapacity)
	if len(declared.Mechanisms) > 0 {
		l.SASLMechanisms = strings.Join(declared.Mechanisms, " ")
	}
	switch {
	case declared.StripsIn() && declared.StripsOut():
		l.StripAnnotations = "both"
	case declared.StripsIn():
		l.StripAnnotations = "in"
	case declared.StripsOut():
		l.StripAnnotations = "out"
	}
	l.Name = declared.Name
	if ip := net.ParseIP(l.Host); ip != nil && ip.IsUnspecified() {
		l.Host = net.IPv4zero.String()
	}
	l.Identity = "listener/" + l.Host + ":" + l.Port + ":" + declared.Name
}

// spokenAt gives what is spoken at a door by its name, and whether over TLS.
func spokenAt(door string) (protocol string, secured bool) {
	base, transport, _ := strings.Cut(door, "+")
	protocol, secured = strings.CutSuffix(base, "s")
	if transport != "" {
		protocol += "+" + transport
	}
	return protocol, secured
}
