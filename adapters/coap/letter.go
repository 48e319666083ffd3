package coap

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// The fields of a message that no option of CoAP has a place for. A request that sends has them in its query; an answer
// that brings a message has them in Location-Query, if the client asked for that with meta. docs/coap.md has the table.
const (
	fieldMessageID       = "message-id"
	fieldCorrelationID   = "correlation-id"
	fieldReplyTo         = "reply-to"
	fieldSubject         = "subject"
	fieldGroupID         = "group-id"
	fieldContentType     = "content-type" // where no Content-Format stands for it
	fieldContentEncoding = "content-encoding"
	fieldTTL             = "ttl"   // seconds
	fieldDelay           = "delay" // seconds
	fieldPriority        = "priority"
	fieldRetain          = "retain"
	fieldProperty        = "property" // NAME=VALUE
	fieldTraceParent     = router.TraceParent
	fieldTraceState      = router.TraceState

	fieldAddress      = "address" // the rest are only in answers
	fieldRetained     = "retained"
	fieldAttempts     = "attempts"
	fieldCreationTime = "creation-time" // Unix milliseconds
	fieldUserID       = "user-id"
)

// maxDelay is how far ahead a message may be scheduled.
const maxDelay = 100 * 365 * 24 * time.Hour

// maxPriority is the highest priority that a client may give.
const maxPriority = 9

// letter is a message as a request describes it, without its body.
type letter struct {
	header     amqp.Header
	properties amqp.Properties
	delay      time.Duration
	retain     bool
	pairs      []parameter // application properties
}

// read reads what a request says of a message to the address of a link. The error is a *router.Error.
func (l *letter) read(r *request, to *router.Sender) error {
	l.header = amqp.Header{Durable: r.waits, Priority: amqp.DefaultPriority}
	l.properties.To = string(to.Address())
	if r.maxAge > 0 {
		l.header.TTL = uint32(min(uint64(r.maxAge)*1000, math.MaxUint32))
	}
	if r.format != noFormat {
		l.properties.ContentType, l.properties.ContentEncoding = contentOf(r.format)
	}
	if len(r.query.list) == 0 {
		return nil
	}
	if err := l.readFields(&r.query); err != nil {
		return err
	}
	kind := to.Kind()
	if l.delay > 0 && kind != addressing.Queue && kind != addressing.Topic {
		return router.Errorf(router.Unsupported, "query %s: %s is of kind %s, which keeps nothing for later",
			fieldDelay, to.Address(), kind)
	}
	return r.query.err()
}

// readFields reads those that are in the query.
func (l *letter) readFields(q *parameters) (err error) {
	p := &l.properties
	for _, f := range []struct {
		name string
		text *string
	}{
		{fieldReplyTo, &p.ReplyTo}, {fieldSubject, &p.Subject}, {fieldGroupID, &p.GroupID},
		{fieldContentType, &p.ContentType}, {fieldContentEncoding, &p.ContentEncoding},
	} {
		if text, ok := q.take(f.name); ok {
			*f.text = text
		}
	}
	if !isASCII(p.ContentType) || !isASCII(p.ContentEncoding) { // they are symbols in AMQP [1.6.21]
		return router.Errorf(router.Malformed, "query %s, %s: not ASCII", fieldContentType, fieldContentEncoding)
	}
	if p.MessageID, err = takeID(q, fieldMessageID); err != nil {
		return err
	}
	if p.CorrelationID, err = takeID(q, fieldCorrelationID); err != nil {
		return err
	}
	if ttl := q.seconds(fieldTTL, 0, time.Millisecond, math.MaxUint32*time.Millisecond, "AMQP's ttl"); ttl > 0 {
		l.header.TTL = uint32(ttl / time.Millisecond)
	}
	l.delay = q.seconds(fieldDelay, 0, 0, maxDelay, "a hundred years")
	l.retain = q.flag(fieldRetain, l.retain)
	if text, ok := q.take(fieldPriority); ok {
		n, err := strconv.ParseUint(text, 10, 8)
		if err != nil || n > maxPriority {
			return router.Errorf(router.Malformed, "query %s: want an integer from 0 to %d", fieldPriority, maxPriority)
		}
		l.header.Priority = uint8(n)
	}
	if err := l.readPairs(q); err != nil {
		return err
	}
	return l.readTrace(q)
}

// readPairs reads the application properties, whose names differ.
func (l *letter) readPairs(q *parameters) error {
	for text, ok := q.next(fieldProperty); ok; text, ok = q.next(fieldProperty) {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return router.Errorf(router.Malformed, "query %s: want %s=NAME=VALUE", fieldProperty, fieldProperty)
		}
		if err := l.addPair(name, value); err != nil {
			return err
		}
	}
	return nil
}

// readTrace reads the trace context (W3C Trace Context), which is application properties of the same names.
func (l *letter) readTrace(q *parameters) error {
	for _, name := range []string{fieldTraceParent, fieldTraceState} {
		if value, ok := q.take(name); ok {
			if err := l.addPair(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *letter) addPair(name, value string) error {
	for _, p := range l.pairs {
		if p.name == name {
			return router.Errorf(router.Malformed, "query %s: %q is given twice", fieldProperty, name)
		}
	}
	l.pairs = append(l.pairs, parameter{name, value})
	return nil
}

// takeID reads an id, in the form that amqp.FormatID writes.
func takeID(q *parameters, name string) (any, error) {
	text, _ := q.take(name)
	id, err := amqp.ParseID(text)
	if err != nil {
		return nil, router.Errorf(router.Malformed, "query %s: %v", name, err)
	}
	return id, nil
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}

// delivery encodes the letter with its body, which is copied.
func (l *letter) delivery(body []byte, now time.Time) (router.Delivery, error) {
	const overhead = 128 // more than what encloses the texts of a letter without properties
	size := overhead + len(body) + len(l.properties.To) + len(l.properties.ContentType)
	for _, p := range l.pairs {
		size += len(p.name) + len(p.value) + 10
	}
	b := make([]byte, 0, size)
	if l.header != (amqp.Header{Priority: amqp.DefaultPriority}) {
		b = l.header.Append(b)
	}
	b = l.properties.Append(b)
	if len(l.pairs) > 0 {
		properties := amqp.BeginApplicationProperties(b)
		for _, p := range l.pairs {
			properties.String(p.name, p.value)
		}
		b = properties.End()
	}
	m, err := amqp.ParseMessage(amqp.AppendData(b, body))
	if err != nil {
		return router.Delivery{}, router.Errorf(router.Malformed, "the message has no AMQP form: %v", err)
	}
	d := router.Delivery{Message: m, Retain: l.retain}
	if l.header.TTL > 0 {
		d.Expires = now.UnixMilli() + int64(l.header.TTL)
	}
	if l.delay > 0 {
		d.Due = now.Add(l.delay).UnixMilli()
	}
	return d, nil
}
