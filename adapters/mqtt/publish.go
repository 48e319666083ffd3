package mqtt

import (
	"context"
	"time"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// sender is a link that the client's publishes to one address go through.
type sender struct {
	link     *router.Sender
	inFlight int // publishes without an outcome
}

// Publish implements session.Handler.
func (c *conn) Publish(p session.Publish) {
	defer c.keepPace(len(p.Topic) + len(p.Payload))
	asked := question{receipt: p.Receipt, id: p.PacketID, qos: p.QoS}
	s, err := c.sender(p.Topic)
	if err != nil {
		c.refuse(asked, router.ReasonOf(err), explain(err), addressing.AnyKind)
		return
	}
	c.renameReplies(&p.Properties)
	m, ok := encode(s.link.Address(), p.Payload, &p.Properties, p.QoS)
	if !ok {
		c.session.Acknowledge(p.Receipt, session.PayloadFormatInvalid, "the payload is not UTF-8")
		return
	}
	s.inFlight++
	c.post(s.link, asked, router.Delivery{
		Message: m,
		Expires: expiry(&p.Properties),
		Settled: p.QoS == 0,
		Retain:  p.Retain,
	})
}

// post sends a publish. With QoS 2 its packet id reaches the disk with the message, if the session outlives the connection
// and the message is kept: so it is not taken again, whatever happens.
func (c *conn) post(link *router.Sender, asked question, d router.Delivery) {
	if asked.qos == 2 && c.outlives() {
		asked.kept = true
		if link.SendWith(asked.tag(), d, c.receipt(asked.id)) {
			return
		}
		asked.kept = false
	}
	link.Send(asked.tag(), d)
}

// expiry is when a message that says how long it lives will be of no use any more.
func expiry(p *session.Properties) int64 {
	if !p.Expires {
		return 0
	}
	return time.Now().UnixMilli() + int64(p.Expiry)*1000
}

// sender gives the link to the address of a topic name, a new one if need be.
func (c *client) sender(topic []byte) (*sender, error) {
	renames := len(c.server.config.Rewrite) > 0
	if s, ok := c.senders[string(topic)]; ok && !renames {
		return s, nil
	}
	a, err := c.addressOf(string(topic))
	if err != nil {
		return nil, err
	}
	if s, ok := c.senders[string(a)]; ok && renames {
		return s, nil
	}
	link, err := c.server.config.Router.Sender(context.Background(), c.user, router.Target{Address: a, Origin: c.origin}, &c.mail)
	if err != nil {
		return nil, err
	}
	if c.senders == nil {
		c.senders = make(map[string]*sender)
	}
	c.closeIdleSender()
	s := &sender{link: link}
	c.senders[string(a)] = s
	return s, nil
}

// closeIdleSender makes room for one more sender, if there are too many and one is idle.
func (c *client) closeIdleSender() {
	if len(c.senders) < c.server.config.Limits.MaxSenders {
		return
	}
	for topic, s := range c.senders {
		if s.inFlight == 0 {
			s.link.Close()
			delete(c.senders, topic)
			return
		}
	}
}

// answer tells the client what became of a publish.
func (c *conn) answer(o outcome) {
	if s, ok := c.senders[string(o.link.Address())]; ok && s.link == o.link {
		s.inFlight--
	}
	switch q := o.question; {
	case q.qos < 2 && q.receipt < c.firstReceipt: // of an earlier connection: the client sends it again
	case o.reason != router.OK:
		c.refuse(q, o.reason, o.text, o.link.Kind())
	case q.kept:
		c.received(q.id, session.Success, "")
	case q.qos == 2:
		c.receive(q.id, session.Success)
	default:
		c.session.Acknowledge(q.receipt, session.Success, "")
	}
}

// refuse tells the client that a publish was not accepted, and why. With QoS 0 it asked for no answer and gets none.
func (c *conn) refuse(q question, reason router.Reason, text string, kind addressing.Kind) {
	words := codesOf(reason, kind)
	if reason == router.Internal {
		text = ""
	}
	if c.server.config.Limits.HideReasons && words.puback.Failed() {
		words.puback, text = session.UnspecifiedError, ""
	}
	told := q.qos == 0 || c.session.Version() >= 5 || words.beforeMQTT5 == acknowledge
	switch {
	case q.qos == 2 && told && !words.puback.Failed():
		c.receive(q.id, words.puback)
		return
	case q.qos == 2:
		c.received(q.id, words.puback, text)
	case told:
		c.session.Acknowledge(q.receipt, words.puback, text)
	}
	if told {
		return
	}
	if words.beforeMQTT5 == disconnect {
		c.session.Disconnect(session.Notice{Code: words.connack, Text: text})
		return
	}
	if c.giveUpAt.IsZero() {
		c.giveUpAt = time.Now().Add(c.server.config.Limits.DeliveryTimeout)
		c.wake() // there is a new deadline
	}
}

// receive answers a QoS 2 publish that was taken, once its id is on disk if the session outlives the connection.
func (c *conn) receive(id uint16, code session.Reason) {
	if !c.outlives() {
		c.received(id, code, "")
		return
	}
	c.keepReceived(id, code, func(c *conn) { c.received(id, code, "") })
}

// received tells the client what became of a QoS 2 publish: now, or when it comes again over its next connection.
func (c *conn) received(id uint16, code session.Reason, text string) {
	switch asked, known := c.memory.Received[id]; {
	case c.request == nil && !c.over:
		c.session.Receive(id, code, text)
	case !known || asked.Answered:
	case code.Failed():
		delete(c.memory.Received, id)
	default:
		c.memory.Received[id] = session.Exchange{Code: code, Answered: true}
	}
}

// Release implements session.Handler. PUBCOMP comes after the id is forgotten on disk: the client may use it anew.
func (c *conn) Release(id uint16, known bool) {
	if !c.outlives() {
		c.session.Complete(id, known)
		return
	}
	engine := c.session
	c.forgetReceived(id, func(c *conn) {
		if c.session == engine {
			engine.Complete(id, known)
		}
	})
}

// publishWill sends the client's will. Nobody hears what becomes of it.
func (c *client) publishWill() {
	will := c.will
	c.will = nil
	a, err := c.addressOf(will.Topic)
	if err != nil {
		return
	}
	c.renameReplies(&will.Properties)
	link, err := c.server.config.Router.Sender(context.Background(), c.user, router.Target{Address: a, Origin: c.origin}, unheard{})
	if err != nil {
		c.server.config.Log.Warn("a will cannot be published", "tenant", c.key.tenant, "client", c.key.id, "err", err)
		return
	}
	if m, ok := encode(a, will.Payload, &will.Properties, will.QoS); ok {
		link.Send(0, router.Delivery{
			Message: m,
			Expires: expiry(&will.Properties),
			Settled: will.QoS == 0,
			Retain:  will.Retain,
		})
	}
	link.Close()
}

// unheard is a producer that is gone.
type unheard struct{}

func (unheard) Settled(*router.Sender, uint64, router.Outcome) {}
func (unheard) Credit(*router.Sender, int)                     {}
