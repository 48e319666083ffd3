package broker

import (
	"strings"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// The annotations of a message that left its queue dead or expired.
const (
	deathPrefix  = "x-opt-death-"
	deathQueue   = deathPrefix + "queue"   // that it left
	deathAddress = deathPrefix + "address" // that it was sent to
	deathReason  = deathPrefix + "reason"
	deathText    = deathPrefix + "text"  // what the consumer said of it
	deathTime    = deathPrefix + "time"  // when it left
	deathCount   = deathPrefix + "count" // of failed deliveries
)

// originOf gives the queue that a message left and the address that it was sent to; they are empty if it does not say.
func originOf(m router.Message) (queue, address string) {
	text := func(key string) string {
		value, _ := m.MessageAnnotations().Lookup(key)
		t, _ := value.Text()
		return string(t)
	}
	return text(deathQueue), text(deathAddress)
}

// withoutDeath gives a message without these annotations.
func withoutDeath(m router.Message) router.Message {
	s := m.Sections()
	w := amqp.BeginMessageAnnotations(nil)
	for k, v := range m.MessageAnnotations().All() {
		if text, ok := k.Text(); !ok || !strings.HasPrefix(string(text), deathPrefix) {
			w.Pair(k, v)
		}
	}
	encoded := append([]byte(nil), s.Header...)
	encoded = append(encoded, s.DeliveryAnnotations...)
	if w.Len() > 0 {
		encoded = append(encoded, w.End()...)
	}
	encoded = append(encoded, s.Bare()...)
	return amqp.Trusted(append(encoded, s.Footer...))
}
