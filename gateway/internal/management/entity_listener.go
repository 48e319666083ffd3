package management

import "iter"

// Listener is a door of the gateway.
type Listener struct {
	Names
	Host       string `about:"The address that it listens on."`
	Port       string `about:"Its port."`
	Protocol   string `about:"What is spoken there: amqp, mqtt, ... Dispatch does not have it."`
	Role       string `about:"Who comes in there: normal for clients, inter-router, edge or route-container."`
	Cost       int    `about:"Of the way through it, for routers."`
	OperStatus string `about:"Always up."`

	AuthenticatePeer  bool   `about:"Whether only clients come in that show who they are."`
	RequireEncryption bool   `about:"Whether it is one of TLS."`
	RequireSSL        bool   `attr:"requireSsl" about:"The same."`
	SASLMechanisms    string `attr:"saslMechanisms" about:"Ways to be let in, for AMQP."`
	MultiTenant       bool   `about:"Whether a client says which tenant is its own."`

	MaxFrameSize       int  `about:"Bytes of a frame, for AMQP."`
	MaxSessions        int  `about:"Sessions of a connection, for AMQP."`
	IdleTimeoutSeconds int  `about:"How long a client may be silent, for AMQP."`
	LinkCapacity       int  `about:"Messages that a link may have on their way at once."`
	HTTP               bool `attr:"http" about:"Whether it speaks HTTP."`
	Websockets         bool `about:"Whether it takes WebSockets."`

	InitialHandshakeTimeoutSeconds int    `about:"How long a client may take to be let in, for AMQP."`
	StripAnnotations               string `about:"Which annotations of routers are taken off: of messages that come in, go out, both or no."`
}

var listenerType = newType(entityType{name: "listener", base: configurationEntity, about: "A door of the gateway."},
	func(m Model, offset int) iter.Seq[Listener] { return slice(m.Listeners(), offset) }, nil)
