package management

import (
	"context"
	"iter"

	"github.com/manifoldmq/manifold/router/amqp"
)

// Connector keeps a connection to another router, or to a broker.
type Connector struct {
	Names
	Host string `about:"Where it is." set:"create"`
	Port string `about:"Its port, or amqp or amqps." set:"create,number"`
	Role string `about:"What is there: normal or route-container for a broker, inter-router, edge." set:"create"`
	Cost int    `about:"Of the way through it, from 1 on." set:"create"`

	SASLMechanisms string  `attr:"saslMechanisms" about:"Ways to be let in, the best first; empty leaves it to what else is declared." set:"create"`
	SASLUsername   string  `attr:"saslUsername" about:"Who the gateway is there." set:"create"`
	SASLPassword   *string `attr:"saslPassword" about:"The password; it is never told." set:"create"`
	SSLProfile     *string `attr:"sslProfile" about:"What secures it, where it is one of TLS." set:"create"`
	VerifyHostname bool    `about:"Always true: the name in a certificate is verified." set:"create"`

	MaxFrameSize       int    `about:"Bytes of a frame." set:"create"`
	MaxSessions        int    `about:"Sessions of the connection." set:"create"`
	MaxSessionFrames   *int   `about:"Not told: credit bounds what is on its way."`
	IdleTimeoutSeconds int    `about:"How long the other side may be silent." set:"create"`
	LinkCapacity       *int   `about:"Messages of a link that are not settled." set:"create"`
	StripAnnotations   string `about:"Always no: annotations are passed on." set:"create"`
	AllowRedirect      bool   `about:"Always false: it stays with its hosts." set:"create"`

	OpenProperties   amqp.RawValue `about:"What the other side is told in open: a map." set:"create"`
	FailoverURLs     string        `attr:"failoverUrls" about:"All its hosts, in the order in which they are tried, from the one on where it is: those that are declared, and those that the other side has told."`
	ConnectionStatus string        `about:"CONNECTING, SUCCESS or FAILED."`
	ConnectionMsg    string        `about:"What became of the last try."`

	MessageLoggingComponents string `about:"Always none: bodies are not logged." set:"create"`
}

// connectorDefaults is what a connector is that CREATE says nothing of: Dispatch's, where it says something else than 0.
var connectorDefaults = Connector{
	Host: "127.0.0.1", Port: "amqp", Role: "normal", Cost: 1, VerifyHostname: true,
	StripAnnotations: "no", MessageLoggingComponents: "none",
}

var connectorType = changeable(newType(entityType{
	name: "connector", base: configurationEntity, about: "Keeps a connection to another router, or to a broker.",
}, func(m Model, offset int) iter.Seq[Connector] { return slice(m.Connectors(), offset) }, nil), changes[Connector]{
	defaults: connectorDefaults,
	create: func(ctx context.Context, m Model, c Connector, _ saying) (Connector, error) {
		if err := fits(m.Router().Mode, c.Role, false); err != nil {
			return c, err
		}
		switch {
		case c.SSLProfile != nil && !c.VerifyHostname:
			return c, faultf(statusNotImplemented, "the name in a certificate is always verified (verifyHostname)")
		case c.MessageLoggingComponents != "none":
			return c, faultf(statusNotImplemented, "what is in messages is never logged (messageLoggingComponents)")
		}
		made, err := m.Connect(ctx, c)
		made.SASLPassword = nil
		return made, err
	},
	remove: func(ctx context.Context, m Model, c Connector) error { return m.Disconnect(ctx, c.Identity) },
})
