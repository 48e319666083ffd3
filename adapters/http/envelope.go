package http

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// envelope is a message as one JSON object, in batches and in event streams. It has either body, whose UTF-8 is the
// payload, or bodyBase64 (RFC 4648 section 4).
type envelope struct {
	Location    string `json:"location,omitempty"`
	LockToken   string `json:"lockToken,omitempty"`
	LockExpires string `json:"lockExpires,omitempty"`

	Address         string         `json:"address"`
	MessageID       string         `json:"messageId,omitempty"`
	CorrelationID   string         `json:"correlationId,omitempty"`
	ReplyTo         string         `json:"replyTo,omitempty"`
	Subject         string         `json:"subject,omitempty"`
	GroupID         string         `json:"groupId,omitempty"`
	ContentType     string         `json:"contentType,omitempty"`
	ContentEncoding string         `json:"contentEncoding,omitempty"`
	TTL             json.Number    `json:"ttl,omitempty"`
	Priority        *uint8         `json:"priority,omitempty"`
	Retained        bool           `json:"retained,omitempty"`
	Attempts        uint32         `json:"attempts,omitempty"`
	Death           *death         `json:"death,omitempty"`
	Properties      map[string]any `json:"properties,omitempty"`
	Body            *string        `json:"body,omitempty"`
	BodyBase64      []byte         `json:"bodyBase64,omitempty"`
}

// envelope gives the message as a JSON object without a lock.
func (r *reading) envelope(now time.Time) envelope {
	p := &r.properties
	e := envelope{
		Address:         string(r.delivery.To),
		MessageID:       amqp.FormatID(p.MessageID),
		CorrelationID:   amqp.FormatID(p.CorrelationID),
		ReplyTo:         p.ReplyTo,
		Subject:         p.Subject,
		GroupID:         p.GroupID,
		ContentType:     r.contentType,
		ContentEncoding: p.ContentEncoding,
		Retained:        r.delivery.Retained,
		Attempts:        r.delivery.Attempts,
		Death:           r.death(),
	}
	if ttl, ok := r.ttl(now); ok {
		e.TTL = json.Number(ttl)
	}
	if r.header.Priority != amqp.DefaultPriority {
		e.Priority = &r.header.Priority
	}
	for name, value := range r.delivery.Message.ApplicationProperties() {
		if e.Properties == nil {
			e.Properties = make(map[string]any)
		}
		e.Properties[name] = amqp.JSONValue(value)
	}
	for name, value := range router.TraceFields(r.delivery.Message) {
		if e.Properties == nil {
			e.Properties = make(map[string]any)
		}
		e.Properties[name] = value
	}
	if r.isText() || len(r.body) == 0 {
		text := string(r.body)
		e.Body = &text
	} else {
		e.BodyBase64 = r.body
	}
	return e
}

// encodeJSON writes one JSON value on one line, with '<' and '&' as they are: it goes to programs, not into HTML.
func encodeJSON(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err) // every value that gets here was built of JSON's own types
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
