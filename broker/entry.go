package broker

import (
	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// entryOf gives what a queue has to know of a delivery. The message group is among it even if the queue does not look
// at groups yet; the key is what the rules or the facts on disk say.
func entryOf(d router.Delivery, key string) queue.Entry {
	e := queue.Entry{
		Size: d.Message.Len(), Priority: queue.DefaultPriority, Expires: d.Expires, Due: d.Due, Key: key,
	}
	if h, err := d.Message.Header(); err == nil {
		e.Priority = h.Priority
	}
	group, _ := d.Message.Property(amqp.PropertyGroupID).Text()
	e.Group = string(group)
	return e
}

// keyOf gives a message's last-value key: the value of the property that the rules name, as it is encoded unless it is
// text. A message without that property has none.
func (r *rules) keyOf(m router.Message) string {
	if r.lastValue == "" {
		return ""
	}
	value, _ := m.ApplicationPropertiesView().Lookup(r.lastValue)
	if text, ok := value.Text(); ok {
		return string(text)
	}
	return string(value)
}
