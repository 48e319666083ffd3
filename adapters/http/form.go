package http

import (
	"encoding/json"
	"fmt"
	nethttp "net/http"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// Form is how a message is written into a request that carries it to somebody else's server.
type Form uint8

// The forms. In each of them the headers say of the message what they say in an answer to a receive.
const (
	Plain      Form = iota // the body is the payload
	Binary                 // a CloudEvent in binary mode: the body is the payload, and the attributes are headers
	Structured             // a CloudEvent in structured mode: the body is one JSON object
)

var formNames = [...]string{"plain", "binary", "structured"}

// String gives the form's name, as settings show it.
func (f Form) String() string { return formNames[f] }

// UnmarshalText reads the name of a form.
func (f *Form) UnmarshalText(text []byte) error {
	for i, name := range formNames {
		if string(text) == name {
			*f = Form(i)
			return nil
		}
	}
	return fmt.Errorf("%.40q is not one of %s", text, strings.Join(formNames[:], ", "))
}

// Origin is what a CloudEvent says of a message that says nothing itself (CloudEvents 1.0.2, "Required Attributes").
type Origin struct {
	ID     string // that no other message has
	Tenant string
}

// Write writes a message into the headers of a request and gives its body, which may be borrowed from the message. A
// message that is a CloudEvent already goes on with the attributes that it has.
func (f Form) Write(h nethttp.Header, d *router.Delivery, from Origin, now time.Time) (body []byte) {
	opened := read(d)
	opened.writeHeaders(h, now)
	if f == Plain || strings.HasPrefix(opened.contentType, typeEvent) {
		return opened.body
	}
	attributes := opened.attributes(from)
	if f == Binary {
		for name, value := range attributes {
			h.Set(headerEvent+name, escape(value, inAttribute))
		}
		return opened.body
	}
	for name := range h {
		if strings.HasPrefix(name, headerEvent) {
			h.Del(name)
		}
	}
	h.Del("Content-Encoding")
	h.Set("Content-Type", typeEvent+"; charset=utf-8")
	return opened.structured(attributes)
}

// eventType is the type of a CloudEvent made of a message that is none.
const eventType = "manifold.message"

// attributes gives those of the message as a CloudEvent.
func (r *reading) attributes(from Origin) map[string]string {
	all := map[string]string{
		"specversion": "1.0",
		"id":          from.ID,
		"source":      visible("/v1/" + from.Tenant + "/" + string(r.delivery.To)),
		"type":        eventType,
	}
	if r.properties.Subject != "" {
		all["subject"] = r.properties.Subject
	}
	if at := r.properties.CreationTime; at != 0 {
		all["time"] = formatExpiry(time.UnixMilli(int64(at)))
	}
	if !r.isEvent() {
		return all
	}
	for name, value := range r.delivery.Message.ApplicationProperties() {
		if header, ok := eventHeader(name); ok {
			all[strings.ToLower(strings.TrimPrefix(header, headerEvent))] = amqp.ValueText(value)
		}
	}
	return all
}

// structured gives the event as one JSON object (CloudEvents JSON format 1.0.2, section 3.1): data that is JSON as it is, text as
// a string, all else in base64.
func (r *reading) structured(attributes map[string]string) []byte {
	event := make(map[string]any, len(attributes)+2)
	for name, value := range attributes {
		event[name] = value
	}
	if r.contentType != "" {
		event["datacontenttype"] = r.contentType
	}
	if r.properties.ContentEncoding != "" {
		event["contentencoding"] = r.properties.ContentEncoding
	}
	switch encoded := r.properties.ContentEncoding != ""; {
	case len(r.body) == 0:
	case !encoded && isJSON(r.contentType) && json.Valid(r.body):
		event["data"] = json.RawMessage(r.body)
	case !encoded && r.isText():
		event["data"] = string(r.body)
	default:
		event["data_base64"] = r.body
	}
	return encodeJSON(event)
}

// isJSON tells whether a content type is that of JSON.
func isJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == typeJSON || strings.HasSuffix(media, "+json")
}
