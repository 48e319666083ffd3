package gateway

import (
	"fmt"
	"maps"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
)

// amqpSender sends over one link to one address.
type amqpSender struct {
	*amqpClient
	link    *goamqp.Sender
	settled bool
}

func newAMQPSender(t *testing.T, c *cell) sender {
	return openAMQPSender(t, c, false)
}

func newSettledAMQPSender(t *testing.T, c *cell) sender {
	return openAMQPSender(t, c, true)
}

func openAMQPSender(t *testing.T, c *cell, settled bool) sender {
	mode := goamqp.SenderSettleModeUnsettled
	if settled {
		mode = goamqp.SenderSettleModeSettled
	}
	client := dialAMQP(c.ctx, t, c.doors["amqp"])
	link, err := client.session.NewSender(c.ctx, c.address, &goamqp.SenderOptions{SettlementMode: mode.Ptr()})
	if err != nil {
		t.Fatal(err)
	}
	return &amqpSender{client, link, settled}
}

func (s *amqpSender) send(_ string, m fields) <-chan error {
	told := make(chan error, 1)
	go func() {
		if s.settled {
			told <- s.link.Send(s.ctx, writeAMQP(m), nil)
			return
		}
		told <- sendAMQP(s.ctx, s.link, writeAMQP(m))
	}()
	return told
}

// writeAMQP writes a message as a client would.
func writeAMQP(m fields) *goamqp.Message {
	a := &goamqp.Message{Header: &goamqp.MessageHeader{Priority: 4}}
	for f, value := range m {
		writeAMQPField(a, f, value)
	}
	for _, p := range m.distinct() {
		if a.ApplicationProperties == nil {
			a.ApplicationProperties = make(map[string]any)
		}
		a.ApplicationProperties[p.name] = p.value
	}
	for f, name := range annotated {
		if value, ok := m[f]; ok {
			annotate(a, name, value)
		}
	}
	if m[exactlyOnce] == true {
		annotate(a, qosAnnotation, uint32(2))
	}
	return a
}

// annotated are the fields that have a place in an annotation of ours.
var annotated = map[field]string{
	deliveryTime: "x-opt-delivery-time", deliveryDelay: "x-opt-delivery-delay", wideContentType: "x-opt-mqtt-content-type",
}

// More annotations of ours.
const (
	qosAnnotation         = "x-opt-mqtt-qos"
	repetitionsAnnotation = "x-opt-user-properties"
)

func annotate(a *goamqp.Message, name string, value any) {
	if a.Annotations == nil {
		a.Annotations = goamqp.Annotations{}
	}
	a.Annotations[name] = value
}

func writeAMQPField(a *goamqp.Message, f field, value any) {
	switch f {
	case durable:
		a.Header.Durable = value.(bool)
	case priority:
		a.Header.Priority = value.(uint8)
	case ttl:
		a.Header.TTL = value.(time.Duration)
	case firstAcquirer:
		a.Header.FirstAcquirer = value.(bool)
	case deliveryAnnotations:
		a.DeliveryAnnotations = value.(goamqp.Annotations)
	case messageAnnotations:
		for name, value := range value.(goamqp.Annotations) {
			annotate(a, name.(string), value)
		}
	case dataBody:
		a.Data = [][]byte{[]byte(value.(string))}
	case chunkedBody:
		for _, section := range value.([]string) {
			a.Data = append(a.Data, []byte(section))
		}
	case textBody:
		a.Value = value
	case binaryBody:
		a.Value = []byte(value.(string))
	case valueBody:
		a.Value = value.(inBoth).amqp
	case sequenceBody:
		a.Sequence = value.(inBoth).amqp.([][]any)
	case footer:
		a.Footer = value.(goamqp.Annotations)
	default:
		writeAMQPProperty(a, f, value)
	}
}

func writeAMQPProperty(a *goamqp.Message, f field, value any) {
	p := a.Properties
	if p == nil {
		p = new(goamqp.MessageProperties)
	}
	text, _ := value.(string)
	switch f {
	case messageID:
		p.MessageID = value
	case userID:
		p.UserID = value.([]byte)
	case to:
		p.To = &text
	case subject:
		p.Subject = &text
	case replyTo:
		p.ReplyTo = &text
	case correlationID:
		p.CorrelationID = value
	case contentType:
		p.ContentType = &text
	case contentEncoding:
		p.ContentEncoding = &text
	case expiryTime:
		p.AbsoluteExpiryTime = new(value.(time.Time))
	case creationTime:
		p.CreationTime = new(value.(time.Time))
	case groupID:
		p.GroupID = &text
	case groupSequence:
		p.GroupSequence = new(value.(uint32))
	case replyToGroupID:
		p.ReplyToGroupID = &text
	default:
		return // it is no property
	}
	a.Properties = p
}

// amqpReceiver receives over one link.
type amqpReceiver struct {
	*amqpClient
	link    *goamqp.Receiver
	message *goamqp.Message // the last that came
}

func newAMQPReceiver(t *testing.T, c *cell) receiver {
	client := dialAMQP(c.ctx, t, c.doors["amqp"])
	link, err := client.attachReceiver(c.address, &goamqp.ReceiverOptions{Credit: 10})
	if err != nil {
		t.Fatal(err)
	}
	return &amqpReceiver{amqpClient: client, link: link}
}

// withoutSymbols is what go-amqp makes of a message: it shows symbols as strings.
func withoutSymbols(m fields) {
	convert(m, properties, func(value any) any {
		if symbol, ok := value.(goamqp.Symbol); ok {
			return string(symbol)
		}
		return value
	})
}

func (r *amqpReceiver) next() <-chan fields {
	came := make(chan fields, 1)
	go func() {
		a, err := r.link.Receive(r.ctx, nil)
		if err != nil {
			came <- unread(err)
			return
		}
		r.message = a
		m := readAMQP(a)
		m[address] = r.link.Address()
		came <- m
	}()
	return came
}

// unread is what a receiver gives that got no message.
func unread(err error) fields { return fields{"error": err.Error()} }

// readAMQP is the way back.
func readAMQP(a *goamqp.Message) fields {
	m := make(fields)
	if h := a.Header; h != nil {
		set(m, durable, h.Durable, false)
		set(m, priority, h.Priority, 4)
		set(m, ttl, h.TTL, 0)
		set(m, firstAcquirer, h.FirstAcquirer, false)
		set(m, deliveryCount, h.DeliveryCount, 0)
	}
	if len(a.DeliveryAnnotations) > 0 {
		m[deliveryAnnotations] = a.DeliveryAnnotations
	}
	readAnnotations(m, maps.Clone(a.Annotations))
	if a.Properties != nil {
		readAMQPProperties(m, a.Properties)
	}
	for name, value := range a.ApplicationProperties {
		if at, ok := value.(time.Time); ok {
			value = at.UTC()
		}
		m.addProperty(name, value)
	}
	readAMQPBody(m, a)
	if len(a.Footer) > 0 {
		m[footer] = a.Footer
	}
	return m
}

func readAnnotations(m fields, all goamqp.Annotations) {
	for f, name := range annotated {
		if value, ok := all[name]; ok {
			m[f] = value
		}
		delete(all, name)
	}
	if all[qosAnnotation] == uint32(2) {
		m[exactlyOnce] = true
	}
	delete(all, qosAnnotation)
	if texts, ok := all[repetitionsAnnotation].([]any); ok {
		var pairs []property
		for i := 0; i+1 < len(texts); i += 2 {
			pairs = append(pairs, property{fmt.Sprint(texts[i]), texts[i+1]})
		}
		m[repetitions] = pairs
	}
	delete(all, repetitionsAnnotation)
	if len(all) > 0 {
		m[messageAnnotations] = all
	}
}

func readAMQPProperties(m fields, p *goamqp.MessageProperties) {
	set(m, messageID, p.MessageID, nil)
	if p.UserID != nil {
		m[userID] = p.UserID
	}
	set(m, correlationID, p.CorrelationID, nil)
	for f, text := range map[field]*string{
		to: p.To, subject: p.Subject, replyTo: p.ReplyTo, contentType: p.ContentType, contentEncoding: p.ContentEncoding,
		groupID: p.GroupID, replyToGroupID: p.ReplyToGroupID,
	} {
		if text != nil {
			m[f] = *text
		}
	}
	for f, at := range map[field]*time.Time{expiryTime: p.AbsoluteExpiryTime, creationTime: p.CreationTime} {
		if at != nil {
			m[f] = at.UTC() // go-amqp gives it in the zone of the machine
		}
	}
	if p.GroupSequence != nil {
		m[groupSequence] = *p.GroupSequence
	}
}

func readAMQPBody(m fields, a *goamqp.Message) {
	switch value := a.Value.(type) {
	case nil:
	case string:
		m[textBody] = value
	case []byte:
		m[binaryBody] = string(value)
	default:
		m[valueBody] = value
	}
	if a.Sequence != nil {
		m[sequenceBody] = a.Sequence
	}
	switch len(a.Data) {
	case 0:
	case 1:
		m[dataBody] = string(a.Data[0])
	default:
		var sections []string
		for _, section := range a.Data {
			sections = append(sections, string(section))
		}
		m[chunkedBody] = sections
	}
}

func (r *amqpReceiver) settle() error {
	if err := r.link.AcceptMessage(r.ctx, r.message); err != nil {
		return err
	}
	return r.roundTrip()
}

func (r *amqpReceiver) leave() error { return r.link.Close(r.ctx) }
