package gateway

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// letter is what a message says, in the words that the protocols have in common.
type letter struct {
	payload     []byte
	text        bool // the payload claims to be text; only MQTT 5 and AMQP have a place for it
	contentType string
	replyTo     string
	correlation string // any bytes
	seconds     int    // until it expires; 0 is never
	properties  []property
}

type property struct{ name, value string }

// letters are what every sender sends to every receiver.
func letters() []letter {
	binary := make([]byte, 256)
	for i := range binary {
		binary[i] = byte(i)
	}
	return []letter{
		{
			payload: []byte("grün: 21,5 °C\n\"ok\"\r\n"), text: true,
			contentType: "text/plain; charset=utf-8",
			replyTo:     "answers/für mich",
			correlation: "\x00\xff request 7",
			seconds:     3600,
			properties: []property{
				{"zone", "north"}, {"größe", "±5 µm, =100%"}, {"tag", "a"}, {"empty", ""}, {"tag", "b"}, {"tag", "a"},
			},
		},
		{payload: []byte("nothing but text"), text: true},
		{payload: []byte{}},
		{payload: binary, contentType: "application/octet-stream"},
	}
}

// arriving is how a letter arrives over a protocol, sent over another: what one of the two has no place for is lost.
func (l letter) arriving(from, to string) letter {
	if from == mqtt3 || to == mqtt3 {
		return letter{payload: l.payload}
	}
	if from == mqtt5 && to == mqtt5 {
		return l
	}
	l.properties = l.distinct()
	l.text = l.text && from != httpSend && from != stomp12
	if l.text && (to == httpHead || to == httpStream || to == stomp12) {
		l.text = false
		l.contentType = cmp.Or(l.contentType, "text/plain; charset=utf-8")
	}
	return l
}

// distinct gives the properties without those whose name occurred before.
func (l letter) distinct() (properties []property) {
	for _, p := range l.properties {
		if !slices.ContainsFunc(properties, func(other property) bool { return other.name == p.name }) {
			properties = append(properties, p)
		}
	}
	return properties
}

// orderLike puts the properties in the order that their names have in others.
func (l *letter) orderLike(others []property) {
	rank := func(p property) int {
		return slices.IndexFunc(others, func(other property) bool { return other.name == p.name })
	}
	slices.SortStableFunc(l.properties, func(a, b property) int { return rank(a) - rank(b) })
}

// equal compares all but the expiry, which may have come nearer.
func (l letter) equal(other letter) bool {
	return string(l.payload) == string(other.payload) && l.text == other.text &&
		l.contentType == other.contentType && l.replyTo == other.replyTo && l.correlation == other.correlation &&
		slices.Equal(l.properties, other.properties) &&
		other.seconds <= l.seconds && other.seconds >= max(0, l.seconds-10)
}

// header writes all but the payload as docs/http.md has it.
func (l letter) header() http.Header {
	h := make(http.Header)
	set := func(name, value string) {
		if value != "" {
			h.Set(name, value)
		}
	}
	set("Content-Type", l.contentType)
	set("Manifold-Reply-To", url.PathEscape(l.replyTo))
	if l.correlation != "" {
		h.Set("Manifold-Correlation-Id", "binary:"+base64.RawURLEncoding.EncodeToString([]byte(l.correlation)))
	}
	if l.seconds > 0 {
		h.Set("Manifold-Ttl", strconv.Itoa(l.seconds))
	}
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	for _, p := range l.distinct() {
		h.Add("Manifold-Property", escape(p.name)+"="+escape(p.value))
	}
	return h
}

// readPage is the way back, of a message received under a lock. What cannot be read is an error's text instead.
func readPage(p page) arrival {
	l := letter{
		payload:     p.body,
		contentType: p.header.Get("Content-Type"),
		replyTo:     unescape(p.header.Get("Manifold-Reply-To")),
		correlation: readCorrelation(unescape(p.header.Get("Manifold-Correlation-Id"))),
		seconds:     readSeconds(p.header.Get("Manifold-Ttl")),
	}
	for _, line := range p.header["Manifold-Property"] {
		name, value, _ := strings.Cut(line, "=")
		l.properties = append(l.properties, property{unescape(name), unescape(value)})
	}
	return arrival{l, unescape(p.header.Get("Manifold-Address"))}
}

func unescape(s string) string {
	text, err := url.PathUnescape(s)
	if err != nil {
		return err.Error()
	}
	return text
}

func readCorrelation(id string) string {
	encoded, ok := strings.CutPrefix(id, "binary:")
	if !ok {
		return id
	}
	b, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// readSeconds rounds up to whole seconds, as MQTT 5 does.
func readSeconds(text string) int {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return int(seconds + 0.999)
}

// envelope is a message of an event stream, as docs/http.md has it.
type envelope struct {
	Address       string
	ContentType   string
	ReplyTo       string
	CorrelationID string
	TTL           json.Number
	Properties    map[string]string
	Body          string
	BodyBase64    []byte
}

// letter gives the properties in the order of other ones, because JSON objects have none.
func (e *envelope) letter(order []property) letter {
	l := letter{
		payload:     []byte(e.Body),
		contentType: e.ContentType,
		replyTo:     e.ReplyTo,
		correlation: readCorrelation(e.CorrelationID),
		seconds:     readSeconds(e.TTL.String()),
	}
	if e.BodyBase64 != nil {
		l.payload = e.BodyBase64
	}
	for name, value := range e.Properties {
		l.properties = append(l.properties, property{name, value})
	}
	l.orderLike(order)
	return l
}
