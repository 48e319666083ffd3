package http

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	nethttp "net/http"
	"strconv"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// The media types of several messages in one body.
const (
	typeJSON       = "application/json" // an array of drafts
	typeLines      = "application/x-ndjson"
	typeEventBatch = "application/cloudevents-batch+json"
	typeEvent      = "application/cloudevents+json"
	typeMultipart  = "multipart/mixed"
)

// batchTypes lists them, as Accept-Post tells it (https://www.w3.org/TR/ldp/#header-accept-post).
var batchTypes = strings.Join([]string{typeJSON, typeLines, typeEventBatch, typeMultipart}, ", ")

// batch reads the messages of one body.
type batch struct {
	to   addressing.Address
	most int
	all  []parcel
}

// readBatch takes a body of a media type apart into the messages that it holds, of which there may be as many as most.
// The error is a *router.Error that says which of them, counted from 1, is wrong.
func readBatch(body []byte, media, boundary string, to addressing.Address, most int) ([]parcel, error) {
	b := batch{to: to, most: most}
	var err error
	switch media {
	case typeMultipart:
		err = b.readParts(body, boundary)
	case typeEventBatch:
		err = b.readArray(body, b.readEvent)
	default:
		err = b.readArray(body, b.readDraft)
	}
	return b.all, err
}

// add adds a message, unless it was wrong or is one too many.
func (b *batch) add(p parcel, err error) error {
	if err != nil {
		return router.Errorf(router.ReasonOf(err), "message %d: %v", len(b.all)+1, err)
	}
	if len(b.all) == b.most {
		return router.Errorf(router.TooLarge, "the batch has more than %d messages (http.maxBatch)", b.most)
	}
	b.all = append(b.all, p)
	return nil
}

// readParts reads each part as a request of its own (RFC 2046 section 5.1.3): its headers, and its body as it is.
func (b *batch) readParts(body []byte, boundary string) error {
	parts := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = b.add(b.readPart(part))
		}
		if err != nil {
			return malformedUnlessRefused(err)
		}
	}
}

func (b *batch) readPart(part *multipart.Part) (parcel, error) {
	l, err := readLetter(nethttp.Header(part.Header), b.to)
	if err != nil {
		return parcel{}, err
	}
	body, err := io.ReadAll(part)
	if err != nil {
		return parcel{}, err
	}
	if isEnvelope(l.properties.ContentType) {
		return readDraft(body, b.to)
	}
	return parcel{l, body}, nil
}

// readArray reads the elements of a JSON array one by one.
func (b *batch) readArray(body []byte, read func(json.RawMessage) (parcel, error)) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if begin, err := decoder.Token(); err != nil || begin != json.Delim('[') {
		return router.Errorf(router.Malformed, "the batch is not a JSON array")
	}
	for decoder.More() {
		var element json.RawMessage
		err := decoder.Decode(&element)
		if err == nil {
			err = b.add(read(element))
		}
		if err != nil {
			return malformedUnlessRefused(err)
		}
	}
	if _, err := decoder.Token(); err != nil {
		return malformedUnlessRefused(err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return router.Errorf(router.Malformed, "something follows the JSON array")
	}
	return nil
}

func (b *batch) readDraft(element json.RawMessage) (parcel, error) { return readDraft(element, b.to) }

// readEvent makes one event of a batch a message in structured mode: AMQP has no batches of events (HTTP protocol
// binding 1.0.2, section 3.3; AMQP protocol binding 1.0.2, section 3.2).
func (b *batch) readEvent(element json.RawMessage) (parcel, error) {
	var attributes map[string]json.RawMessage
	if err := json.Unmarshal(element, &attributes); err != nil {
		return parcel{}, err
	}
	for _, name := range required {
		if name = strings.ToLower(name); len(attributes[name]) < len(`"x"`) {
			return parcel{}, router.Errorf(router.Malformed, "a CloudEvent needs the attribute %s", name)
		}
	}
	l := newLetter(b.to)
	l.properties.ContentType = typeEvent
	return parcel{l, element}, nil
}

// malformedUnlessRefused makes an error of a parser a refusal.
func malformedUnlessRefused(err error) error {
	if router.ReasonOf(err) != router.Internal {
		return err
	}
	return router.Errorf(router.Malformed, "the batch cannot be read: %v", err)
}

// setKey gives a message without an id one from the key of the whole request, which its place there tells apart.
func (p *parcel) setKey(key []string, place int) error {
	if p.letter.properties.MessageID != nil {
		return nil
	}
	return p.letter.readKey(key, "/"+strconv.Itoa(place))
}

// batchType tells what kind of batch a request carries; it is empty for none that is known.
func batchType(h nethttp.Header) (media, boundary string) {
	media, parameters, err := mime.ParseMediaType(h.Get("Content-Type"))
	boundary = parameters["boundary"]
	switch {
	case err != nil:
	case media == typeJSON, media == typeLines, media == typeEventBatch:
		return media, ""
	case media == typeMultipart && boundary != "":
		return media, boundary
	}
	return "", ""
}
