package coap

import (
	"strings"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
)

// options gathers the options of a response. They are added in the order of their numbers, as they are written
// (RFC 7252 section 3.1).
type options message.Options

// text adds an option of text, or of opaque bytes.
func (o *options) text(id message.OptionID, value string) {
	*o = append(*o, message.Option{ID: id, Value: []byte(value)})
}

// number adds an option of an unsigned integer in as few bytes as it takes (RFC 7252 section 3.2).
func (o *options) number(id message.OptionID, value uint32) {
	var b []byte
	for shift := 24; shift >= 0; shift -= 8 {
		if v := byte(value >> shift); v != 0 || len(b) > 0 {
			b = append(b, v)
		}
	}
	*o = append(*o, message.Option{ID: id, Value: b})
}

// maxText is how long a Location-Path or a Location-Query may be (RFC 7252 section 5.10).
const maxText = 255

// path adds a path as one Location-Path for each level; nothing if one is too long.
func (o *options) path(text string) {
	for level := range strings.SplitSeq(text, "/") {
		if len(level) > maxText {
			return
		}
	}
	for level := range strings.SplitSeq(text, "/") {
		o.text(message.LocationPath, level)
	}
}

// seconds adds a duration in seconds, which it rounds up.
func (o *options) seconds(id message.OptionID, d time.Duration) {
	o.number(id, uint32((max(d, 0)+time.Second-1)/time.Second))
}

// uintOf reads an option's unsigned integer; of more than four bytes it is the greatest.
func uintOf(value []byte) uint32 {
	if len(value) > 4 {
		return 1<<32 - 1
	}
	n := uint32(0)
	for _, b := range value {
		n = n<<8 | uint32(b)
	}
	return n
}
