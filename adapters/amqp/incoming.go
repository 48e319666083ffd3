package amqp

import (
	"bytes"
	"context"
	"math"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// incoming is a link on which the client sends: to one address, or, as a relay, to the one that each message names.
type incoming struct {
	conn    *conn
	link    *engine.Link
	sender  *router.Sender                  // nil for a relay
	senders map[addressing.Address]*relayed // of a relay
	release func()                          // of the address that was made for the link; nil for none
	credit  atomic.Int64                    // granted by the node and not yet given to the client
}

// relayed is a sender of a relay.
type relayed struct {
	sender   *router.Sender
	inFlight int
}

var (
	_ router.Producer = (*incoming)(nil)
	_ linkEnd         = (*incoming)(nil)
)

// attachIncoming answers a client that wants to send.
func (c *conn) attachIncoming(l *engine.Link) error {
	remote := l.Remote()
	switch {
	case remote.Coordinator != nil:
		return router.Errorf(router.Unsupported, "transactions are not offered")
	case remote.Target == nil:
		return router.Errorf(router.Malformed, "a target is required")
	}
	in := &incoming{conn: c, link: l}
	if remote.Target.Address == "" && !remote.Target.Dynamic {
		in.senders = make(map[addressing.Address]*relayed)
		l.Context = in
		l.Accept(frame.Attach{})
		l.Grant(c.server.config.Limits.RelayCredit)
		return nil
	}
	answer := *remote.Target
	if answer.Dynamic {
		var a addressing.Address
		a, in.release = c.server.config.Router.Temporary(c.user)
		answer.Address, answer.HasAddress = string(a), true
	}
	if err := in.open(answer.Address, kindOf(answer.Capabilities)); err != nil {
		in.detached(engine.Detachment{})
		return err
	}
	l.Context = in
	l.Accept(frame.Attach{Target: &answer, MaxMessageSize: uint64(in.sender.MaxMessageSize())})
	return nil
}

// open links to the one address that the client sends to.
func (in *incoming) open(address string, kind addressing.Kind) error {
	a, err := parseAddress(address)
	if err != nil {
		return err
	}
	c := in.conn
	in.sender, err = c.server.config.Router.Sender(
		context.Background(), c.user, router.Target{Address: a, Kind: kind}, in)
	return err
}

// received hands a message to the router.
func (in *incoming) received(t *engine.Transfer) {
	if t.Format != 0 {
		in.refuse(t, router.Reject(router.Unsupported, "only messages of format 0 are taken"))
		return
	}
	payload := t.Payload
	if !t.Owned {
		payload = bytes.Clone(payload)
	}
	d, to, err := readMessage(payload)
	if err != nil {
		in.refuse(t, router.Reject(router.Malformed, err.Error()))
		return
	}
	d.Settled = t.Settled
	sender, err := in.senderFor(to)
	if err != nil {
		in.refuse(t, router.Reject(router.ReasonOf(err), err.Error()))
		return
	}
	sender.Send(uint64(t.ID), d)
}

// readMessage checks a message whole, since others will have to read it, and gives the address that it names.
func readMessage(payload []byte) (d router.Delivery, to string, err error) {
	m, err := codec.ParseMessage(payload)
	if err != nil {
		return d, "", err
	}
	header, err := m.Header()
	if err != nil {
		return d, "", err
	}
	properties, err := m.Properties()
	if err != nil {
		return d, "", err
	}
	d.Message = m
	d.Expires = expiry(header, properties)
	return d, properties.To, nil
}

// expiry is when a message is of no use any more: by its time to live [3.2.1], or by its expiry time [3.2.4].
func expiry(h codec.Header, p codec.Properties) int64 {
	if h.TTL > 0 {
		return time.Now().UnixMilli() + int64(h.TTL)
	}
	return int64(max(p.AbsoluteExpiryTime, 0))
}

// refuse answers a message that does not reach the router.
func (in *incoming) refuse(t *engine.Transfer, o router.Outcome) {
	in.link.Settle(t.ID, stateOf(o))
	in.link.Grant(1)
}

// senderFor gives the sender for a message that says where it goes.
func (in *incoming) senderFor(to string) (*router.Sender, error) {
	if in.sender != nil {
		return in.sender, nil
	}
	a, err := parseAddress(to)
	if err != nil {
		return nil, err
	}
	r, ok := in.senders[a]
	if !ok {
		in.closeIdleSender()
		c := in.conn
		s, err := c.server.config.Router.Sender(context.Background(), c.user, router.Target{Address: a}, in)
		if err != nil {
			return nil, err
		}
		r = &relayed{sender: s}
		in.senders[a] = r
	}
	r.inFlight++
	return r.sender, nil
}

// closeIdleSender makes room for one more sender of a relay, if there are too many and one is idle.
func (in *incoming) closeIdleSender() {
	if len(in.senders) < in.conn.server.config.Limits.MaxSenders {
		return
	}
	for a, r := range in.senders {
		if r.inFlight == 0 {
			r.sender.Close()
			delete(in.senders, a)
			return
		}
	}
}

// Settled implements router.Producer.
func (in *incoming) Settled(s *router.Sender, tag uint64, o router.Outcome) {
	in.conn.mail.outcomes.Put(outcome{link: in, sender: s, id: uint32(tag & math.MaxUint32), outcome: o})
}

// Credit implements router.Producer. A relay has credit of its own, whatever its addresses grant.
func (in *incoming) Credit(_ *router.Sender, n int) {
	if in.senders == nil && in.credit.Add(int64(n)) == int64(n) {
		in.conn.mail.credits.Put(in)
	}
}

// answer tells the client what became of a message.
func (in *incoming) answer(o outcome) {
	in.link.Settle(o.id, stateOf(o.outcome))
	if in.senders == nil {
		return
	}
	if r, ok := in.senders[o.sender.Address()]; ok && r.sender == o.sender {
		r.inFlight--
	}
	in.link.Grant(1)
}

func (in *incoming) detached(engine.Detachment) {
	if in.sender != nil {
		in.sender.Close()
	}
	for _, r := range in.senders {
		r.sender.Close()
	}
	if in.release != nil {
		in.release()
	}
}
