package gateway

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/addressing"
)

// httpSender sends with POST. What writes a message is one of the forms that a request may have.
type httpSender struct {
	ctx   context.Context
	http  *httpClient
	write func(m fields) (http.Header, []byte)
	query string
}

func newHTTPSender(write func(fields) (http.Header, []byte), query string) func(*testing.T, *cell) sender {
	return func(_ *testing.T, c *cell) sender { return httpSender{c.ctx, c.http, write, query} }
}

func (s httpSender) send(to string, m fields) <-chan error {
	want := http.StatusCreated
	if s.query != "" {
		want = http.StatusAccepted
	}
	told := make(chan error, 1)
	go func() {
		header, body := s.write(m)
		p, err := s.http.ask(s.ctx, http.MethodPost, pathOf("default", to, "messages")+s.query, header, body)
		if err == nil && p.code != want {
			err = fmt.Errorf("status %d: %s", p.code, p.body)
		}
		told <- err
	}()
	return told
}

func (s httpSender) roundTrip() error {
	_, err := s.http.ask(s.ctx, http.MethodOptions, pathOf("default", "jobs", "messages"), nil, nil)
	return err
}

// The headers of texts and of ids.
var (
	httpTexts = map[field]string{subject: "Manifold-Subject", replyTo: "Manifold-Reply-To", groupID: "Manifold-Group-Id"}
	httpIDs   = map[field]string{messageID: "Manifold-Message-Id", correlationID: "Manifold-Correlation-Id"}
	httpPlain = map[field]string{contentType: "Content-Type", contentEncoding: "Content-Encoding"}
)

// writeHeaders writes all but the body as docs/http.md has it.
func writeHeaders(m fields) (http.Header, []byte) {
	h := make(http.Header)
	for f, name := range httpPlain {
		if text, ok := m[f]; ok {
			h.Set(name, text.(string))
		}
	}
	for f, name := range httpTexts {
		if text, ok := m[f]; ok {
			h.Set(name, escaped(text.(string)))
		}
	}
	for f, name := range httpIDs {
		if id, ok := m[f]; ok {
			h.Set(name, escaped(formatID(id)))
		}
	}
	if life, ok := m[ttl].(time.Duration); ok {
		h.Set("Manifold-Ttl", strconv.FormatFloat(life.Seconds(), 'f', -1, 64))
	}
	if delay, ok := m[deliveryDelay].(int64); ok {
		h.Set("Manifold-Delay", strconv.FormatFloat(float64(delay)/1000, 'f', -1, 64))
	}
	if level, ok := m[priority]; ok {
		h.Set("Manifold-Priority", textOf(level))
	}
	if m[retain] == true {
		h.Set("Manifold-Retain", "true")
	}
	writePairs(h, m)
	return h, m.body()
}

func writePairs(h http.Header, m fields) {
	for _, p := range m.distinct() {
		if attribute, ok := strings.CutPrefix(p.name, eventPrefix); ok {
			h.Set("Ce-"+attribute, escaped(textOf(p.value)))
			continue
		}
		h.Add("Manifold-Property", escaped(p.name)+"="+escaped(textOf(p.value)))
	}
}

// escaped percent-encodes more than a header needs.
func escaped(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// headReceiver receives under a lock.
type headReceiver struct {
	*cell
	came     chan fields
	location string
}

func newHeadReceiver(t *testing.T, c *cell) receiver {
	c.holdBetween(t)
	return &headReceiver{cell: c, came: make(chan fields, 1)}
}

// holdBetween has a durable subscription hold what a topic gets between two receives.
func (c *cell) holdBetween(t *testing.T) {
	if c.kind == addressing.Topic {
		c.source += "::matrix"
		c.expectNothing(t) // which makes the subscription
	}
}

func (r *headReceiver) next() <-chan fields {
	go func() {
		p, err := r.http.ask(r.ctx, http.MethodPost, pathOf("default", r.source, "messages/head?timeout=60"), nil, nil)
		if err == nil && p.code != http.StatusOK {
			err = fmt.Errorf("status %d: %s", p.code, p.body)
		}
		if err != nil {
			r.came <- unread(err)
			return
		}
		r.location = p.header.Get("Location")
		r.came <- readPage(p)
	}()
	return r.came
}

// readPage reads a message that was received under a lock.
func readPage(p page) fields {
	m := fields{dataBody: string(p.body)}
	set(m, address, unescaped(p.header.Get("Manifold-Address")), "")
	for f, name := range httpPlain {
		set(m, f, p.header.Get(name), "")
	}
	for f, name := range httpTexts {
		set(m, f, unescaped(p.header.Get(name)), "")
	}
	for f, name := range httpIDs {
		set(m, f, parseID(unescaped(p.header.Get(name))), nil)
	}
	if left, err := strconv.ParseFloat(p.header.Get("Manifold-Ttl"), 64); err == nil {
		m[ttl] = time.Duration(left * float64(time.Second))
	}
	if level, err := strconv.ParseUint(p.header.Get("Manifold-Priority"), 10, 8); err == nil {
		m[priority] = uint8(level)
	}
	if tries, err := strconv.ParseUint(p.header.Get("Manifold-Attempts"), 10, 32); err == nil {
		set(m, deliveryCount, uint32(tries), 0)
	}
	set(m, retain, p.header.Get("Manifold-Retained") == "true", false)
	for _, line := range p.header["Manifold-Property"] {
		name, value, _ := strings.Cut(line, "=")
		m.addProperty(unescaped(name), unescaped(value))
	}
	for name := range p.header {
		if attribute, ok := strings.CutPrefix(name, "Ce-"); ok {
			m.addAttribute(strings.ToLower(attribute), unescaped(p.header.Get(name)))
		}
	}
	return m
}

// unescaped gives an error's text for what is not escaped as it should be.
func unescaped(s string) string {
	text, err := url.PathUnescape(s)
	if err != nil {
		return err.Error()
	}
	return text
}

func (r *headReceiver) settle() error {
	if locked := r.locksWhatComes(); (r.location != "") != locked {
		return fmt.Errorf("a message of %s came with Location %q", r.address, r.location)
	}
	if r.location == "" {
		return nil
	}
	p, err := r.http.ask(r.ctx, http.MethodDelete, r.location, nil, nil)
	if err == nil && p.code != http.StatusNoContent {
		err = fmt.Errorf("DELETE %s: status %d: %s", r.location, p.code, p.body)
	}
	return err
}

// locksWhatComes tells whether somebody waits for what becomes of a message.
func (c *cell) locksWhatComes() bool { return c.stores || c.waits && !c.from.unconfirmed }

func (r *headReceiver) leave() error { return nil }
