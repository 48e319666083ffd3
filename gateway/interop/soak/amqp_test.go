//go:build interop

package soak

import (
	"context"
	"fmt"

	"github.com/Azure/go-amqp"
)

// amqpLine is a connection of go-amqp with one session.
type amqpLine struct {
	conn    *amqp.Conn
	session *amqp.Session
}

func (l *amqpLine) dial(ctx context.Context, doors map[string]string) (err error) {
	if l.conn, err = amqp.Dial(ctx, "amqp://"+doors["amqp"], nil); err == nil {
		l.session, err = l.conn.NewSession(ctx, nil)
	}
	return err
}

func (l *amqpLine) close() {
	if l.conn != nil {
		l.conn.Close()
	}
}

// amqpOutlet sends unsettled messages and waits for accepted.
type amqpOutlet struct {
	amqpLine
	stream *stream
	target string
	link   *amqp.Sender
}

func (o *amqpOutlet) open(ctx context.Context, doors map[string]string) error {
	err := o.dial(ctx, doors)
	if err == nil {
		o.link, err = o.session.NewSender(ctx, o.target, nil)
	}
	return err
}

func (o *amqpOutlet) send(ctx context.Context, letters []letter) error {
	receipts := make([]amqp.SendReceipt, len(letters))
	for i, l := range letters {
		var err error
		if receipts[i], err = o.link.SendWithReceipt(ctx, amqp.NewMessage(l.text()), nil); err != nil {
			return err
		}
	}
	for i, l := range letters {
		switch state, err := receipts[i].Wait(ctx); state.(type) {
		case *amqp.StateAccepted:
			o.stream.acknowledged(l)
		default:
			return fmt.Errorf("a message is answered with %T: %w", state, err)
		}
	}
	return nil
}

// amqpInlet settles in the mode second [2.8.3]: it hears when a settlement is safe.
type amqpInlet struct {
	amqpLine
	source string
	link   *amqp.Receiver
}

func (in *amqpInlet) open(ctx context.Context, doors map[string]string) error {
	err := in.dial(ctx, doors)
	if err == nil {
		in.link, err = in.session.NewReceiver(ctx, in.source,
			&amqp.ReceiverOptions{Credit: window, SettlementMode: amqp.ReceiverSettleModeSecond.Ptr()})
	}
	return err
}

func (in *amqpInlet) receive(ctx context.Context) (arrivals []arrival, err error) {
	m, err := in.link.Receive(ctx, nil)
	if err != nil {
		return nil, err
	}
	for ; m != nil; m = in.link.Prefetched() {
		l, err := readLetter(m.GetData())
		if err != nil {
			return nil, err
		}
		arrivals = append(arrivals, arrival{letter: l, marked: m.Header != nil && m.Header.DeliveryCount > 0, token: m})
	}
	return arrivals, nil
}

func (in *amqpInlet) settle(ctx context.Context, arrivals []arrival, confirm func(letter)) error {
	return together(arrivals, confirm, func(a arrival) error {
		switch m := a.token.(*amqp.Message); a.verdict {
		case pass:
			return in.link.RejectMessage(ctx, m, nil)
		case fail:
			return in.link.ModifyMessage(ctx, m, &amqp.ModifyMessageOptions{DeliveryFailed: true})
		default:
			return in.link.AcceptMessage(ctx, m)
		}
	})
}
