package load

import (
	"cmp"
	"context"
	"fmt"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// amqpInlet receives on a link for each address it listens to, and accepts what is unsettled.
type amqpInlet struct {
	amqpLine
	config     Config
	name       string
	addresses  []string
	subscriber *subscriber
}

var _ line = (*amqpInlet)(nil)

func newAMQPInlet(r *run, i int, s *subscriber) *amqpInlet {
	return &amqpInlet{config: r.config, name: r.clientID("s", i), addresses: r.config.filters(i), subscriber: s}
}

// arrival is the head of a large message whose end has not come; the Context of a link.
type arrival struct{ head [MinPayload]byte }

// connect implements line. It returns when all links are attached.
func (in *amqpInlet) connect(ctx context.Context) error {
	c := in.config
	door := c.amqpDoor(c.readBuffer(), c.readAhead())
	door.address = cmp.Or(c.From, door.address)
	if err := in.open(ctx, door, in.name, in); err != nil {
		return err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	mode := frame.SendSettled
	if c.SubscribeQoS == 1 {
		mode = frame.SendMixed
	}
	for k, a := range in.addresses {
		name := fmt.Sprintf("%s-%d", in.name, k)
		link := in.session.Attach(frame.Attach{Name: name, Role: frame.Receiver, SenderSettleMode: mode,
			Source: &frame.Source{Address: a}, Target: &frame.Target{Address: name}})
		if link == nil {
			return errNoLink
		}
		link.Context = &arrival{}
		link.Stream()
		link.Grant(2 * c.Outstanding) // the server hears of more when half of it is used
	}
	if err := in.flush(); err != nil {
		return fmt.Errorf("attach: %w", broken(err))
	}
	if err := in.await(ctx, func() bool { return in.attached == len(in.addresses) }); err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	return nil
}

// Received implements engine.Handler. Of a message that comes in pieces only the head is kept.
func (in *amqpInlet) Received(l *engine.Link, t *engine.Transfer) {
	a := l.Context.(*arrival)
	if t.First {
		clear(a.head[:])
		copy(a.head[:], bodyOf(t.Payload))
	}
	if !t.Last {
		return
	}
	if !t.Aborted {
		in.subscriber.take(a.head[:])
	}
	if !t.Settled {
		l.Settle(t.ID, frame.State{Kind: frame.Accepted})
	}
	l.Grant(1)
}

// listen implements line.
func (in *amqpInlet) listen() error {
	for {
		p, err := in.reader.next()
		in.subscriber.begin()
		if err := in.digest(p, err); err != nil {
			return err
		}
		in.subscriber.end()
	}
}

// bodyOf gives the content of the data section of a message, or as much of it as there is in the first piece; nil for
// a body of another kind.
func bodyOf(message []byte) []byte {
	const binary8, binary32 = 2, 5 // octets before the content
	d := amqp.NewDecoder(message)
	for d.Err() == nil && d.Len() > 0 {
		switch d.ReadDescriptor() {
		case amqp.DescriptorData:
			content := message[d.Offset():]
			head := binary32
			if d.Peek() == amqp.CodeBinary8 {
				head = binary8
			}
			return content[min(head, len(content)):]
		case amqp.DescriptorSequence, amqp.DescriptorValue:
			return nil
		}
		d.Skip()
	}
	return nil
}
