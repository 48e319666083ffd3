package client

import (
	"strings"
	"unicode"

	"github.com/Azure/go-amqp"
)

// field is one thing that a message says about itself, under the name that the standard gives it.
type field struct {
	name  string
	value any
}

// header gives the fields of the header that are not at their default [AMQP 1.0, part 3, 3.2.1].
func header(m *amqp.Message) []field {
	h := m.Header
	if h == nil {
		return nil
	}
	var fields []field
	add := func(given bool, name string, value any) {
		if given {
			fields = append(fields, field{name, value})
		}
	}
	add(h.Durable, "durable", true)
	add(h.Priority != defaultPriority, "priority", h.Priority)
	add(h.TTL > 0, "ttl", h.TTL.Milliseconds())
	add(h.FirstAcquirer, "first-acquirer", true)
	add(h.DeliveryCount > 0, "delivery-count", h.DeliveryCount)
	return fields
}

// properties gives the properties that are set [AMQP 1.0, part 3, 3.2.4].
func properties(m *amqp.Message) []field {
	p := m.Properties
	if p == nil {
		return nil
	}
	var fields []field
	if p.MessageID != nil {
		fields = append(fields, field{"message-id", p.MessageID})
	}
	if len(p.UserID) > 0 {
		fields = append(fields, field{"user-id", userID(p.UserID)})
	}
	fields = appendSet(fields, "to", p.To)
	fields = appendSet(fields, "subject", p.Subject)
	fields = appendSet(fields, "reply-to", p.ReplyTo)
	if p.CorrelationID != nil {
		fields = append(fields, field{"correlation-id", p.CorrelationID})
	}
	fields = appendSet(fields, "content-type", p.ContentType)
	fields = appendSet(fields, "content-encoding", p.ContentEncoding)
	fields = appendSet(fields, "absolute-expiry-time", p.AbsoluteExpiryTime)
	fields = appendSet(fields, "creation-time", p.CreationTime)
	fields = appendSet(fields, "group-id", p.GroupID)
	fields = appendSet(fields, "group-sequence", p.GroupSequence)
	return appendSet(fields, "reply-to-group-id", p.ReplyToGroupID)
}

func appendSet[T any](fields []field, name string, value *T) []field {
	if value == nil {
		return fields
	}
	return append(fields, field{name, *value})
}

// userID gives a user's name as text, if that is what it is.
func userID(id []byte) any {
	if text := string(id); isPlain(text) {
		return text
	}
	return id
}

// isPlain tells whether a text can be shown as it is.
func isPlain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) })
}

// addressOf is where a message was sent to: a receiver that takes from a filter learns it from the message alone.
func addressOf(m *amqp.Message, source string) string {
	if m.Properties != nil && m.Properties.To != nil {
		return *m.Properties.To
	}
	return source
}
