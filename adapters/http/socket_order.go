package http

import (
	"encoding/json"
	nethttp "net/http"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// order is what a client of a socket wants done. Each is answered under its id.
type order struct {
	Op string `json:"op"`
	ID uint64 `json:"id"`

	User     string `json:"user"` // connect
	Password string `json:"password"`
	Token    string `json:"token"`

	Address string          `json:"address"` // send; subscribe: an address or filter, perhaps with ::name
	Message json.RawMessage `json:"message"` // send: a draft

	Subscription uint64 `json:"subscription"` // subscribe, credit, unsubscribe: the client's number for it
	Credit       int    `json:"credit"`       // subscribe: 0 to have it renewed as messages are written; credit
	Settle       bool   `json:"settle"`       // subscribe: the client settles
	Selector     string `json:"selector"`     // subscribe
	Shared       bool   `json:"shared"`
	Retained     *bool  `json:"retained"`

	Delivery uint64 `json:"delivery"` // settle
	Outcome  string `json:"outcome"`
	Reason   string `json:"reason"`
}

// carryOut does what an order says. It answers, now or later, unless it gives an error.
func (c *socket) carryOut(o *order) error {
	switch o.Op {
	case "connect":
		c.answer(o.ID, result{Status: nethttp.StatusOK})
		return nil
	case "send":
		return c.send(o)
	case "subscribe":
		return c.subscribe(o)
	case "credit":
		return c.credit(o)
	case "unsubscribe":
		return c.unsubscribe(o)
	case "settle":
		return c.settle(o)
	}
	return router.Errorf(router.Malformed, "op %.40q: want connect, send, subscribe, credit, settle or unsubscribe", o.Op)
}

// send sends a message. Its outcome is awaited beside what else there is to do.
func (c *socket) send(o *order) error {
	to, err := addressing.ParseAddress(o.Address)
	if err != nil {
		return router.Errorf(router.Malformed, "%v", err)
	}
	p, err := readDraft(o.Message, to)
	if err != nil {
		return err
	}
	heard := make(outcome, 1)
	sender, err := c.server.router.Sender(c.ctx, c.principal, router.Target{Address: to, Unpaced: true}, heard)
	if err != nil {
		return err
	}
	d, err := p.delivery(sender, false)
	if err != nil {
		sender.Close()
		return err
	}
	sender.Send(0, d)
	if told, ok := heard.now(); ok {
		sender.Close()
		c.answer(o.ID, resultOf(told))
		return nil
	}
	c.waiting.Go(func() { c.answer(o.ID, c.server.confirm(c.ctx, sender, heard)) })
	return nil
}

// settle ends a delivery, and answers when that is safe.
func (c *socket) settle(o *order) error {
	result, err := outcomeNamed(o.Outcome, o.Reason)
	if err != nil {
		return err
	}
	h, ok := c.take(o.Delivery)
	if !ok {
		return router.Errorf(router.NotFound, "no such delivery: it was settled, or its subscription has ended")
	}
	h.from.renew()
	h.delivery.SettleThen(result, func(err error) { c.answer(o.ID, settled(err)) })
	return nil
}

// outcomeNamed reads an outcome that a client names, with what it says of the message.
func outcomeNamed(name, reason string) (o router.Outcome, err error) {
	switch name {
	case "accepted":
		o = router.Accept()
	case "released":
		o = router.Release()
	case "modified":
		o = router.Fail()
	case "rejected":
		o = router.Reject(router.Malformed, "rejected by its consumer")
	default:
		return o, router.Errorf(router.Malformed, "outcome %.40q: want accepted, released, rejected or modified", name)
	}
	if len(reason) > maxReason {
		return o, router.Errorf(router.Malformed, "reason: want at most %d bytes", maxReason)
	}
	if reason != "" {
		o.Text = reason
	}
	return o, nil
}

// settled tells how a settlement went.
func settled(err error) result {
	if err != nil {
		return refusal(0, err)
	}
	return result{Status: nethttp.StatusNoContent}
}
