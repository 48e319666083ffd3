package isolation

import (
	"context"
	"testing"

	goamqp "github.com/Azure/go-amqp"
)

var amqpParty = party{"AMQP", []deed{
	{"receive", func(v *visit) func() {
		return v.amqp().receive(v.name, &goamqp.ReceiverOptions{SettlementMode: goamqp.ReceiverSettleModeFirst.Ptr()})
	}, "telemetry/x"},
	{"durable link", func(v *visit) func() {
		c := v.amqp()
		wait := c.receive("telemetry/#", &goamqp.ReceiverOptions{
			Name: v.name, Durability: goamqp.DurabilityUnsettledState, SourceDurability: goamqp.DurabilityUnsettledState,
			SourceExpiryPolicy: goamqp.ExpiryPolicyNever,
		})
		wait()
		return c.end
	}, ""},
	{"send", func(v *visit) func() {
		v.amqp().send(v.name, new(goamqp.Message))
		return nil
	}, "jobs"},
	{"send by the message's to", func(v *visit) func() {
		v.amqp().send("", &goamqp.Message{Properties: &goamqp.MessageProperties{To: &v.name}})
		return nil
	}, "jobs"},
	{"be answered at", func(v *visit) func() {
		v.amqp().send("$management", &goamqp.Message{
			Properties:            &goamqp.MessageProperties{ReplyTo: &v.name, CorrelationID: v.mark()},
			ApplicationProperties: map[string]any{"operation": "QUERY", "type": v.mark(), "entityType": v.mark(), "name": v.name},
		})
		return nil
	}, ""},
	{"ask management for", func(v *visit) func() {
		c := v.amqp()
		c.manage(v.name)
		return nil
	}, ""},
}}

// amqpConn is a client of go-amqp with a session; nil when it was not let in.
type amqpConn struct {
	v       *visit
	conn    *goamqp.Conn
	session *goamqp.Session
}

func (v *visit) amqp() *amqpConn {
	options := &goamqp.ConnOptions{SASLType: goamqp.SASLTypePlain(v.seat.user, v.seat.password), HostName: v.seat.host}
	if v.seat.user == "" {
		options.SASLType = goamqp.SASLTypeAnonymous()
	}
	conn, err := goamqp.NewConn(v.ctx, v.dial("tcp", "amqp"), options)
	if err != nil {
		return nil
	}
	v.t.Cleanup(func() { conn.Close() })
	session, err := conn.NewSession(v.ctx, nil)
	if err != nil {
		return nil
	}
	return &amqpConn{v, conn, session}
}

// receive attaches a receiver, if it may, and gives how to wait for what has come.
func (c *amqpConn) receive(name string, o *goamqp.ReceiverOptions) (roundTrip func()) {
	if c == nil {
		return func() {}
	}
	o.Credit = 100
	if _, err := c.session.NewReceiver(c.v.ctx, name, o); err != nil {
		return func() {}
	}
	c.roundTrip() // so that its credit is there
	return c.roundTrip
}

// roundTrip opens and closes two sessions: their answers come after what was to be delivered before.
func (c *amqpConn) roundTrip() {
	for range 2 {
		session, err := c.conn.NewSession(c.v.ctx, nil)
		if err != nil {
			return
		}
		session.Close(c.v.ctx)
	}
}

func (c *amqpConn) end() {
	if c != nil {
		c.conn.Close()
	}
}

// send sends a message with the mark in it, and waits until it is settled or its link is gone.
func (c *amqpConn) send(to string, m *goamqp.Message) {
	if c == nil {
		return
	}
	link, err := c.session.NewSender(c.v.ctx, to, nil)
	if err != nil {
		return
	}
	m.Data = [][]byte{[]byte(c.v.mark())}
	ctx, cancel := context.WithTimeout(c.v.ctx, silence)
	defer cancel()
	if link.Send(ctx, m, nil) == nil {
		link.Close(c.v.ctx)
	}
}

// manage asks $management about a name in every way that there is, and hears the answers.
func (c *amqpConn) manage(name string) {
	if c == nil {
		return
	}
	replies, err := c.session.NewReceiver(c.v.ctx, "", &goamqp.ReceiverOptions{DynamicAddress: true, Credit: 100})
	if err != nil {
		return
	}
	link, err := c.session.NewSender(c.v.ctx, "$management", nil)
	if err != nil {
		return
	}
	to := replies.Address()
	for _, kind := range []string{"address", "config.address", "link", "connection"} {
		kind = "org.apache.qpid.dispatch.router." + kind
		for _, properties := range []map[string]any{
			{"operation": "QUERY", "entityType": kind},
			{"operation": "READ", "type": kind, "name": name},
			{"operation": "READ", "type": kind, "identity": name},
			{"operation": "DELETE", "type": kind, "name": name},
		} {
			m := &goamqp.Message{
				Properties:            &goamqp.MessageProperties{ReplyTo: &to, CorrelationID: "1"},
				ApplicationProperties: properties,
				Value:                 map[string]any{"attributeNames": []any{}},
			}
			ctx, cancel := context.WithTimeout(c.v.ctx, silence)
			err := link.Send(ctx, m, nil)
			if err == nil {
				if reply, err := replies.Receive(ctx, nil); err == nil {
					replies.AcceptMessage(ctx, reply)
				}
			}
			cancel()
			if err != nil {
				return
			}
		}
	}
}

// dynamic opens a receiver of an address of its own, and gives that.
func (c *amqpConn) dynamic(t *testing.T) string {
	t.Helper()
	link, err := c.session.NewReceiver(c.v.ctx, "", &goamqp.ReceiverOptions{DynamicAddress: true})
	if err != nil {
		t.Fatal(err)
	}
	return link.Address()
}
