package amqp

import (
	"slices"

	codec "github.com/manifoldmq/manifold/router/amqp"
)

// Entrance is what may be different where there are several ways into the door.
type Entrance struct {
	Limits     Limits   // must be valid
	Mechanisms []string // of SASL that are offered, of those that the tenants have; none is all
	Tenant     string   // that all who come in belong to; empty leaves it to them
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
