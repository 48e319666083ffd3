package network

import (
	"slices"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/wire"
)

// loanSessions are the sessions of a connection that have the links by which homes are asked. There is more than one when the
// first has as many links as it may.
type loanSessions []loanSession

type loanSession struct {
	*engine.Session
	links int
}

// borrow attaches a link by which a home is asked; nil if the neighbour allows no more, or takes no such wish.
func (k *neighbor) borrow(from *frame.Source) (*engine.Link, *frame.Error) {
	a := attachment(frame.Receiver, "")
	a.Source, a.Target = from, &frame.Target{}
	a.ReceiverSettleMode = frame.ReceiveSecond // outcomes are settled at the home first
	for i := range k.loans {
		if l := k.loans[i].Attach(a); l != nil {
			k.loans[i].links++
			return l, nil
		}
	}
	another := k.Begin()
	if another == nil {
		return nil, nil
	}
	l := another.Attach(a)
	if l == nil {
		another.End(nil)
		return nil, wire.Error(router.Errorf(router.Unsupported, "what is asked of the home does not fit into a frame on the way there"))
	}
	k.loans = append(k.loans, loanSession{another, 1})
	return l, nil
}

// release notes that a link of a session has ended. With the last of them the session does, unless it is the only one.
func (all *loanSessions) release(s *engine.Session) {
	i := slices.IndexFunc(*all, func(x loanSession) bool { return x.Session == s })
	if i < 0 {
		return
	}
	if (*all)[i].links--; (*all)[i].links == 0 && len(*all) > 1 {
		*all = slices.Delete(*all, i, i+1)
		s.End(nil)
	}
}

// gone notes that a session has ended.
func (all *loanSessions) gone(s *engine.Session) {
	*all = slices.DeleteFunc(*all, func(x loanSession) bool { return x.Session == s })
}
