package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/tenancy"
)

// message is a stored message, to look at.
type message struct {
	Position      uint64         `json:"position" doc:"in its queue, where they rise"`
	Address       string         `json:"address" doc:"where it was sent to"`
	MessageID     string         `json:"messageId,omitempty"`
	CorrelationID string         `json:"correlationId,omitempty"`
	ReplyTo       string         `json:"replyTo,omitempty"`
	Subject       string         `json:"subject,omitempty"`
	GroupID       string         `json:"groupId,omitempty"`
	ContentType   string         `json:"contentType,omitempty"`
	Priority      uint8          `json:"priority"`
	Attempts      uint32         `json:"attempts" doc:"earlier tries to deliver it"`
	Expires       *time.Time     `json:"expires,omitempty"`
	Due           *time.Time     `json:"due,omitempty" doc:"before that nobody gets it"`
	Properties    map[string]any `json:"properties,omitempty" doc:"of the application"`
	Size          int            `json:"size" doc:"bytes, encoded"`
	Body          *string        `json:"body,omitempty" doc:"of a text"`
	BodyBase64    []byte         `json:"bodyBase64,omitempty" doc:"of anything else"`
	Cut           bool           `json:"cut,omitempty" doc:"the body is longer than what is shown of it"`
}

func messageOf(p *broker.Peeked, most int) message {
	d := &p.Delivery
	properties, _ := d.Message.Properties() // what is stored can be read
	header, _ := d.Message.Header()
	m := message{
		Position: p.Position, Address: string(d.To), MessageID: amqp.FormatID(properties.MessageID),
		CorrelationID: amqp.FormatID(properties.CorrelationID), ReplyTo: properties.ReplyTo, Subject: properties.Subject,
		GroupID: properties.GroupID, ContentType: properties.ContentType, Priority: header.Priority, Attempts: d.Attempts,
		Expires: timeOf(d.Expires), Due: timeOf(d.Due), Size: d.Message.Len(),
	}
	for name, value := range d.Message.ApplicationProperties() {
		if m.Properties == nil {
			m.Properties = make(map[string]any)
		}
		m.Properties[name] = amqp.JSONValue(value)
	}
	payload, text, ok := d.Message.Body().Payload()
	if !ok {
		payload, text = d.Message.Body().JSON(), true
	}
	if len(payload) > most {
		payload, m.Cut = payload[:most], true
	}
	if shown := string(payload); text || utf8.Valid(payload) {
		m.Body = &shown
	} else {
		m.BodyBase64 = payload
	}
	return m
}

func timeOf(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	at := time.UnixMilli(ms).UTC()
	return &at
}

func (s *server) addMessages() {
	const path = queuePath + "/messages"
	register(s, operation("browse-messages", http.MethodGet, path, "messages", "Look at messages, and take none"), s.browse)
	send := operation("send-message", http.MethodPost, path, "messages", "Send a message to the queue")
	send.SkipValidateBody = false
	register(s, send, s.send)
	register(s, operation("delete-message", http.MethodDelete, path+"/{position}", "messages", "Drop one message"),
		func(_ context.Context, c *Caller, in *struct {
			InQueue
			Position uint64 `path:"position" minimum:"1"`
		}) (*nothing, error) {
			if err := s.reach(c, &in.InQueue, tenancy.Manage); err != nil {
				return nil, err
			}
			s.Note(c, in.Tenant, "queue", in.Queue, "purged")
			return nil, s.Store.RemoveAt(in.Tenant, in.Queue, in.Position)
		})
}

// browse looks at messages that nobody holds.
func (s *server) browse(ctx context.Context, c *Caller, in *struct {
	InQueue
	Selector string `query:"selector" doc:"a JMS selector of messages; none is all of them"`
	After    uint64 `query:"after" doc:"the value of next on the page before"`
	Limit    int    `query:"limit" minimum:"1" maximum:"1000" default:"20" doc:"how many at most"`
	MaxBody  int    `query:"maxBody" minimum:"0" maximum:"16777216" default:"4096" doc:"how many bytes of each body are shown"`
}) (*output[message], error) {
	if err := s.reach(c, &in.InQueue, tenancy.Browse, tenancy.Manage); err != nil {
		return nil, err
	}
	selected, err := (&Which{in.Selector, in.Limit}).of()
	if err != nil {
		return nil, err
	}
	found, next, err := s.Store.Peek(ctx, in.Tenant, in.Queue, in.After, selected)
	if err != nil {
		return nil, err
	}
	out := &output[message]{page[message]{Items: []message{}}}
	for i := range found {
		out.Body.Items = append(out.Body.Items, messageOf(&found[i], in.MaxBody))
	}
	if next > 0 {
		out.Body.Next = strconv.FormatUint(next, 10)
	}
	return out, nil
}

// draft is a message that is to be sent.
type draft struct {
	Body        string            `json:"body,omitempty"`
	BodyBase64  []byte            `json:"bodyBase64,omitempty" doc:"in place of body"`
	ContentType string            `json:"contentType,omitempty" pattern:"^[ -~]*$"`
	Subject     string            `json:"subject,omitempty"`
	MessageID   string            `json:"messageId,omitempty"`
	Properties  map[string]string `json:"properties,omitempty" doc:"of the application"`
}

// message encodes it.
func (d *draft) message(to string) router.Message {
	properties := amqp.Properties{
		To: to, Subject: d.Subject, ContentType: d.ContentType, MessageID: idOf(d.MessageID),
		CreationTime: amqp.Timestamp(time.Now().UnixMilli()),
	}
	encoded := properties.Append(nil)
	if len(d.Properties) > 0 {
		w := amqp.BeginApplicationProperties(encoded)
		for _, name := range slices.Sorted(maps.Keys(d.Properties)) {
			w.Put(amqp.AppendString(w.Key(name), d.Properties[name]))
		}
		encoded = w.End()
	}
	if d.BodyBase64 != nil {
		return amqp.Trusted(amqp.AppendData(encoded, d.BodyBase64))
	}
	return amqp.Trusted(amqp.AppendData(encoded, []byte(d.Body)))
}

func idOf(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// sending hears how one message ends.
type sending chan router.Outcome

var _ router.Producer = sending(nil)

// Settled implements router.Producer.
func (s sending) Settled(_ *router.Sender, _ uint64, o router.Outcome) { s <- o }

// Credit implements router.Producer: one message needs none.
func (s sending) Credit(*router.Sender, int) {}

func (s *server) send(ctx context.Context, c *Caller, in *struct {
	InQueue
	Body draft
}) (*nothing, error) {
	if err := s.reach(c, &in.InQueue, tenancy.Send, tenancy.Manage); err != nil {
		return nil, err
	}
	t, ok := s.Directory.Lookup(in.Tenant)
	if !ok {
		return nil, errNotFound()
	}
	a, err := addressing.ParseAddress(in.Queue)
	if err != nil {
		return nil, router.Errorf(router.Unsupported, "%v", err)
	}
	m := in.Body.message(in.Queue)
	p := c.Principal
	if c.administers(in.Tenant) {
		p = tenancy.Insider(t, "admin:"+c.Name)
	}
	ended := make(sending, 1)
	link, err := s.Router.Sender(ctx, p, router.Target{Address: a}, ended)
	if err != nil {
		return nil, err
	}
	defer link.Close()
	link.Send(1, router.Delivery{Message: m, To: a})
	select {
	case o := <-ended:
		if o.State != router.Accepted {
			return nil, router.Errorf(o.Reason, "%s", orWords(o.Text, "the message was "+o.State.String()))
		}
		s.Note(c, in.Tenant, "queue", in.Queue, "sent")
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func orWords(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
