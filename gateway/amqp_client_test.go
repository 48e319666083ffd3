package gateway

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
)

// amqpClient is a client of go-amqp, with one session.
type amqpClient struct {
	ctx     context.Context
	wire    *amqpWire
	conn    *goamqp.Conn
	session *goamqp.Session
}

// dialAMQP connects a client until the test ends; what it does takes no longer than ctx.
func dialAMQP(ctx context.Context, t *testing.T, door string) *amqpClient {
	t.Helper()
	client, err := connectAMQP(ctx, door, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.conn.Close() })
	return client
}

// connectAMQP connects a client; o may be nil for its defaults.
func connectAMQP(ctx context.Context, door string, o *goamqp.ConnOptions) (*amqpClient, error) {
	tcp, err := new(net.Dialer).DialContext(ctx, "tcp", door)
	if err != nil {
		return nil, err
	}
	wire := &amqpWire{tcp, make(chan struct{}, 1)}
	conn, err := goamqp.NewConn(ctx, wire, o)
	if err != nil {
		tcp.Close()
		return nil, err
	}
	session, err := conn.NewSession(ctx, nil)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &amqpClient{ctx, wire, conn, session}, nil
}

// amqpWire is a client's connection. It tells when a flow [2.7.4] has gone out: a receiver's first follows its attach,
// and without credit it gets nothing of what is not stored.
type amqpWire struct {
	net.Conn
	flows chan struct{}
}

func (w *amqpWire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	if flow := []byte{0x00, 0x53, 0x13}; bytes.Contains(p, flow) {
		select {
		case w.flows <- struct{}{}:
		default:
		}
	}
	return n, err
}

// attachReceiver attaches a receiver and returns when its credit has reached the door, unless o leaves credit to the test.
func (c *amqpClient) attachReceiver(source string, o *goamqp.ReceiverOptions) (*goamqp.Receiver, error) {
	select {
	case <-c.wire.flows:
	default:
	}
	link, err := c.session.NewReceiver(c.ctx, source, o)
	if err != nil || o.Credit < 0 {
		return link, err
	}
	<-c.wire.flows
	return link, c.roundTrip()
}

// send sends one message over a link of its own and waits for the outcome.
func (c *amqpClient) send(to string, m *goamqp.Message) error {
	link, err := c.session.NewSender(c.ctx, to, nil)
	if err != nil {
		return err
	}
	return sendAMQP(c.ctx, link, m)
}

// sendAMQP sends a message and waits for the outcome; every other than accepted is an error.
func sendAMQP(ctx context.Context, link *goamqp.Sender, m *goamqp.Message) error {
	receipt, err := link.SendWithReceipt(ctx, m, nil)
	if err != nil {
		return err
	}
	state, err := receipt.Wait(ctx)
	if err != nil {
		return err
	}
	switch state := state.(type) {
	case *goamqp.StateAccepted:
		return nil
	case *goamqp.StateRejected:
		return state.Error
	default:
		return fmt.Errorf("the outcome is %T", state)
	}
}

// roundTrip returns when the door has answered a later request of the client.
func (c *amqpClient) roundTrip() error {
	session, err := c.conn.NewSession(c.ctx, nil)
	if err != nil {
		return err
	}
	return session.Close(c.ctx)
}

// amqp writes a letter as a client would.
func (l letter) amqp() *goamqp.Message {
	m := &goamqp.Message{
		Header:     &goamqp.MessageHeader{Priority: 4, TTL: time.Duration(l.seconds) * time.Second},
		Properties: new(goamqp.MessageProperties),
	}
	if l.text {
		m.Value = string(l.payload)
	} else {
		m.Data = [][]byte{l.payload}
	}
	if l.contentType != "" {
		m.Properties.ContentType = &l.contentType
	}
	if l.replyTo != "" {
		m.Properties.ReplyTo = &l.replyTo
	}
	if l.correlation != "" {
		m.Properties.CorrelationID = []byte(l.correlation)
	}
	for _, p := range l.distinct() {
		if m.ApplicationProperties == nil {
			m.ApplicationProperties = make(map[string]any)
		}
		m.ApplicationProperties[p.name] = p.value
	}
	return m
}

// readAMQP is the way back. What is of an unexpected type is an error's text instead.
func readAMQP(m *goamqp.Message) (l letter) {
	switch value := m.Value.(type) {
	case nil:
		l.payload = m.GetData()
	case string:
		l.payload, l.text = []byte(value), true
	default:
		l.payload = fmt.Appendf(nil, "a body of type %T", value)
	}
	if m.Header != nil {
		l.seconds = readSeconds(fmt.Sprint(m.Header.TTL.Seconds()))
	}
	if p := m.Properties; p != nil {
		l.contentType, l.replyTo = valueOf(p.ContentType), valueOf(p.ReplyTo)
		switch id := p.CorrelationID.(type) {
		case nil:
		case []byte:
			l.correlation = string(id)
		default:
			l.correlation = fmt.Sprintf("an id of type %T", id)
		}
	}
	for name, value := range m.ApplicationProperties {
		text, ok := value.(string)
		if !ok {
			text = fmt.Sprintf("a value of type %T", value)
		}
		l.properties = append(l.properties, property{name, text})
	}
	return l
}

func valueOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// amqpSender sends over one link to one address.
type amqpSender struct {
	*amqpClient
	link *goamqp.Sender
}

func newAMQPSender(ctx context.Context, t *testing.T, door, address string) *amqpSender {
	t.Helper()
	client := dialAMQP(ctx, t, door)
	link, err := client.session.NewSender(ctx, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &amqpSender{client, link}
}

func (s *amqpSender) send(_ string, l letter) <-chan error {
	told := make(chan error, 1)
	go func() { told <- sendAMQP(s.ctx, s.link, l.amqp()) }()
	return told
}

// amqpReceiver receives over one link. Where a message does not say what address it was sent to, it is the link's.
type amqpReceiver struct {
	*amqpClient
	link    *goamqp.Receiver
	message *goamqp.Message // the last that came
}

func newAMQPReceiver(ctx context.Context, t *testing.T, door, address string) *amqpReceiver {
	t.Helper()
	client := dialAMQP(ctx, t, door)
	link, err := client.attachReceiver(address, &goamqp.ReceiverOptions{Credit: 10})
	if err != nil {
		t.Fatal(err)
	}
	return &amqpReceiver{amqpClient: client, link: link}
}

func (r *amqpReceiver) next() <-chan arrival {
	came := make(chan arrival, 1)
	go func() {
		m, err := r.link.Receive(r.ctx, nil)
		if err != nil {
			came <- arrival{letter{payload: []byte(err.Error())}, ""}
			return
		}
		r.message = m
		a := arrival{readAMQP(m), r.link.Address()}
		a.orderLike(letters()[0].properties)
		if m.Properties != nil && m.Properties.To != nil {
			a.address = *m.Properties.To
		}
		came <- a
	}()
	return came
}

func (r *amqpReceiver) settle() error {
	if err := r.link.AcceptMessage(r.ctx, r.message); err != nil {
		return err
	}
	return r.roundTrip()
}

func (r *amqpReceiver) leave() error { return r.link.Close(r.ctx) }
