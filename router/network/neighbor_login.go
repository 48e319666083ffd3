package network

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"sync"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// guest is a router that has connected to us, on its way in: what is known of it, and its authentication [5.3]. A step of
// that may take long, so each runs in a goroutine of its own, one at a time, and leaves its finding for the connection.
type guest struct {
	entrance *RouterEntrance
	visitor  tenancy.Visitor
	exchange tenancy.Exchange // nil before sasl-init
	verdicts transport.Mailbox[finding]

	ctx    context.Context // of the steps; ends with the connection
	cancel context.CancelFunc
	steps  sync.WaitGroup
}

// finding is what a step of an authentication came to.
type finding struct {
	challenge []byte
	user      *tenancy.Principal // nil for one that has to say more
	err       error
}

// newGuest begins for a connection that has shaken hands, if it is one of TLS.
func newGuest(ctx context.Context, e *RouterEntrance, nc net.Conn) *guest {
	g := &guest{entrance: e, visitor: tenancy.VisitorOn(nc).Through("AMQP")}
	g.ctx, g.cancel = context.WithCancel(ctx)
	return g
}

// end stops the step under way, if any, and waits for it.
func (g *guest) end() {
	g.cancel()
	g.steps.Wait()
}

// hello gives what is said before anybody is known. Who is let in without a name may leave SASL out.
func (g *guest) hello(containerID string) engine.Server {
	s := engine.Server{ContainerID: containerID}
	for _, name := range g.entrance.Directory.Mechanisms(g.visitor) {
		if only := g.entrance.Mechanisms; len(only) == 0 || slices.Contains(only, name) {
			s.Mechanisms = append(s.Mechanisms, amqp.Symbol(name))
			s.Optional = s.Optional || name == tenancy.MechanismAnonymous
		}
	}
	return s
}

// step goes on with what the guest says. The host that it names is of no account: there is only one network here.
func (g *guest) step(a engine.Authentication) {
	if a.First {
		g.exchange = g.entrance.Directory.Begin(string(a.Mechanism), g.visitor)
	}
	response := bytes.Clone(a.Response)
	g.steps.Go(func() {
		challenge, user, err := g.exchange.Step(g.ctx, response)
		g.verdicts.Put(finding{challenge, user, err})
	})
}

// answerLogin tells a guest what became of the last step.
func (k *neighbor) answerLogin() {
	for _, v := range k.guest.verdicts.Take() {
		switch {
		case errors.Is(v.err, tenancy.ErrBusy):
			k.Deny(frame.SASLSystemTemp)
		case v.err != nil:
			k.log.Warn("a router was not let in", "err", v.err)
			k.Deny(frame.SASLAuth)
		case v.user == nil:
			k.Challenge(v.challenge)
		default:
			k.guest.exchange = nil
			k.Admit(v.challenge)
		}
	}
}
