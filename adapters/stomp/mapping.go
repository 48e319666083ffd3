package stomp

import (
	"math"
	"strconv"
	"time"

	"github.com/go-stomp/stomp/v3/frame"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// The headers of a message that have a place of their own in it, both ways; docs/stomp.md has them as a table. Where
// STOMP says nothing the names are those of ActiveMQ, Artemis and RabbitMQ. Any other header is an application property.
const (
	headerContentType     = frame.ContentType
	headerContentEncoding = "content-encoding"
	headerPersistent      = "persistent"
	headerExpires         = "expires" // Unix milliseconds; 0 for never
	headerPriority        = "priority"
	headerCorrelationID   = "correlation-id"
	headerReplyTo         = "reply-to"
	headerType            = "type"
	headerGroup           = "JMSXGroupID"
	headerTimestamp       = "timestamp" // Unix milliseconds
	headerMessageID       = "amqp-message-id"
	headerRetain          = "retain"
	headerDelay           = "AMQ_SCHEDULED_DELAY" // milliseconds
	headerTime            = "AMQ_SCHEDULED_TIME"  // Unix milliseconds
)

// isReserved tells whether a header is about a frame, or about one delivery, and no part of the message.
func isReserved(name string) bool {
	switch name {
	case frame.Destination, frame.ContentLength, frame.Receipt, frame.Transaction,
		frame.Subscription, frame.MessageId, frame.Ack, headerRedelivered, headerRetained:
		return true
	}
	return false
}

// What MESSAGE tells of a delivery, beyond what STOMP itself has.
const (
	headerRedelivered = "redelivered" // it may have been seen before
	headerRetained    = "retained"    // it is what the topic had kept
)

// maxDelay is how far ahead a message may be scheduled: a hundred years, in milliseconds.
const maxDelay = 100 * 365 * 24 * 60 * 60 * 1000

// maxPriority is the highest priority that a client may give.
const maxPriority = 9

// letter is a message as the headers of SEND tell it.
type letter struct {
	header     amqp.Header
	properties amqp.Properties
	expires    int64 // Unix milliseconds; 0 for never
	retain     bool
	delay, due int64    // milliseconds from now, and Unix milliseconds; 0 for at once
	others     []string // names and values in turn
}

// encode makes a message of a SEND to an address. The error is a *router.Error that names the header.
func (c *conn) encode(to addressing.Address, h *frame.Header, body []byte, now time.Time) (router.Delivery, error) {
	l := letter{
		header:     amqp.Header{Priority: amqp.DefaultPriority},
		properties: amqp.Properties{To: string(to)},
	}
	size := encodingRoom + len(to) + len(body)
	for i := range h.Len() {
		name, value := h.GetAt(i)
		if isReserved(name) || repeated(h, i) {
			continue
		}
		size += len(name) + len(value) + 10
		if err := c.readHeader(&l, name, value); err != nil {
			return router.Delivery{}, err
		}
	}
	d := router.Delivery{Expires: l.expires, Retain: l.retain, Due: l.due}
	if l.delay > 0 {
		d.Due = max(d.Due, now.UnixMilli()+l.delay)
	}
	if l.expires > 0 {
		l.header.TTL = uint32(min(max(l.expires-now.UnixMilli(), 1), math.MaxUint32))
	}
	m, err := l.encode(make([]byte, 0, size), body)
	if err != nil {
		return d, router.Errorf(router.Malformed, "%v", err)
	}
	d.Message = m
	return d, nil
}

// encodingRoom is what the encoding of a message takes beyond its variable fields, about.
const encodingRoom = 96

// repeated tells whether the header at i has the name of an earlier one, which is the one that counts (STOMP 1.2,
// "Repeated Header Entries").
func repeated(h *frame.Header, i int) bool {
	name, _ := h.GetAt(i)
	for j := range i {
		if earlier, _ := h.GetAt(j); earlier == name {
			return true
		}
	}
	return false
}

// readHeader reads one header of SEND.
func (c *conn) readHeader(l *letter, name, value string) (err error) {
	switch p := &l.properties; name {
	case headerContentType:
		p.ContentType, err = ascii(name, value)
	case headerContentEncoding:
		p.ContentEncoding, err = ascii(name, value)
	case headerPersistent:
		l.header.Durable = value == "true"
	case headerExpires:
		l.expires, err = number(name, value, math.MaxInt64)
	case headerPriority:
		var n int64
		n, err = number(name, value, maxPriority)
		l.header.Priority = uint8(n)
	case headerCorrelationID:
		p.CorrelationID, err = parseID(name, value)
	case headerMessageID:
		p.MessageID, err = parseID(name, value)
	case headerReplyTo:
		p.ReplyTo, err = c.reference(value)
	case headerType:
		p.Subject = value
	case headerGroup:
		p.GroupID = value
	case headerTimestamp:
		var n int64
		n, err = number(name, value, math.MaxInt64)
		p.CreationTime = amqp.Timestamp(n)
	case headerRetain:
		l.retain = value == "true"
	case headerDelay:
		l.delay, err = number(name, value, maxDelay)
	case headerTime:
		l.due, err = number(name, value, math.MaxInt64)
	default:
		l.others = append(l.others, name, value)
	}
	return err
}

// ascii reads a header that is a symbol in AMQP.
func ascii(name, value string) (string, error) {
	for i := range len(value) {
		if value[i] >= 0x80 {
			return "", router.Errorf(router.Malformed, "%s: not ASCII", name)
		}
	}
	return value, nil
}

// number reads a header that is a number from 0 to most.
func number(name, value string, most int64) (int64, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 || n > most {
		return 0, router.Errorf(router.Malformed, "%s: want an integer from 0 to %d", name, most)
	}
	return n, nil
}

// encode appends the message to b. The body is copied.
func (l *letter) encode(b, body []byte) (router.Message, error) {
	if l.header != (amqp.Header{Priority: amqp.DefaultPriority}) {
		b = l.header.Append(b)
	}
	b = l.properties.Append(b)
	if len(l.others) > 0 {
		properties := amqp.BeginApplicationProperties(b)
		for i := 0; i < len(l.others); i += 2 {
			properties.String(l.others[i], l.others[i+1])
		}
		b = properties.End()
	}
	return amqp.ParseMessage(amqp.AppendData(b, body))
}

// decode gives the headers, names and values in turn, and the body of a delivery. It fails when the message cannot be read.
func decode(s *subscription, d *router.Delivery) (header []string, body []byte, ok bool) {
	fields, err := d.Message.Properties()
	if err != nil {
		return nil, nil, false
	}
	head, err := d.Message.Header()
	if err != nil {
		return nil, nil, false
	}
	body, text, ok := d.Message.Body().Payload()
	switch {
	case !ok:
		body, fields.ContentType = d.Message.Body().JSON(), "application/json"
	case text && fields.ContentType == "":
		fields.ContentType = "text/plain; charset=utf-8"
	}
	w := headers{list: make([]string, 0, 16)}
	w.put(frame.Destination, s.destinationOf(d.To))
	w.put(headerContentType, fields.ContentType)
	w.put(headerContentEncoding, fields.ContentEncoding)
	w.flag(headerPersistent, head.Durable)
	w.number(headerExpires, d.Expires, 0)
	w.number(headerPriority, int64(head.Priority), amqp.DefaultPriority)
	w.put(headerCorrelationID, amqp.FormatID(fields.CorrelationID))
	w.put(headerMessageID, amqp.FormatID(fields.MessageID))
	w.put(headerReplyTo, fields.ReplyTo)
	w.put(headerType, fields.Subject)
	w.put(headerGroup, fields.GroupID)
	w.number(headerTimestamp, int64(fields.CreationTime), 0)
	w.flag(headerRedelivered, d.Attempts > 0)
	w.flag(headerRetained, d.Retained)
	for name, value := range d.Message.ApplicationProperties() {
		if !isReserved(name) {
			w.list = append(w.list, name, amqp.ValueText(value))
		}
	}
	for name, value := range router.TraceFields(d.Message) {
		w.put(name, value)
	}
	return w.list, body, true
}

// destinationOf names an address as the subscription named its own.
func (s *subscription) destinationOf(a addressing.Address) string {
	if s.place.own {
		return s.told.Destination
	}
	return s.place.prefix + string(a)
}

// headers gathers the headers of MESSAGE.
type headers struct{ list []string }

func (w *headers) put(name, value string) {
	if value != "" {
		w.list = append(w.list, name, value)
	}
}

func (w *headers) flag(name string, set bool) {
	if set {
		w.list = append(w.list, name, "true")
	}
}

func (w *headers) number(name string, n, usual int64) {
	if n != usual {
		w.list = append(w.list, name, strconv.FormatInt(n, 10))
	}
}
