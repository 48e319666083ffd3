package load

import (
	"context"
	"fmt"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// amqpOutlet sends on one link, settled or unsettled, as far as the server gives credit.
type amqpOutlet struct {
	amqpLine
	config    Config
	name      string
	address   string
	link      *engine.Link
	publisher *publisher
	messages  [][]byte   // encoded once; only the stamps change
	payloads  [][]byte   // of messages, within them
	underWay  []underWay // by number modulo the window
}

// underWay is a message that has no answer yet, and the token that its answer is told by.
type underWay struct {
	number uint64
	due    time.Duration
}

var _ outlet = (*amqpOutlet)(nil)

func newAMQPOutlet(r *run, i int, p *publisher) *amqpOutlet {
	c := r.config
	o := &amqpOutlet{
		config: c, name: r.clientID("p", i), address: c.publishTopic(i), publisher: p,
		messages: make([][]byte, p.batch), payloads: make([][]byte, p.batch), underWay: make([]underWay, c.Window),
	}
	for k := range o.messages {
		o.messages[k] = appendPayload(amqpHead(c), c.PayloadSize, r.id, uint32(i))
		o.payloads[k] = o.messages[k][len(o.messages[k])-c.PayloadSize:]
	}
	return o
}

// amqpHead is what stands before the payload of a message: a header if that has something to say, and the beginning of
// a data section.
func amqpHead(c Config) []byte {
	var head []byte
	if c.Durable {
		head = amqp.Header{Durable: true, Priority: amqp.DefaultPriority}.Append(head)
	}
	empty := amqp.AppendData(nil, make([]byte, c.PayloadSize))
	return append(head, empty[:len(empty)-c.PayloadSize]...)
}

// connect implements line. It returns when the link has credit: some servers give none before somebody listens.
func (o *amqpOutlet) connect(ctx context.Context) error {
	const buffer = 8 << 10
	if err := o.open(ctx, o.config.amqpDoor(buffer, 1), o.name, o); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	mode := frame.SendSettled
	if o.config.PublishQoS == 1 {
		mode = frame.SendUnsettled
	}
	o.link = o.session.Attach(frame.Attach{Name: o.name, SenderSettleMode: mode,
		Source: &frame.Source{Address: o.name}, Target: &frame.Target{Address: o.address}})
	if o.link == nil {
		return errNoLink
	}
	if err := o.flush(); err != nil {
		return fmt.Errorf("attach: %w", broken(err))
	}
	if err := o.await(ctx, func() bool { return o.link.Credit() > 0 }); err != nil {
		return fmt.Errorf("credit for sending to %s: %w", o.address, err)
	}
	return nil
}

// write implements outlet. It returns when all is written, so that the messages can be used again.
func (o *amqpOutlet) write(n int, first uint64, due schedule) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	sent := 0
	for sent < n || o.link.Unwritten() > 0 {
		for sent < n && o.link.Credit() > 0 {
			s := first + uint64(sent)
			token := &o.underWay[s%uint64(len(o.underWay))]
			*token = underWay{number: s, due: due.at(sent)}
			number(o.payloads[sent], s, token.due)
			if err := o.link.Send(engine.Delivery{Payload: o.messages[sent], Token: token}); err != nil {
				return err
			}
			sent++
		}
		if err := o.flush(); err != nil {
			return err
		}
		if o.fault != nil {
			return o.fault
		}
		if sent < n && o.link.Credit() == 0 || o.link.Unwritten() > 0 {
			o.fed.Wait()
		}
	}
	return nil
}

// listen implements line: it takes credit and settlements.
func (o *amqpOutlet) listen() error {
	for {
		if err := o.digest(o.reader.next()); err != nil {
			return err
		}
		if a := o.publisher.acks; a != nil {
			a.advance()
		}
	}
}

// Progressed implements engine.Handler.
func (o *amqpOutlet) Progressed(_ *engine.Link, u engine.Update) {
	if u.Progress == engine.Settled {
		taken := u.State != nil && u.State.Kind == frame.Accepted
		message := u.Token.(*underWay)
		o.publisher.answered(message.number, taken, message.due)
	}
}
