package http

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
)

// view is a message as streams of one form show it. What differs between two streams, the id of the event, is not in it.
type view struct {
	id   string // the message's own, escaped like the header; may be empty
	text []byte // all of the event that follows the id, or a line
}

// newView shows a message as one event (https://html.spec.whatwg.org/multipage/server-sent-events.html), or as a line. The
// data of the event is the envelope, or in the raw form the payload itself: as text where the format can carry it exactly,
// else as base64 in an event named "binary".
func newView(r *reading, f form, now time.Time) *view {
	if f == formLines {
		return &view{text: append(encodeJSON(r.envelope(now)), '\n')}
	}
	v := &view{id: escapeText(amqp.FormatID(r.properties.MessageID))}
	switch {
	case f == formJSON:
		v.text = append(v.text, "\nevent: message\ndata: "...)
		v.text = append(v.text, encodeJSON(r.envelope(now))...)
	case r.isText() && bytes.IndexByte(r.body, '\r') < 0:
		v.text = append(v.text, "\nevent: message\n"...)
		v.text = appendLines(v.text, r.body)
	default:
		v.text = append(v.text, "\nevent: binary\ndata: "...)
		v.text = base64.StdEncoding.AppendEncode(v.text, r.body)
	}
	v.text = append(v.text, "\n\n"...)
	return v
}

// appendEvent appends the event. Without an id of its own it has the message's, or its number.
func (v *view) appendEvent(dst []byte, id string, number uint64) []byte {
	if id == "" {
		id = v.id
	}
	dst = append(append(dst, "id: "...), id...)
	if id == "" {
		dst = strconv.AppendUint(dst, number, 10)
	}
	return append(dst, v.text...)
}

// appendLines appends each line of a text as a field of its own, which the reader joins with line feeds again. A
// carriage return would come back as a line feed.
func appendLines(dst, text []byte) []byte {
	for i, line := range bytes.Split(text, []byte("\n")) {
		if i > 0 {
			dst = append(dst, '\n')
		}
		dst = append(append(dst, "data: "...), line...)
	}
	return dst
}
