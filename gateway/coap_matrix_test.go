package gateway

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
	"github.com/plgd-dev/go-coap/v3/mux"

	"github.com/manifoldmq/manifold/addressing"
)

// coapSender sends with POST. Without confirmation it does not even want to hear what is wrong.
type coapSender struct {
	*cell
	conn        mux.Conn
	unconfirmed bool
}

func newCoAPSender(door string) func(*testing.T, *cell) sender {
	return func(t *testing.T, c *cell) sender {
		return &coapSender{cell: c, conn: dialCoAP(t, c.doors, door)}
	}
}

func newUnconfirmedCoAPSender(t *testing.T, c *cell) sender {
	return &coapSender{cell: c, conn: dialCoAP(t, c.doors, "coap"), unconfirmed: true}
}

// noAnswer is the value of No-Response by which no code is of interest (RFC 7967 section 2.1).
const noAnswer = 2 | 8 | 16

func (s *coapSender) send(to string, m fields) <-chan error {
	told := make(chan error, 1)
	request, err := coapRequest(s.ctx, s.conn, codes.POST, "a/"+to)
	if err != nil {
		told <- err
		return told
	}
	writeCoAP(request, m)
	if s.unconfirmed {
		request.SetType(message.NonConfirmable)
		request.SetOptionUint32(message.NoResponse, noAnswer)
		told <- s.conn.WriteMessage(request)
		return told
	}
	go func() {
		_, err := doCoAP(s.conn, request, codes.Changed)
		told <- err
	}()
	return told
}

func (s *coapSender) roundTrip() error { return coapRoundTrip(s.ctx, s.conn) }

// coapRoundTrip asks for what costs nothing.
func coapRoundTrip(ctx context.Context, conn mux.Conn) error {
	request, err := coapRequest(ctx, conn, codes.GET, ".well-known/core")
	if err == nil {
		request.AddQuery("rt=nothing")
		_, err = doCoAP(conn, request, codes.Content)
	}
	return err
}

// The queries of texts and of ids, which are those of an answer too, and the content types that have a number.
var (
	coapTexts = map[field]string{
		subject: "subject", replyTo: "reply-to", groupID: "group-id", contentEncoding: "content-encoding",
	}
	coapIDs     = map[field]string{messageID: "message-id", correlationID: "correlation-id"}
	coapFormats = map[string]message.MediaType{
		"text/plain; charset=utf-8": message.TextPlain, "application/octet-stream": message.AppOctets,
		"application/json": message.AppJSON,
	}
)

// writeCoAP writes a message as docs/coap.md has it.
func writeCoAP(request *pool.Message, m fields) {
	query := func(name, value string) { request.AddQuery(name + "=" + value) }
	if text := m.text(contentType); text != "" {
		if format, ok := coapFormats[text]; ok && m[contentEncoding] == nil {
			request.SetContentFormat(format)
		} else {
			query("content-type", text)
		}
	}
	for f, name := range coapTexts {
		if text, ok := m[f]; ok {
			query(name, text.(string))
		}
	}
	for f, name := range coapIDs {
		if id, ok := m[f]; ok {
			query(name, formatID(id))
		}
	}
	if life, ok := m[ttl].(time.Duration); ok {
		query("ttl", strconv.FormatFloat(life.Seconds(), 'f', -1, 64))
	}
	if delay, ok := m[deliveryDelay].(int64); ok {
		query("delay", strconv.FormatFloat(float64(delay)/1000, 'f', -1, 64))
	}
	if level, ok := m[priority]; ok {
		query("priority", textOf(level))
	}
	if m[retain] == true {
		request.AddQuery("retain")
	}
	for _, p := range m.distinct() {
		query("property", p.name+"="+textOf(p.value))
	}
	request.SetBody(bytes.NewReader(m.body()))
}

// readCoAP reads a message that was asked for with meta. One that came with an address for itself has that twice.
func readCoAP(answer *pool.Message) (fields, error) {
	body, err := answer.ReadBody()
	if err != nil {
		return nil, err
	}
	m := fields{dataBody: string(body)}
	if format, err := answer.ContentFormat(); err == nil {
		for text, number := range coapFormats {
			if number == format {
				m[contentType] = text
			}
		}
	}
	if left, err := answer.GetOptionUint32(message.MaxAge); err == nil {
		m[ttl] = time.Duration(left) * time.Second
	}
	for _, o := range answer.Options() {
		if o.ID == message.LocationQuery {
			readCoAPQuery(m, string(o.Value))
		}
	}
	if at, ok := strings.CutPrefix(locationOf(answer), "a/"); ok && m[address] != at {
		return nil, fmt.Errorf("what was sent to %s has Location-Path a/%s", m[address], at)
	}
	return m, nil
}

func readCoAPQuery(m fields, query string) {
	name, value, _ := strings.Cut(query, "=")
	number, _ := strconv.ParseUint(value, 10, 63)
	switch name {
	case "address":
		m[address] = value
	case "content-type":
		m[contentType] = value
	case "priority":
		m[priority] = uint8(number)
	case "user-id":
		m[userID] = []byte(value)
	case "creation-time":
		m[creationTime] = time.UnixMilli(int64(number)).UTC()
	case "retained":
		m[retain] = value == "true"
	case "attempts":
		m[deliveryCount] = uint32(number)
	case "property":
		name, value, _ := strings.Cut(value, "=")
		m.addProperty(name, value)
	default:
		for f, text := range coapTexts {
			if name == text {
				m[f] = value
			}
		}
		for f, text := range coapIDs {
			if name == text {
				m[f] = parseID(value)
			}
		}
	}
}

// coapReceiverKind is an observation. Over UDP the acknowledgement of a notification settles it; over a stream that goes
// without saying.
func coapReceiverKind(name, door string, wildcard bool) receiverKind {
	return receiverKind{
		name: name, column: &coapColumn, settles: door == "coap", attached: true,
		open: func(t *testing.T, c *cell) receiver { return newCoAPObserver(t, c, door, wildcard) },
	}
}

// coapObserver observes an address, or all that is below it too where it may. Over UDP its client acknowledges a
// notification when it is told to.
type coapObserver struct {
	*cell
	conn      mux.Conn
	request   *pool.Message
	confirms  bool
	begun     atomic.Bool // the first answer has come
	confirmed atomic.Bool // a message is acknowledged next
	came      chan fields
	release   chan struct{}
	settled   chan struct{}
}

func newCoAPObserver(t *testing.T, c *cell, door string, wildcard bool) receiver {
	r := &coapObserver{
		cell: c, confirms: door == "coap",
		came: make(chan fields), release: make(chan struct{}), settled: make(chan struct{}),
	}
	r.conn = dialCoAP(t, c.doors, door, afterNotification(r.handled))
	path := "a/" + c.address
	if wildcard && (c.kind == addressing.Topic || c.kind == addressing.Broadcast) {
		path += "/#"
	}
	var err error
	if r.request, err = coapRequest(c.ctx, r.conn, codes.GET, path); err != nil {
		t.Fatal(err)
	}
	r.request.AddQuery("meta")
	r.request.SetObserve(0)
	if _, err := r.conn.DoObserve(r.request, r.arrive); err != nil {
		t.Fatal(err)
	}
	return r
}

// arrive is called with what comes, which is acknowledged when it returns. The first answer has a tag if it is a message.
func (r *coapObserver) arrive(notification *pool.Message) {
	if first := !r.begun.Swap(true); first && !notification.HasOption(message.ETag) {
		return
	}
	m, err := readCoAP(notification)
	if err != nil {
		m = unread(err)
	}
	select {
	case r.came <- m:
	case <-r.ctx.Done():
	}
	if r.confirms {
		r.confirmed.Store(true)
		select {
		case <-r.release:
		case <-r.ctx.Done():
		}
	}
}

// handled is called after each notification, also that which is none for arrive.
func (r *coapObserver) handled() {
	if !r.confirmed.Swap(false) {
		return
	}
	select {
	case r.settled <- struct{}{}:
	case <-r.ctx.Done():
	}
}

func (r *coapObserver) next() <-chan fields { return r.came }

func (r *coapObserver) settle() error {
	if !r.confirms {
		return nil
	}
	r.release <- struct{}{}
	select {
	case <-r.settled:
		return coapRoundTrip(r.ctx, r.conn)
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}

func (r *coapObserver) leave() error { return endObservation(r.conn, r.request) }

// coapHeadReceiver receives under a lock, as headReceiver does.
type coapHeadReceiver struct {
	*cell
	conn     mux.Conn
	came     chan fields
	location string
}

func newCoAPHeadReceiver(t *testing.T, c *cell) receiver {
	c.holdBetween(t)
	return &coapHeadReceiver{cell: c, conn: dialCoAP(t, c.doors, "coap"), came: make(chan fields, 1)}
}

func (r *coapHeadReceiver) next() <-chan fields {
	go func() {
		m, err := r.receive()
		if err != nil {
			m = unread(err)
		}
		r.came <- m
	}()
	return r.came
}

func (r *coapHeadReceiver) receive() (fields, error) {
	request, err := coapRequest(r.ctx, r.conn, codes.POST, "q/"+r.source+"/head")
	if err != nil {
		return nil, err
	}
	request.AddQuery("timeout=60")
	request.AddQuery("meta")
	answer, err := doCoAP(r.conn, request, codes.Content)
	if err != nil {
		return nil, err
	}
	r.location = locationOf(answer)
	return readCoAP(answer)
}

func (r *coapHeadReceiver) settle() error {
	if locked := r.locksWhatComes(); (r.location != "") != locked {
		return fmt.Errorf("a message of %s came with the location %q", r.address, r.location)
	}
	if r.location == "" {
		return nil
	}
	request, err := coapRequest(r.ctx, r.conn, codes.DELETE, r.location)
	if err == nil {
		_, err = doCoAP(r.conn, request, codes.Deleted)
	}
	return err
}

func (r *coapHeadReceiver) leave() error { return nil }
