package http

import (
	"mime"
	nethttp "net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// reading is a delivery opened for a client that does not speak AMQP.
type reading struct {
	delivery    *router.Delivery
	header      amqp.Header
	properties  amqp.Properties
	contentType string
	body        []byte // borrowed from the message where possible
}

// read opens a delivery. A section with a field of a wrong type is taken as far as it can be read: its sender was let
// in with it, and the body is still what the client came for.
func read(d *router.Delivery) reading {
	r := reading{delivery: d}
	r.header, _ = d.Message.Header()
	r.properties, _ = d.Message.Properties()
	r.contentType = r.properties.ContentType
	body := d.Message.Body()
	payload, text, ok := body.Payload()
	switch {
	case !ok:
		r.body, r.contentType = body.JSON(), "application/json"
	case text && r.contentType == "":
		r.body, r.contentType = payload, "text/plain; charset=utf-8"
	default:
		r.body = payload
	}
	return r
}

// ttl is what is left of the message's life in seconds with up to three decimals; ok is false if it lives for ever.
func (r *reading) ttl(now time.Time) (seconds string, ok bool) {
	if r.delivery.Expires == 0 {
		return "", false
	}
	ms := max(0, r.delivery.Expires-now.UnixMilli())
	return strconv.FormatFloat(float64(ms)/1000, 'f', -1, 64), true
}

// isText tells whether the body can be shown as text: it is UTF-8, and nothing says that it is meant to be something
// else than text.
func (r *reading) isText() bool { return textual(r.contentType) && utf8.Valid(r.body) }

func textual(contentType string) bool {
	if contentType == "" {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	return strings.HasPrefix(media, "text/") ||
		media == "application/json" || strings.HasSuffix(media, "+json") ||
		media == "application/xml" || strings.HasSuffix(media, "+xml") ||
		media == "application/x-www-form-urlencoded" // what curl says of any text
}

// writeHeaders puts everything but the body into the headers of an answer.
func (r *reading) writeHeaders(h nethttp.Header, now time.Time) {
	p := &r.properties
	// Without this line net/http would guess a type, and a guess is not what the sender said.
	h["Content-Type"] = nil
	setContent(h, "Content-Type", r.contentType)
	setContent(h, "Content-Encoding", p.ContentEncoding)
	setText(h, headerAddress, string(r.delivery.To))
	setText(h, headerMessageID, amqp.FormatID(p.MessageID))
	setText(h, headerCorrelationID, amqp.FormatID(p.CorrelationID))
	setText(h, headerReplyTo, p.ReplyTo)
	setText(h, headerSubject, p.Subject)
	setText(h, headerGroupID, p.GroupID)
	if ttl, ok := r.ttl(now); ok {
		h.Set(headerTTL, ttl)
	}
	if r.header.Priority != amqp.DefaultPriority {
		h.Set(headerPriority, strconv.Itoa(int(r.header.Priority)))
	}
	if r.delivery.Retained {
		h.Set(headerRetained, "true")
	}
	h.Set(headerAttempts, strconv.FormatUint(uint64(r.delivery.Attempts), 10))
	if d := r.death(); d != nil {
		d.write(h)
	}
	isEvent := r.isEvent()
	for name, value := range r.delivery.Message.ApplicationProperties() {
		if header, ok := eventHeader(name); ok && isEvent {
			h.Set(header, escape(amqp.ValueText(value), inAttribute))
			continue
		}
		if header, ok := traceHeader(name, amqp.ValueText(value)); ok {
			h.Set(header, amqp.ValueText(value))
			continue
		}
		h[headerProperty] = append(h[headerProperty], escape(name, inPair)+"="+escape(amqp.ValueText(value), inPair))
	}
	for name, value := range router.TraceFields(r.delivery.Message) {
		if header, ok := traceHeader(name, value); ok {
			h.Set(header, value)
		}
	}
}

// isEvent tells whether the message is a CloudEvent in binary mode.
func (r *reading) isEvent() bool {
	for name := range r.delivery.Message.ApplicationProperties() {
		if header, ok := eventHeader(name); ok && header == headerEvent+"Specversion" {
			return true
		}
	}
	return false
}

// setContent passes on a header that HTTP and the message have in common, unless it cannot stand in an answer
// (RFC 9110 section 5.5).
func setContent(h nethttp.Header, name, value string) {
	printable := func(c byte) bool { return c >= ' ' && c < 0x7F }
	if value != "" && !slices.ContainsFunc([]byte(value), func(c byte) bool { return !printable(c) }) {
		h[name] = []string{value}
	}
}

func setText(h nethttp.Header, name, text string) {
	if text != "" {
		h[name] = []string{escapeText(text)}
	}
}
