package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
	stomp "github.com/go-stomp/stomp/v3"
	"github.com/go-stomp/stomp/v3/frame"

	"github.com/manifoldmq/manifold/router/amqp"
	amqpframe "github.com/manifoldmq/manifold/router/amqp/frame"
)

// note is a message as far as settings of queues look at it. What is zero is not said.
type note struct {
	body, id, group string
	sensor          string // an application property
	priority        int
	ttl             time.Duration // of one that has come, what is left
	delay           time.Duration
	retain          bool
}

// party sends to and receives from queues over one protocol.
type party interface {
	// send gives nil when the message is accepted.
	send(to string, n note) error
	// receive waits for a message for as long as a test may take.
	receive(from string) (note, hold, error)
	// isEmpty tells whether there is no message for it now.
	isEmpty(queue string) bool
}

// hold is a message that a party has received.
type hold interface {
	accept() error
	reject() error
	fail() error // tells, in the way of the protocol, that it was tried and failed
}

// newParty lets a party in over a protocol.
func newParty(t *testing.T, protocol string, doors map[string]string) party {
	t.Helper()
	user := enterAMQP(t, doors)
	switch protocol {
	case httpSend:
		return httpParty{t, user.ctx, newHTTPClient(t, doors["http"])}
	case stomp12:
		return stompParty{t, user.ctx, doors["stomp"]}
	}
	return amqpParty{user, doors["amqp"]}
}

// amqpParty is a client of go-amqp. Of durable subscriptions it has its share.
type amqpParty struct {
	amqpUser
	door string
}

func (p amqpParty) send(to string, n note) error { return p.amqpClient.send(to, n.amqp()) }

func (n note) amqp() *goamqp.Message {
	m := goamqp.NewMessage([]byte(n.body))
	m.Header = &goamqp.MessageHeader{Priority: 4, TTL: n.ttl}
	if n.priority > 0 {
		m.Header.Priority = uint8(n.priority)
	}
	if n.delay > 0 {
		m.Annotations = goamqp.Annotations{"x-opt-delivery-delay": n.delay.Milliseconds()}
	}
	m.Properties = new(goamqp.MessageProperties)
	if n.id != "" {
		m.Properties.MessageID = n.id
	}
	if n.group != "" {
		m.Properties.GroupID = &n.group
	}
	if n.sensor != "" {
		m.ApplicationProperties = map[string]any{"sensor": n.sensor}
	}
	return m
}

// attach gives a receiver with a credit, whose settlements wait until they have been taken in. A credit of -1 leaves it to the
// test; any other is renewed with each settlement.
func (p amqpParty) attach(from string, credit int32) (*goamqp.Receiver, error) {
	o := &goamqp.ReceiverOptions{Credit: credit, SettlementMode: goamqp.ReceiverSettleModeSecond.Ptr()}
	for _, c := range shares(from) {
		o.SourceCapabilities = append(o.SourceCapabilities, string(c))
	}
	return p.attachReceiver(from, o)
}

// receive gives one credit and no more: another message would be given back when the link ends, and count as redelivered.
func (p amqpParty) receive(from string) (note, hold, error) {
	link, err := p.attach(from, -1)
	if err == nil {
		err = link.IssueCredit(1)
	}
	if err != nil {
		return note{}, nil, err
	}
	m, err := link.Receive(p.ctx, nil)
	if err != nil {
		return note{}, nil, err
	}
	n := note{body: string(m.GetData())}
	if m.Header != nil {
		n.ttl = m.Header.TTL
	}
	return n, amqpHold{p, link, m}, nil
}

// isEmpty drains, and takes what there is.
func (p amqpParty) isEmpty(queue string) bool {
	d := newDrainer(p.t, p.door, amqpframe.Source{Address: queue, Capabilities: shares(queue)})
	defer d.leave()
	return d.take(1) == nil
}

// shares gives the capabilities with which several receivers share a subscription.
func shares(source string) []amqp.Symbol {
	if strings.Contains(source, "::") {
		return []amqp.Symbol{"shared", "global"}
	}
	return nil
}

type amqpHold struct {
	party amqpParty
	link  *goamqp.Receiver
	m     *goamqp.Message
}

func (h amqpHold) accept() error { return h.end(h.link.AcceptMessage(h.party.ctx, h.m)) }
func (h amqpHold) reject() error { return h.end(h.link.RejectMessage(h.party.ctx, h.m, nil)) }

func (h amqpHold) fail() error {
	return h.end(h.link.ModifyMessage(h.party.ctx, h.m, &goamqp.ModifyMessageOptions{DeliveryFailed: true}))
}

func (h amqpHold) end(err error) error { return errors.Join(err, h.link.Close(h.party.ctx)) }

// httpParty is a client of the HTTP door.
type httpParty struct {
	t    *testing.T
	ctx  context.Context
	http *httpClient
}

func (p httpParty) send(to string, n note) error {
	h := make(http.Header)
	set := func(name, value string, said bool) {
		if said {
			h.Set(name, value)
		}
	}
	set("Manifold-Message-Id", n.id, n.id != "")
	set("Manifold-Group-Id", n.group, n.group != "")
	set("Manifold-Property", "sensor="+n.sensor, n.sensor != "")
	set("Manifold-Priority", strconv.Itoa(n.priority), n.priority > 0)
	set("Manifold-Ttl", fmt.Sprint(n.ttl.Seconds()), n.ttl > 0)
	set("Manifold-Retain", "true", n.retain)
	return p.ask(http.MethodPost, pathOf("default", to, "messages"), h, n.body, http.StatusCreated)
}

func (p httpParty) ask(method, path string, h http.Header, body string, want int) error {
	answer, err := p.http.ask(p.ctx, method, path, h, []byte(body))
	if err == nil && answer.code != want {
		err = fmt.Errorf("%s %s: status %d: %s", method, path, answer.code, answer.body)
	}
	return err
}

func (p httpParty) receive(from string) (note, hold, error) {
	path := pathOf("default", from, "messages/head?timeout=60")
	answer, err := p.http.ask(p.ctx, http.MethodPost, path, nil, nil)
	if err == nil && answer.code != http.StatusOK {
		err = fmt.Errorf("status %d: %s", answer.code, answer.body)
	}
	n := note{body: string(answer.body)}
	if left, err := strconv.ParseFloat(answer.header.Get("Manifold-Ttl"), 64); err == nil {
		n.ttl = time.Duration(left * float64(time.Second))
	}
	return n, httpHold{p, answer.header.Get("Location")}, err
}

func (p httpParty) isEmpty(queue string) bool {
	path := pathOf("default", queue, "messages/head?timeout=0")
	answer, err := p.http.ask(p.ctx, http.MethodPost, path, nil, nil)
	if err != nil || answer.code != http.StatusOK && answer.code != http.StatusNoContent {
		p.t.Errorf("receiving from %s: status %d: %s, %v", queue, answer.code, answer.body, err)
	}
	return answer.code == http.StatusNoContent
}

type httpHold struct {
	party    httpParty
	location string
}

func (h httpHold) accept() error {
	return h.party.ask(http.MethodDelete, h.location, nil, "", http.StatusNoContent)
}

func (h httpHold) reject() error {
	return h.party.ask(http.MethodPost, h.location+"/reject", nil, "", http.StatusNoContent)
}

// fail lets the lock expire, as soon as it may.
func (h httpHold) fail() error {
	return h.party.ask(http.MethodPost, h.location+"/renew?lock=1", nil, "", http.StatusNoContent)
}

// stompParty is a client of go-stomp, which has a connection for each message.
type stompParty struct {
	t    *testing.T
	ctx  context.Context
	door string
}

func (p stompParty) send(to string, n note) error {
	c := dialSTOMP(p.t, p.door)
	defer c.MustDisconnect()
	return c.Send(to, "", []byte(n.body), stomp.SendOpt.Receipt, n.stomp)
}

func (n note) stomp(f *frame.Frame) error {
	add := func(name, value string, said bool) {
		if said {
			f.Header.Add(name, value)
		}
	}
	add("amqp-message-id", n.id, n.id != "")
	add("JMSXGroupID", n.group, n.group != "")
	add("sensor", n.sensor, n.sensor != "")
	add("priority", strconv.Itoa(n.priority), n.priority > 0)
	add("expires", fmt.Sprint(time.Now().Add(n.ttl).UnixMilli()), n.ttl > 0)
	add("AMQ_SCHEDULED_DELAY", fmt.Sprint(n.delay.Milliseconds()), n.delay > 0)
	add("retain", "true", n.retain)
	return nil
}

func (p stompParty) receive(from string) (note, hold, error) {
	c := dialSTOMP(p.t, p.door)
	s, err := c.Subscribe(from, stomp.AckClientIndividual, stomp.SubscribeOpt.Header("prefetch-count", "1"))
	if err != nil {
		return note{}, nil, err
	}
	select {
	case m := <-s.C:
		if m.Err != nil {
			return note{}, nil, m.Err
		}
		n := note{body: string(m.Body)}
		if ms, err := strconv.ParseInt(m.Header.Get("expires"), 10, 64); err == nil && ms > 0 {
			n.ttl = time.Until(time.UnixMilli(ms))
		}
		return n, stompHold{c, s, m}, nil
	case <-p.ctx.Done():
		return note{}, nil, p.ctx.Err()
	}
}

// isEmpty browses.
func (p stompParty) isEmpty(queue string) bool {
	c := dialSTOMP(p.t, p.door)
	defer c.MustDisconnect()
	s, err := c.Subscribe(queue, stomp.AckAuto, stomp.SubscribeOpt.Header("browser", "true"))
	if err != nil {
		p.t.Error(err)
		return false
	}
	m := <-s.C
	return m.Err == nil && m.Header.Get("browser") == "end"
}

type stompHold struct {
	conn         *stomp.Conn
	subscription *stomp.Subscription
	m            *stomp.Message
}

func (h stompHold) accept() error { return h.end((*stomp.Transaction).Ack) }
func (h stompHold) fail() error   { return h.end((*stomp.Transaction).Nack) }
func (h stompHold) reject() error { return errors.New("STOMP has no word for it") }

// end settles in a transaction, so that the subscription can end before the door gives it the next message, which would
// count as tried.
func (h stompHold) end(settle func(*stomp.Transaction, *stomp.Message) error) error {
	t := h.conn.Begin()
	if err := settle(t, h.m); err != nil {
		return err
	}
	return errors.Join(unsubscribe(h.subscription), t.CommitWithReceipt(), h.conn.MustDisconnect())
}
