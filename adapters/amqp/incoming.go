package amqp

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/wire"
)

// incoming is a link on which the client sends: to one address, or, as a relay, to the one that each message names.
type incoming struct {
	conn    *conn
	link    *engine.Link
	sender  *router.Sender                  // nil for a relay
	senders map[addressing.Address]*relayed // of a relay
	release func()                          // of the address that was made for the link; nil for none
	credit  atomic.Int64                    // granted by the node and not yet given to the client
	given   int                             // credit that the client has; once it was asked for, without what it used since
	asked   int                             // how much of it the client was asked for; 0 for none
	used    int                             // of what it was asked for
	upload  *wire.Upload                    // the message of several frames that is coming in; nil for none
	latest  uint32                          // the delivery that came last
	whole   bool                            // its end has come, or none came
	vain    bool                            // a message has come to nothing: who sent it may wait for credit to try again
	early   *router.Outcome                 // of it, told when that comes; nil for none

	federated bool // another network sends over it; see federate
}

// relayed is a sender of a relay.
type relayed struct {
	sender   *router.Sender
	inFlight int
}

var (
	_ router.Producer = (*incoming)(nil)
	_ receiving       = (*incoming)(nil)
	_ linkEnd         = (*incoming)(nil)
)

// attachIncoming answers a client that wants to send.
func (c *conn) attachIncoming(l *engine.Link) error {
	remote := l.Remote()
	if remote.Target == nil {
		return router.Errorf(router.Malformed, "a target is required")
	}
	in := &incoming{conn: c, link: l, whole: true}
	in.federate()
	if remote.Target.Address == "" && !remote.Target.Dynamic {
		in.senders = make(map[addressing.Address]*relayed)
		l.Context = in
		if !in.federated { // it may be told by the whole message only where that goes
			l.Stream()
		}
		l.Accept(frame.Attach{})
		l.Grant(c.server.config.Limits.RelayCredit)
		return nil
	}
	answer := *remote.Target
	if answer.Dynamic {
		answer.Address, in.release = c.makeTemporary(answer.Capabilities)
		answer.HasAddress, answer.DynamicNodeProperties = true, deleteOnClose()
	}
	if err := in.open(answer.Address, answer.Capabilities); err != nil {
		in.detached(engine.Detachment{})
		return err
	}
	answer.Durable, answer.ExpiryPolicy = kept(false)
	answer.Timeout = 0
	answer.Capabilities = capabilitiesOf(in.sender.Kind(), answer.Capabilities)
	l.Context = in
	if in.sender.Streams() {
		l.Stream()
	}
	l.Accept(frame.Attach{Target: &answer, MaxMessageSize: uint64(in.sender.MaxMessageSize())})
	return nil
}

// betweenRouters is what the addresses begin with at which edge routers ask theirs, over connections of their own.
const betweenRouters = "_$qd."

// open links to the one address that the client sends to.
func (in *incoming) open(address string, capabilities []codec.Symbol) error {
	a, err := parseAddress(in.conn.place(address))
	if err != nil {
		return err
	}
	if strings.HasPrefix(string(a), betweenRouters) {
		return router.Errorf(router.NotFound, "%s is what routers ask each other at", a)
	}
	c := in.conn
	in.sender, err = c.links().Sender(
		context.Background(), c.user, router.Target{
			Address: a, Kind: kindOf(capabilities), Phase: c.targetPhase(a, capabilities), Name: in.link.Name(),
			Returned: slices.Contains(capabilities, fallbackCapability), Origin: c.Remote().ContainerID, Window: c.server.entrance.LinkCredit,
			Lingers: c.server.config.Manner.lingers(),
		}, in)
	return err
}

// received hands a message to the router.
func (in *incoming) received(t *engine.Transfer) {
	if t.First {
		in.spend(t.ID)
	}
	in.latest, in.whole = t.ID, t.Last
	if !t.First || !t.Last {
		in.receivedPiece(t)
		return
	}
	if t.Format != 0 {
		in.refuse(t, router.Reject(router.Unsupported, "only messages of format 0 are taken"))
		return
	}
	payload := t.Payload
	if !t.Owned {
		payload = bytes.Clone(payload)
	}
	d, names, err := in.readMessage(payload)
	if err != nil {
		in.refuse(t, router.Reject(router.Malformed, err.Error()))
		return
	}
	in.readdress(d.Message, &names)
	sender, err := in.senderFor(names)
	if err != nil {
		in.refuse(t, in.conn.server.config.Manner.unknown(err))
		return
	}
	d.Settled = t.Settled
	if t.State.Kind == frame.Transactional {
		in.post(t, sender, d)
		in.landed(sender)
		return
	}
	sender.Send(uint64(t.ID), d)
}

// names are what a message says of where it goes, and from whom it is.
type names struct {
	to   string
	user []byte
}

// readMessage checks a message whole, since others will have to read it.
func (in *incoming) readMessage(payload []byte) (router.Delivery, names, error) {
	m, err := codec.ParseMessage(payload)
	if err != nil {
		return router.Delivery{}, names{}, err
	}
	return in.readHead(m)
}

// readHead reads what the door has to know of a message, which is in the sections before the body.
func (in *incoming) readHead(m codec.Message) (d router.Delivery, n names, err error) {
	if a := in.conn.server.entrance.Annotations; a != nil {
		if m, err = a.In(m); err != nil {
			return d, n, err
		}
	}
	d, properties, err := wire.Read(m, time.Now)
	if err != nil {
		return d, n, err
	}
	d.Attempts = 0 // what a client says of earlier ones is for its consumer
	d.Due = due(m.MessageAnnotations())
	return d, names{to: properties.To, user: properties.UserID}, nil
}

// mayClaim tells whether a message of this client may say that it is from a user [3.2.4]: a user may only name himself,
// as he is called within the tenant or with it. Who is anonymous has shown nothing to compare with.
func (c *conn) mayClaim(user []byte) error {
	name := c.user.User
	if v := c.user.Policy; v != nil && v.Group().AllowUserIDProxy {
		return nil
	}
	if len(user) == 0 || name == "" || string(user) == name || string(user) == name+"@"+c.user.Tenant.Name {
		return nil
	}
	return router.Errorf(router.Denied, "the message's user-id is not who the client is")
}

// due is when a message may be delivered: at the time that its annotation x-opt-delivery-time gives, in Unix milliseconds,
// or as many milliseconds from now as x-opt-delivery-delay says; 0 for at once.
func due(annotations codec.MapView) int64 {
	if at, ok := milliseconds(annotations, "x-opt-delivery-time"); ok {
		return at
	}
	if delay, ok := milliseconds(annotations, "x-opt-delivery-delay"); ok && delay > 0 {
		return time.Now().UnixMilli() + min(delay, maxDelay)
	}
	return 0
}

// maxDelay keeps sums of times within their type.
const maxDelay = math.MaxInt64 / 4

// milliseconds reads an annotation of any type that tells a time; one that is negative or of another type is not there.
func milliseconds(annotations codec.MapView, name string) (int64, bool) {
	raw, ok := annotations.Lookup(name)
	if !ok {
		return 0, false
	}
	switch v := raw.Value().(type) {
	case int64:
		return v, v >= 0
	case codec.Timestamp:
		return int64(v), v >= 0
	case int32:
		return int64(v), v >= 0
	case uint32:
		return int64(v), true
	case uint64:
		return int64(min(v, maxDelay)), true
	default:
		return 0, false
	}
}

// refuse answers a message that does not reach the router.
func (in *incoming) refuse(t *engine.Transfer, o router.Outcome) {
	if t.State.Kind == frame.Transactional {
		in.refusePosted(t, wire.State(o))
		return
	}
	in.link.Settle(t.ID, wire.State(o))
	in.grant(1)
}

// senderFor gives the sender for a message, if it may say what it says.
func (in *incoming) senderFor(n names) (*router.Sender, error) {
	if err := in.conn.mayClaim(n.user); err != nil {
		return nil, err
	}
	if in.sender != nil {
		return in.sender, nil
	}
	a, err := parseAddress(in.conn.place(n.to))
	if err != nil {
		return nil, err
	}
	r, ok := in.senders[a]
	if !ok {
		in.closeIdleSender()
		c := in.conn
		s, err := c.links().Sender(context.Background(), c.user, router.Target{
			Address: a, Name: in.link.Name(), Origin: c.Remote().ContainerID,
		}, in)
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

// passOnCredit gives to the client what the nodes and its relays grant, unless its tenant has sent too much.
func (c *conn) passOnCredit() {
	if !c.isIn || !c.creditAt.IsZero() {
		return
	}
	if wait := c.user.Allowance().SendWait(); wait > 0 {
		c.creditAt = time.Now().Add(wait)
		return
	}
	c.desk.Afford()
	for _, in := range c.mail.credits.Take() {
		in.grant(int(in.credit.Swap(0)))
		if in.vain || c.server.config.Manner.tellsCredit() {
			in.vain = false
			in.link.Announce()
		}
	}
}

// regain gives back the credit that a message of a relay used.
func (in *incoming) regain() {
	if in.credit.Add(1) == 1 {
		in.conn.mail.credits.Put(in)
	}
}

// answer tells the client what became of a message.
func (in *incoming) answer(o outcome) {
	if in.upload.Ends(o.id, o.outcome) {
		in.upload = nil
	}
	in.settle(o.id, o.outcome)
	if o.outcome.State == router.Released || o.outcome.State == router.Modified {
		in.vain = true
		in.link.Announce() // the credit may have come before the outcome
	}
	if in.senders != nil {
		in.landed(o.sender)
		in.regain()
	}
}

// landed notes that a relay's sender has one message less in flight.
func (in *incoming) landed(s *router.Sender) {
	if r, ok := in.senders[s.Address()]; ok && r.sender == s {
		r.inFlight--
	}
}

func (in *incoming) detached(engine.Detachment) {
	in.upload.Void(router.Release())
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
