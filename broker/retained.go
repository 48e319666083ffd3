package broker

import (
	"fmt"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// retained holds one message per topic name. It is kept in memory, within limits, and mirrored in the store.
type retained struct {
	messages map[addressing.Address]router.Delivery
	bytes    int64
	maxCount int
	maxBytes int64
}

func newRetained(maxCount int, maxBytes int64) retained {
	return retained{
		messages: make(map[addressing.Address]router.Delivery),
		maxCount: maxCount, maxBytes: maxBytes,
	}
}

// isEmpty tells whether a retained message is one that takes the retained message away: MQTT 5 [3.3.1.3].
func isEmpty(d router.Delivery) bool {
	payload, _, ok := d.Message.Body().Payload()
	return ok && len(payload) == 0
}

// put replaces the message of a topic name, or takes it away. It is refused beyond the limits.
func (r *retained) put(d router.Delivery) (refusal router.Outcome, ok bool) {
	old, replaced := r.messages[d.To]
	if isEmpty(d) {
		r.bytes -= int64(old.Message.Len())
		delete(r.messages, d.To)
		return router.Outcome{}, true
	}
	bytes := r.bytes - int64(old.Message.Len()) + int64(d.Message.Len())
	if !replaced && len(r.messages) >= r.maxCount || bytes > r.maxBytes {
		return router.Reject(router.Quota, "too many retained messages (maxRetained, maxRetainedBytes)"), false
	}
	r.bytes = bytes
	r.messages[d.To] = d.Unowned()
	return router.Outcome{}, true
}

func (r *retained) get(a addressing.Address) (router.Delivery, bool) {
	d, ok := r.messages[a]
	return d, ok
}

// match gives the topic names with a retained message that a filter selects.
func (r *retained) match(f addressing.Filter) []addressing.Address {
	if a, literal := f.Literal(); literal {
		if _, ok := r.messages[a]; ok {
			return []addressing.Address{a}
		}
		return nil
	}
	var names []addressing.Address
	for a := range r.messages {
		if f.Matches(a) {
			names = append(names, a)
		}
	}
	return names
}

// recoverRetained loads a tenant's retained messages. What cannot be read is reported and left on disk.
func (t *topics) recoverRetained() {
	err := t.broker.store.EachRetained(t.tenant, "", func(topic string, flags byte, value []byte) error {
		d, err := parseRecord(flags, value)
		if err != nil {
			return fmt.Errorf("retained message of %s: %w", topic, err)
		}
		t.retained.put(d)
		return nil
	})
	if err != nil {
		t.broker.log.Error("retained messages cannot be read and are set aside", "tenant", t.tenant, "err", err)
	}
}
