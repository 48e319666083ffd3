package management

import (
	"context"
	"iter"

	"github.com/manifoldmq/manifold/router/amqp"
)

// Listener is a door of the gateway.
type Listener struct {
	Names
	Host       string `about:"The address that it listens on." set:"create"`
	Port       string `about:"Its port." set:"create,number"`
	Protocol   string `about:"What is spoken there: amqp, mqtt, ... Dispatch does not have it."`
	Role       string `about:"Who comes in there: normal for clients, inter-router, edge or route-container." set:"create"`
	Cost       int    `about:"Of the way through it, for routers." set:"create"`
	OperStatus string `about:"Always up."`

	AuthenticatePeer  bool   `about:"Whether only clients come in that show who they are." set:"create"`
	RequireEncryption bool   `about:"Whether it is one of TLS." set:"create"`
	RequireSSL        bool   `attr:"requireSsl" about:"The same." set:"create"`
	SSLProfile        string `attr:"sslProfile" about:"What secures it, where it is one of TLS." set:"create"`
	SASLMechanisms    string `attr:"saslMechanisms" about:"Ways to be let in, for AMQP." set:"create"`
	MultiTenant       bool   `about:"Whether a client says which tenant is its own; where the gateway stands in for Dispatch, whether virtual hosts have name spaces."`

	MaxFrameSize       int  `about:"Bytes of a frame, for AMQP." set:"create"`
	MaxSessions        int  `about:"Sessions of a connection, for AMQP." set:"create"`
	IdleTimeoutSeconds int  `about:"How long a client may be silent, for AMQP." set:"create"`
	LinkCapacity       int  `about:"Messages that a link may have on their way at once." set:"create"`
	HTTP               bool `attr:"http" about:"Whether it speaks HTTP." set:"create"`
	Websockets         bool `about:"Whether it takes WebSockets."`

	FailoverURLs   string        `attr:"failoverUrls" about:"Hosts that who comes in is told of, with commas between." set:"create"`
	OpenProperties amqp.RawValue `about:"What he is told in open: a map." set:"create"`

	InitialHandshakeTimeoutSeconds int    `about:"How long a client may take to be let in, for AMQP." set:"create"`
	StripAnnotations               string `about:"Which annotations of routers are taken off: of messages that come in, go out, both or no." set:"create"`
}

var listenerType = changeable(newType(entityType{name: "listener", base: configurationEntity, about: "A door of the gateway."},
	func(m Model, offset int) iter.Seq[Listener] { return slice(m.Listeners(), offset) }, nil), changes[Listener]{
	defaults: Listener{Port: "amqp", Role: "normal", Cost: 1, StripAnnotations: "both"},
	create: func(ctx context.Context, m Model, l Listener, _ saying) (Listener, error) {
		if err := fits(m.Router().Mode, l.Role, true); err != nil {
			return l, err
		}
		secured := l.RequireSSL || l.RequireEncryption
		switch {
		case secured && l.SSLProfile == "":
			return l, faultf(statusBadRequest, "a listener that requires TLS has an sslProfile")
		case l.HTTP:
			return l, faultf(statusNotImplemented, "listeners of HTTP are declared in the configuration")
		}
		return m.Listen(ctx, l)
	},
	remove: func(ctx context.Context, m Model, l Listener) error {
		if l.HTTP {
			return faultf(statusBadRequest, "HTTP listeners cannot be deleted")
		}
		return m.Close(ctx, l.Name)
	},
})
