package mqtt

import (
	"fmt"
	"unicode/utf8"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// The mapping, both ways (docs/mqtt.md has it as a table):
//
//	topic                    properties.to, and the delivery's address
//	payload                  one data section; an amqp-value string when Payload Format Indicator says text
//	Message Expiry Interval  header.ttl, and the delivery's expiry
//	Content Type             properties.content-type; annotation x-opt-mqtt-content-type if it is not ASCII
//	Response Topic           properties.reply-to
//	Correlation Data         properties.correlation-id (binary)
//	User Properties          application properties; further values of a name in annotation x-opt-user-properties
//	traceparent, tracestate  likewise; without them, the annotations of these names
//	RETAIN, QoS 0            the delivery's Retain and Settled
//	QoS 2                    annotation x-opt-mqtt-qos

// repeatedProperties is the message annotation that holds all user properties, in order, as name, value, name, value,
// when a name occurs twice: application properties are a map and could not.
const repeatedProperties = "x-opt-user-properties"

// wideContentType is the message annotation that holds a Content Type which is not ASCII, as content-type has to be [3.2.4].
const wideContentType = "x-opt-mqtt-content-type"

// publishedQoS is the message annotation that tells MQTT subscribers that a message was published with QoS 2.
const publishedQoS = "x-opt-mqtt-qos"

// encodingRoom is what the encoding of a message takes beyond its variable fields, at most and for sure.
const encodingRoom = 64

// encode makes a message of a publish to a. It fails when the payload is not the text that it claims to be.
func encode(a addressing.Address, payload []byte, p *session.Properties, qos byte) (router.Message, bool) {
	if p.Text && !utf8.Valid(payload) {
		return router.Message{}, false
	}
	size := encodingRoom + len(a) + len(payload) + len(p.ContentType) + len(p.ResponseTopic) + len(p.CorrelationData) +
		2*len(p.User)
	b := make([]byte, 0, size)
	if p.Expires {
		h := amqp.Header{Priority: amqp.DefaultPriority, TTL: uint32(min(uint64(p.Expiry)*1000, 1<<32-1))}
		b = h.Append(b)
	}
	wide := !isASCII(p.ContentType)
	if again := len(p.User) > 0 && repeats(p.User); again || wide || qos == 2 {
		b = appendAnnotations(b, p, again, wide, qos)
	}
	fields := amqp.Properties{To: string(a), ReplyTo: string(p.ResponseTopic)}
	if !wide {
		fields.ContentType = string(p.ContentType)
	}
	if p.CorrelationData != nil {
		fields.CorrelationID = p.CorrelationData
	}
	b = fields.Append(b)
	if len(p.User) > 0 {
		b = appendUser(b, p.User)
	}
	if p.Text {
		b = amqp.AppendValueString(b, string(payload))
	} else {
		b = amqp.AppendData(b, payload)
	}
	return amqp.Trusted(b), true
}

func isASCII(text []byte) bool {
	for _, b := range text {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// repeats tells whether a name occurs twice.
func repeats(user session.UserProperties) bool {
	seen := make(map[string]bool)
	for name := range user.All() {
		if seen[string(name)] {
			return true
		}
		seen[string(name)] = true
	}
	return false
}

// appendUser writes application properties, each name with its first value.
func appendUser(b []byte, user session.UserProperties) []byte {
	m := amqp.BeginApplicationProperties(b)
	seen := make(map[string]bool)
	for name, value := range user.All() {
		if !seen[string(name)] {
			seen[string(name)] = true
			m.String(string(name), string(value))
		}
	}
	return m.End()
}

// appendAnnotations writes what AMQP has no other place for.
func appendAnnotations(b []byte, p *session.Properties, repeated, wide bool, qos byte) []byte {
	m := amqp.BeginMessageAnnotations(b)
	if wide {
		m.String(wideContentType, string(p.ContentType))
	}
	if qos == 2 {
		m.Uint(publishedQoS, 2)
	}
	if repeated {
		var all amqp.List
		for name, value := range p.User.All() {
			all = append(all, string(name), string(value))
		}
		if err := m.Any(repeatedProperties, all); err != nil {
			panic(fmt.Sprintf("a list of strings has no encoding: %v", err))
		}
	}
	return m.End()
}

// exactlyOnce tells whether a message was published with QoS 2.
func exactlyOnce(m router.Message) bool {
	raw, ok := m.MessageAnnotations().Lookup(publishedQoS)
	if !ok {
		return false
	}
	qos, ok := raw.Value().(uint32)
	return ok && qos == 2
}

// decode fills a publication with what a delivery says beside its topic, as far as the client's version has a place for it. left is for
// how many seconds more it is wanted, 0 for ever. It fails when the message cannot be read.
func decode(d *router.Delivery, version byte, left uint32, p *session.Publication) bool {
	payload, text, ok := d.Message.Body().Payload()
	if !ok {
		payload, text = d.Message.Body().JSON(), true
	}
	p.Payload = payload
	if version < 5 {
		return true
	}
	p.Properties.Text = text
	p.Properties.Expires, p.Properties.Expiry = left > 0, left
	fields, err := d.Message.Properties()
	if err != nil {
		return false
	}
	p.Properties.ContentType = contentType(d.Message, &fields)
	if !ok {
		p.Properties.ContentType = []byte("application/json")
	}
	p.Properties.ResponseTopic = optional(fields.ReplyTo)
	p.Properties.CorrelationData = correlation(fields.CorrelationID)
	p.Properties.User = userProperties(d.Message)
	for name, value := range router.TraceFields(d.Message) {
		p.Properties.User.Append(name, value)
	}
	return true
}

// contentType gives a Content Type from either of its places.
func contentType(m router.Message, fields *amqp.Properties) []byte {
	if fields.ContentType != "" {
		return []byte(fields.ContentType)
	}
	raw, ok := m.MessageAnnotations().Lookup(wideContentType)
	if !ok {
		return nil
	}
	text, _ := raw.Value().(string)
	return optional(text)
}

func optional(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

// correlation gives an AMQP message id of any of its types [3.2.11 to 3.2.14] as Correlation Data.
func correlation(id any) []byte {
	switch id := id.(type) {
	case nil:
		return nil
	case []byte:
		return id
	default:
		return fmt.Append(nil, id)
	}
}

func userProperties(m router.Message) (user session.UserProperties) {
	if all, ok := repeated(m); ok {
		for i := 0; i+1 < len(all); i += 2 {
			user.Append(fmt.Sprint(all[i]), fmt.Sprint(all[i+1]))
		}
		return user
	}
	for name, value := range m.ApplicationProperties() {
		user.Append(name, amqp.ValueText(value))
	}
	return user
}

func repeated(m router.Message) (amqp.List, bool) {
	raw, ok := m.MessageAnnotations().Lookup(repeatedProperties)
	if !ok {
		return nil, false
	}
	all, ok := raw.Value().(amqp.List)
	return all, ok
}
