package gateway

import (
	"strconv"
	"testing"
	"time"

	stomp "github.com/go-stomp/stomp/v3"
	"github.com/go-stomp/stomp/v3/frame"
)

// stompSender sends over one connection, or with receipts each message over another one: a no ends that.
type stompSender struct {
	t       *testing.T
	door    string
	conn    *stomp.Conn
	receipt bool
}

func newSTOMPSender(t *testing.T, c *cell) sender {
	return &stompSender{t: t, door: c.doors["stomp"], receipt: true}
}

func newUnconfirmedSTOMPSender(t *testing.T, c *cell) sender {
	return &stompSender{t: t, door: c.doors["stomp"], conn: dialSTOMP(t, c.doors["stomp"])}
}

func (s *stompSender) send(to string, m fields) <-chan error {
	conn, told := s.conn, make(chan error, 1)
	options := []func(*frame.Frame) error{func(f *frame.Frame) error {
		writeSTOMP(f.Header, m)
		return nil
	}}
	if s.receipt {
		conn = dialSTOMP(s.t, s.door)
		options = append(options, stomp.SendOpt.Receipt)
	}
	go func() { told <- conn.Send(to, m.text(contentType), m.body(), options...) }()
	return told
}

// roundTrip takes another connection where this client does nothing else while it waits for a receipt.
func (s *stompSender) roundTrip() error {
	conn := s.conn
	if s.receipt {
		conn = dialSTOMP(s.t, s.door)
	}
	return conn.Begin().AbortWithReceipt()
}

// stompTexts are the headers of texts.
var stompTexts = map[field]string{
	replyTo: "reply-to", subject: "type", groupID: "JMSXGroupID", contentEncoding: "content-encoding",
}

// writeSTOMP writes all but the body and its type as docs/stomp.md has it.
func writeSTOMP(h *frame.Header, m fields) {
	for f, name := range stompTexts {
		if text, ok := m[f]; ok {
			h.Add(name, text.(string))
		}
	}
	for f, name := range map[field]string{messageID: "amqp-message-id", correlationID: "correlation-id"} {
		if id, ok := m[f]; ok {
			h.Add(name, formatID(id))
		}
	}
	for f, name := range map[field]string{
		deliveryTime: "AMQ_SCHEDULED_TIME", deliveryDelay: "AMQ_SCHEDULED_DELAY", priority: "priority",
	} {
		if value, ok := m[f]; ok {
			h.Add(name, textOf(value))
		}
	}
	if life, ok := m[ttl].(time.Duration); ok {
		h.Add("expires", strconv.FormatInt(time.Now().Add(life).UnixMilli(), 10))
	}
	if at, ok := m[creationTime].(time.Time); ok {
		h.Add("timestamp", strconv.FormatInt(at.UnixMilli(), 10))
	}
	if m[durable] == true {
		h.Add("persistent", "true")
	}
	if m[retain] == true {
		h.Add("retain", "true")
	}
	for _, p := range m.properties() {
		h.Add(p.name, textOf(p.value))
	}
}

// stompReceiver reads one subscription, and acknowledges each message by itself unless that goes without saying.
type stompReceiver struct {
	conn         *stomp.Conn
	subscription *stomp.Subscription
	message      *stomp.Message
	auto         bool
}

func newSTOMPReceiver(t *testing.T, c *cell) receiver {
	return openSTOMPReceiver(t, c, stomp.AckClientIndividual)
}

func newAutoSTOMPReceiver(t *testing.T, c *cell) receiver {
	return openSTOMPReceiver(t, c, stomp.AckAuto)
}

func openSTOMPReceiver(t *testing.T, c *cell, mode stomp.AckMode) receiver {
	r := &stompReceiver{conn: dialSTOMP(t, c.doors["stomp"]), auto: mode == stomp.AckAuto}
	var err error
	if r.subscription, err = r.conn.Subscribe(c.address, mode); err != nil {
		t.Fatal(err)
	}
	if err := r.roundTrip(); err != nil { // the subscription is live
		t.Fatal(err)
	}
	return r
}

func (r *stompReceiver) roundTrip() error { return r.conn.Begin().AbortWithReceipt() }

func (r *stompReceiver) next() <-chan fields {
	came := make(chan fields, 1)
	go func() {
		message, err := r.subscription.Read()
		if err != nil {
			came <- unread(err)
			return
		}
		r.message = message
		came <- readSTOMP(message)
	}()
	return came
}

// readSTOMP reads a message as docs/stomp.md has it.
func readSTOMP(s *stomp.Message) fields {
	m := fields{dataBody: string(s.Body)}
	for i := range s.Header.Len() {
		readSTOMPHeader(m, s.Header, i)
	}
	return m
}

func readSTOMPHeader(m fields, h *frame.Header, i int) {
	name, value := h.GetAt(i)
	number, _ := strconv.ParseInt(value, 10, 64)
	switch name {
	case "destination":
		m[address] = value
	case "content-type":
		m[contentType] = value
	case "amqp-message-id":
		m[messageID] = parseID(value)
	case "correlation-id":
		m[correlationID] = parseID(value)
	case "expires":
		m[ttl] = time.Until(time.UnixMilli(number))
	case "priority":
		m[priority] = uint8(number)
	case "persistent":
		m[durable] = value == "true"
	case "timestamp":
		m[creationTime] = time.UnixMilli(number).UTC()
	case "redelivered":
		m[deliveryCount] = uint32(1)
	case "retained":
		m[retain] = value == "true"
	case "subscription", "message-id", "ack", "content-length":
	default:
		for f, text := range stompTexts {
			if name == text {
				m[f] = value
				return
			}
		}
		m.addProperty(name, value)
	}
}

func (r *stompReceiver) settle() error {
	if r.auto {
		return nil
	}
	if err := r.conn.Ack(r.message); err != nil {
		return err
	}
	return r.roundTrip()
}

func (r *stompReceiver) leave() error { return r.conn.Disconnect() }
