package coap

import (
	"hash/fnv"
	"strconv"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// reading is a delivery opened for a client of CoAP.
type reading struct {
	delivery   *router.Delivery
	header     amqp.Header
	properties amqp.Properties
	format     int
	body       []byte // borrowed from the message where possible
}

// read opens a delivery. A section with a field of a wrong type is taken as far as it can be read: its sender was let in
// with it, and the body is still what the client came for.
func read(d *router.Delivery) reading {
	r := reading{delivery: d}
	r.header, _ = d.Message.Header()
	r.properties, _ = d.Message.Properties()
	body := d.Message.Body()
	payload, text, ok := body.Payload()
	r.body = payload
	switch {
	case !ok:
		r.body, r.format = body.JSON(), int(message.AppJSON)
		r.properties.ContentType, r.properties.ContentEncoding = contentOf(r.format)
	case text && r.properties.ContentType == "":
		r.format = int(message.TextPlain)
	default:
		r.format = formatOf(r.properties.ContentType, r.properties.ContentEncoding)
	}
	return r
}

// framing is what an answer says of a message besides its body.
type framing struct {
	tag      []byte // ETag
	location string // Location-Path, with "/" between levels
	meta     bool   // every field of the message, in Location-Query
	queries  []string
}

// response gives the message as an answer.
func (r *reading) response(now time.Time, code codes.Code, f framing) session.Response {
	o := make(options, 0, 4)
	if len(f.tag) > 0 {
		o = append(o, message.Option{ID: message.ETag, Value: f.tag})
	}
	if f.location != "" {
		o.path(f.location)
	}
	if r.format != noFormat {
		o.number(message.ContentFormat, uint32(r.format))
	}
	if r.delivery.Expires > 0 {
		left := time.UnixMilli(r.delivery.Expires).Sub(now)
		if r.header.TTL > 0 { // now may be a little before the message came
			left = min(left, time.Duration(r.header.TTL)*time.Millisecond)
		}
		o.seconds(message.MaxAge, left)
	}
	for _, q := range f.queries {
		o.text(message.LocationQuery, q)
	}
	if f.meta {
		r.meta(&o)
	}
	return session.Response{Code: code, Options: message.Options(o), Body: r.body}
}

// meta adds the fields that no option has a place for.
func (r *reading) meta(o *options) {
	put := func(name, value string) {
		if value != "" && len(name)+1+len(value) <= maxText {
			o.text(message.LocationQuery, name+"="+value)
		}
	}
	p := &r.properties
	put(fieldAddress, string(r.delivery.To))
	put(fieldMessageID, amqp.FormatID(p.MessageID))
	put(fieldCorrelationID, amqp.FormatID(p.CorrelationID))
	put(fieldReplyTo, p.ReplyTo)
	put(fieldSubject, p.Subject)
	put(fieldGroupID, p.GroupID)
	put(fieldUserID, string(p.UserID))
	if kind, encoding := contentOf(r.format); kind != p.ContentType || encoding != p.ContentEncoding {
		put(fieldContentType, p.ContentType)
		put(fieldContentEncoding, p.ContentEncoding)
	}
	if r.header.Priority != amqp.DefaultPriority {
		put(fieldPriority, strconv.Itoa(int(r.header.Priority)))
	}
	if p.CreationTime != 0 {
		put(fieldCreationTime, strconv.FormatInt(int64(p.CreationTime), 10))
	}
	if r.delivery.Retained {
		put(fieldRetained, "true")
	}
	if r.delivery.Attempts > 0 {
		put(fieldAttempts, strconv.FormatUint(uint64(r.delivery.Attempts), 10))
	}
	for name, value := range r.delivery.Message.ApplicationProperties() {
		if name == fieldTraceParent || name == fieldTraceState {
			put(name, amqp.ValueText(value))
		} else {
			put(fieldProperty, name+"="+amqp.ValueText(value))
		}
	}
	for name, value := range router.TraceFields(r.delivery.Message) {
		put(name, value)
	}
}

// tagOf gives the entity-tag of a retained message: equal for equal messages (RFC 7252 section 5.10.6).
func tagOf(d *router.Delivery) []byte {
	h := fnv.New64a()
	h.Write(d.Message.Bytes())
	return h.Sum(nil)
}
