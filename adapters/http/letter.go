package http

import (
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// letter is a message as a client describes it, without its body.
type letter struct {
	properties amqp.Properties
	ttl        uint32 // milliseconds, 0 for ever
	delay      uint32 // milliseconds until it may be delivered
	priority   uint8
	retain     bool
	pairs      []pair
}

// newLetter gives a letter that says nothing but where it goes.
func newLetter(to addressing.Address) *letter {
	return &letter{priority: amqp.DefaultPriority, properties: amqp.Properties{To: string(to)}}
}

// pair is one application property. Its value is a text, a bool, an int64 or a float64.
type pair struct {
	name  string
	value any
}

// goesTo checks that the address of a sender can do what the letter asks of it.
func (l *letter) goesTo(sender *router.Sender) error {
	if l.delay > 0 && !stores(sender.Kind()) {
		return router.Errorf(router.Unsupported,
			"header %s: %s is of kind %s, which keeps nothing for later", headerDelay, sender.Address(), sender.Kind())
	}
	return nil
}

// delivery encodes the letter with its body. settled is whether its sender wants no acknowledgement: only a message
// that somebody waits for is marked durable. The body is copied.
func (l *letter) delivery(body []byte, settled bool, now time.Time) (router.Delivery, error) {
	const overhead = 128 // more than what encloses the texts of a letter without properties
	size := overhead + len(body) + len(l.properties.To) + len(l.properties.Subject) + len(l.properties.ContentType)
	for _, p := range l.pairs {
		size += len(p.name) + 10
		if text, ok := p.value.(string); ok {
			size += len(text)
		}
	}
	header := amqp.Header{Durable: !settled, Priority: l.priority, TTL: l.ttl}
	b := make([]byte, 0, size)
	if header != (amqp.Header{Priority: amqp.DefaultPriority}) {
		b = header.Append(b)
	}
	b = l.properties.Append(b)
	if len(l.pairs) > 0 {
		properties := amqp.BeginApplicationProperties(b)
		for _, p := range l.pairs {
			if err := properties.Any(p.name, p.value); err != nil {
				return router.Delivery{}, noForm(err)
			}
		}
		b = properties.End()
	}
	m, err := amqp.ParseMessage(amqp.AppendData(b, body))
	if err != nil {
		return router.Delivery{}, noForm(err)
	}
	d := router.Delivery{Message: m, Settled: settled, Retain: l.retain}
	if l.ttl > 0 {
		d.Expires = now.UnixMilli() + int64(l.ttl)
	}
	if l.delay > 0 {
		d.Due = now.UnixMilli() + int64(l.delay)
	}
	return d, nil
}

func noForm(err error) error {
	return router.Errorf(router.Malformed, "the message has no AMQP form: %v", err)
}
