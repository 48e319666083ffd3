package http

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
)

// appendEvent appends a message as one event (https://html.spec.whatwg.org/multipage/server-sent-events.html).
//
// Its data is the envelope, or with raw the payload itself: as text where the format can carry it exactly, else as
// base64 in an event named "binary". Without an id of its own it has the message's, escaped like the header, or its
// number.
func appendEvent(dst []byte, r *reading, id string, number uint64, raw bool, now time.Time) []byte {
	if id == "" {
		id = escapeText(amqp.FormatID(r.properties.MessageID))
	}
	if id == "" {
		id = strconv.FormatUint(number, 10)
	}
	dst = append(append(dst, "id: "...), id...)
	switch {
	case !raw:
		dst = append(dst, "\nevent: message\ndata: "...)
		dst = append(dst, encodeJSON(r.envelope(now))...)
	case r.isText() && bytes.IndexByte(r.body, '\r') < 0:
		dst = append(dst, "\nevent: message\n"...)
		dst = appendLines(dst, r.body)
	default:
		dst = append(dst, "\nevent: binary\ndata: "...)
		dst = base64.StdEncoding.AppendEncode(dst, r.body)
	}
	return append(dst, "\n\n"...)
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
