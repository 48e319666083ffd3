package amqp

import (
	"crypto/x509"
	"slices"

	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/wire"
)

// Entrance is what may be different where there are several ways into the door.
type Entrance struct {
	Limits     Limits                                  // must be valid
	Mechanisms []string                                // of SASL that are offered, of those that the tenants have; none is all
	LinkCredit int                                     // unsettled messages of one sender; 0 is that of the router
	Tenant     string                                  // that all who come in belong to; empty leaves it to them
	Containers string                                  // what this entrance is called, if those who come in are containers to which links may lead
	UserOf     func(*x509.Certificate) (string, error) // who comes in by a certificate; nil leaves it to the directory
	Greeting   wire.Greeting                           // what clients are told in open, beside what the server is

	VirtualHost string // by which all come in, whatever host they ask for; empty leaves it to them
	MultiTenant bool   // each virtual host has a name space of its own: addresses begin with its name, which clients do not say

	Annotations Annotations // nil leaves messages as they are
}

// Annotations decides what of what routers write on messages clients may write, and what they see.
type Annotations interface {
	// In gives a client's message as it goes on. The error is a *router.Error for one that does not.
	In(router.Message) (router.Message, error)
	// Out gives the message of a delivery as a client gets it.
	Out(*router.Delivery) router.Message
}

// At gives an entrance to the same door: a link or container that is taken over is so whichever way its clients come in.
func (s *Server) At(e Entrance) *Server {
	inner := &Server{common: s.common, config: s.config, entrance: e}
	inner.config.Limits = e.Limits
	return inner
}

// offers tells whether a mechanism of SASL is offered here.
func (e *Entrance) offers(mechanism string) bool {
	return len(e.Mechanisms) == 0 || slices.Contains(e.Mechanisms, mechanism)
}

// offered gives those of the mechanisms that are offered here.
func (e *Entrance) offered(mechanisms []string) (symbols []codec.Symbol) {
	for _, name := range mechanisms {
		if e.offers(name) {
			symbols = append(symbols, codec.Symbol(name))
		}
	}
	return symbols
}

// links is what makes the links of a client.
func (c *conn) links() *router.Router {
	if c.server.entrance.Containers != "" {
		return c.server.config.Router.ForContainers()
	}
	return c.server.config.Router
}
