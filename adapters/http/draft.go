package http

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// typeEnvelope is the media type of one message as a JSON object, so that a body of plain JSON stays a body.
const typeEnvelope = "application/vnd.manifold+json"

// draft is a message as a client writes it in JSON. Its members are those of an envelope that a sender decides.
type draft struct {
	MessageID       string         `json:"messageId"`
	CorrelationID   string         `json:"correlationId"`
	ReplyTo         string         `json:"replyTo"`
	Subject         string         `json:"subject"`
	GroupID         string         `json:"groupId"`
	ContentType     string         `json:"contentType"`
	ContentEncoding string         `json:"contentEncoding"`
	TTL             json.Number    `json:"ttl"`
	Delay           json.Number    `json:"delay"`
	Priority        *uint8         `json:"priority"`
	Retain          bool           `json:"retain"`
	Properties      map[string]any `json:"properties"`

	Body       json.RawMessage `json:"body"` // a string is the payload; any other value is sent as its JSON
	BodyBase64 []byte          `json:"bodyBase64"`
}

// parcel is a message with its body, ready to be sent.
type parcel struct {
	letter *letter
	body   []byte
}

// readDraft reads a message that is sent to an address. The error is a *router.Error; a member that it does not know is
// one, so that a misspelt one is not lost silently.
func readDraft(text []byte, to addressing.Address) (parcel, error) {
	var d draft
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	err := decoder.Decode(&d)
	if err == nil {
		if _, err = decoder.Token(); err == io.EOF {
			err = nil
		} else {
			err = errors.New("more follows than one JSON object")
		}
	}
	if err != nil {
		return parcel{}, router.Errorf(router.Malformed, "not a message in JSON: %v", err)
	}
	l := newLetter(to)
	if err := d.fill(l); err != nil {
		return parcel{}, err
	}
	body, err := d.payload(l)
	return parcel{l, body}, err
}

// fill takes over everything but the body.
func (d *draft) fill(l *letter) (err error) {
	p := &l.properties
	p.ReplyTo, p.Subject, p.GroupID = d.ReplyTo, d.Subject, d.GroupID
	if p.MessageID, err = amqp.ParseID(d.MessageID); err != nil {
		return router.Errorf(router.Malformed, "messageId: %v", err)
	}
	if p.CorrelationID, err = amqp.ParseID(d.CorrelationID); err != nil {
		return router.Errorf(router.Malformed, "correlationId: %v", err)
	}
	if p.ContentType, err = readSymbol("", "contentType", d.ContentType); err != nil {
		return err
	}
	if p.ContentEncoding, err = readSymbol("", "contentEncoding", d.ContentEncoding); err != nil {
		return err
	}
	if d.TTL != "" {
		if l.ttl, err = readSeconds("ttl", d.TTL.String()); err != nil {
			return err
		}
	}
	if d.Delay != "" {
		if l.delay, err = readSeconds("delay", d.Delay.String()); err != nil {
			return err
		}
	}
	if d.Priority != nil {
		if l.priority = *d.Priority; l.priority > maxPriority {
			return router.Errorf(router.Malformed, "priority: want an integer from 0 to %d", maxPriority)
		}
	}
	l.retain = d.Retain
	for _, name := range slices.Sorted(maps.Keys(d.Properties)) {
		value, err := propertyValue(name, d.Properties[name])
		if err != nil {
			return err
		}
		l.pairs = append(l.pairs, pair{name, value})
	}
	return nil
}

// propertyValue gives the value of an application property, which is of a simple type [AMQP 1.0, 3.2.5].
func propertyValue(name string, value any) (any, error) {
	switch value := value.(type) {
	case string, bool:
		return value, nil
	case json.Number:
		if n, err := value.Int64(); err == nil {
			return n, nil
		}
		if x, err := value.Float64(); err == nil && !math.IsInf(x, 0) {
			return x, nil
		}
	}
	return nil, router.Errorf(router.Malformed, "properties: %q is neither a string, a number nor a boolean", name)
}

// payload gives the body, and the content type of one that is JSON if the draft does not say.
func (d *draft) payload(l *letter) ([]byte, error) {
	switch {
	case d.Body != nil && d.BodyBase64 != nil:
		return nil, router.Errorf(router.Malformed, "body, bodyBase64: want one of the two")
	case len(d.Body) == 0:
		return d.BodyBase64, nil
	case d.Body[0] == '"':
		var text string
		if err := json.Unmarshal(d.Body, &text); err != nil {
			return nil, router.Errorf(router.Malformed, "body: %v", err)
		}
		return []byte(text), nil
	}
	if l.properties.ContentType == "" {
		l.properties.ContentType = "application/json"
	}
	return d.Body, nil
}
