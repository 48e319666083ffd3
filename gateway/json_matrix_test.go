package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"
	"unicode/utf8"
)

// envelope is a message in JSON, as docs/http.md has it.
type envelope struct {
	Address         string         `json:"address,omitempty"`
	MessageID       string         `json:"messageId,omitempty"`
	CorrelationID   string         `json:"correlationId,omitempty"`
	ReplyTo         string         `json:"replyTo,omitempty"`
	Subject         string         `json:"subject,omitempty"`
	GroupID         string         `json:"groupId,omitempty"`
	ContentType     string         `json:"contentType,omitempty"`
	ContentEncoding string         `json:"contentEncoding,omitempty"`
	TTL             json.Number    `json:"ttl,omitempty"`
	Delay           json.Number    `json:"delay,omitempty"`
	Priority        *uint8         `json:"priority,omitempty"`
	Retain          bool           `json:"retain,omitempty"`
	Retained        bool           `json:"retained,omitempty"`
	Attempts        uint32         `json:"attempts,omitempty"`
	Properties      map[string]any `json:"properties,omitempty"`
	Body            *string        `json:"body,omitempty"`
	BodyBase64      []byte         `json:"bodyBase64,omitempty"`
}

// writeDraft writes a message as a request with Content-Type application/vnd.manifold+json.
func writeDraft(m fields) (http.Header, []byte) {
	return http.Header{"Content-Type": {"application/vnd.manifold+json"}}, marshal(draftOf(m))
}

func marshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // it is built of JSON's own types
	}
	return text
}

// draftOf writes what a sender may say.
func draftOf(m fields) envelope {
	e := envelope{
		ReplyTo: m.text(replyTo), Subject: m.text(subject), GroupID: m.text(groupID),
		ContentType: m.text(contentType), ContentEncoding: m.text(contentEncoding), Retain: m[retain] == true,
	}
	if m[messageID] != nil {
		e.MessageID = formatID(m[messageID])
	}
	if m[correlationID] != nil {
		e.CorrelationID = formatID(m[correlationID])
	}
	if life, ok := m[ttl].(time.Duration); ok {
		e.TTL = json.Number(fmt.Sprint(life.Seconds()))
	}
	if delay, ok := m[deliveryDelay].(int64); ok {
		e.Delay = json.Number(fmt.Sprint(float64(delay) / 1000))
	}
	if level, ok := m[priority].(uint8); ok {
		e.Priority = &level
	}
	for _, p := range m.distinct() {
		if e.Properties == nil {
			e.Properties = make(map[string]any)
		}
		if e.Properties[p.name] = jsonOf(p.value); p.value == nil {
			e.Properties[p.name] = "" // a sender has no null
		}
	}
	if body := m.body(); utf8.Valid(body) {
		e.Body = new(string(body))
	} else {
		e.BodyBase64 = body
	}
	return e
}

// readEnvelope reads a message in JSON.
func readEnvelope(text []byte) (fields, error) {
	var e envelope
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&e); err != nil {
		return nil, err
	}
	m := fields{dataBody: string(e.BodyBase64)}
	if e.Body != nil {
		m[dataBody] = *e.Body
	}
	for f, text := range map[field]string{
		address: e.Address, replyTo: e.ReplyTo, subject: e.Subject, groupID: e.GroupID,
		contentType: e.ContentType, contentEncoding: e.ContentEncoding,
	} {
		set(m, f, text, "")
	}
	set(m, messageID, parseID(e.MessageID), nil)
	set(m, correlationID, parseID(e.CorrelationID), nil)
	if left, err := e.TTL.Float64(); err == nil {
		m[ttl] = time.Duration(left * float64(time.Second))
	}
	if e.Priority != nil {
		m[priority] = *e.Priority
	}
	set(m, retain, e.Retained, false)
	set(m, deliveryCount, e.Attempts, 0)
	for name, value := range e.Properties {
		m.addProperty(name, value)
	}
	return m, nil
}

// streamReceiver watches a stream, which settles what it has written.
type streamReceiver struct {
	read func() ([]byte, error)
	end  context.CancelFunc
}

func newEventReceiver(t *testing.T, c *cell) receiver {
	ctx, end := c.streaming(t)
	events := c.http.stream(ctx, t, pathOf("default", c.address, "stream"))
	return &streamReceiver{events.next, end}
}

func newLineReceiver(t *testing.T, c *cell) receiver {
	ctx, end := c.streaming(t)
	return &streamReceiver{c.http.lines(ctx, t, pathOf("default", c.address, "stream")), end}
}

func (c *cell) streaming(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancel(c.ctx)
	t.Cleanup(end)
	return ctx, end
}

func (r *streamReceiver) next() <-chan fields {
	came := make(chan fields, 1)
	go func() {
		text, err := r.read()
		var m fields
		if err == nil {
			m, err = readEnvelope(text)
		}
		if err != nil {
			m = unread(err)
		}
		came <- m
	}()
	return came
}

func (r *streamReceiver) settle() error { return nil }

func (r *streamReceiver) leave() error {
	r.end()
	return nil
}
