package gateway

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"testing"

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
