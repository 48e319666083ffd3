// Package option knows the options of CoAP requests: how they are encoded, which of them are understood here, and what
// becomes of those that are not. Both carriers of CoAP use it.
//
// Promises:
//   - Pure: no goroutine, no lock, no clock, no I/O.
//   - Nothing is copied: the values of decoded options are parts of the message.
//   - No option is lost silently that its sender wants to be understood. The codec of go-coap drops a critical option
//     whose length is wrong; this package refuses it (RFC 7252 section 5.4.3).
package option

import (
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
)

// Options that go-coap has no name for.
const (
	HopLimit   message.OptionID = 16  // RFC 8768
	Echo       message.OptionID = 252 // RFC 9175 section 2
	RequestTag message.OptionID = 292 // RFC 9175 section 3
)

// form is what an option looks like.
type form struct {
	shortest, longest int
	repeatable        bool
}

// understood tells the form of an option that requests may carry. Its second result is false for one that means nothing
// here (the CoRE Parameters registry at IANA, https://www.iana.org/assignments/core-parameters).
func understood(id message.OptionID) (form, bool) {
	switch id {
	case message.IfMatch:
		return form{0, 8, true}, true
	case message.ETag:
		return form{1, 8, true}, true
	case message.IfNoneMatch:
		return form{0, 0, false}, true
	case message.URIHost:
		return form{1, 255, false}, true
	case message.URIPort, message.ContentFormat, message.Accept:
		return form{0, 2, false}, true
	case message.URIPath, message.URIQuery:
		return form{0, 255, true}, true
	case message.Observe, message.Block1, message.Block2:
		return form{0, 3, false}, true
	case message.MaxAge, message.Size1, message.Size2:
		return form{0, 4, false}, true
	case message.NoResponse:
		return form{0, 1, false}, true
	case HopLimit:
		return form{1, 1, false}, true
	case Echo:
		return form{1, 40, false}, true
	case RequestTag:
		return form{0, 8, true}, true
	}
	return form{}, false
}

// isCritical tells whether a request must be refused by who does not understand an option of it (RFC 7252 section
// 5.4.1).
func isCritical(id message.OptionID) bool { return id&1 == 1 }

// Refusal is why a request cannot be served because of an option. The zero value is no refusal.
type Refusal struct {
	Code   codes.Code
	Option message.OptionID
}

// Screen sorts out the options of a request. It removes, in place, the elective ones that are not understood, that have
// a wrong length, or that come more often than they may; a critical one in their place makes a refusal with 4.02 (RFC
// 7252 section 5.4). A request to a proxy is refused with 5.05 (section 5.10.2), one whose hops are used up with 4.00
// (RFC 8768 section 3).
func Screen(options message.Options) (message.Options, Refusal) {
	kept := options[:0]
	var previous message.OptionID
	for i, o := range options {
		if o.ID == message.ProxyURI || o.ID == message.ProxyScheme {
			return kept, Refusal{codes.ProxyingNotSupported, o.ID}
		}
		repeated := i > 0 && o.ID == previous
		previous = o.ID
		f, ok := understood(o.ID)
		switch {
		case ok && len(o.Value) >= f.shortest && len(o.Value) <= f.longest && (f.repeatable || !repeated):
			kept = append(kept, o)
		case isCritical(o.ID):
			return kept, Refusal{codes.BadOption, o.ID}
		}
		if o.ID == HopLimit && (len(o.Value) != 1 || o.Value[0] == 0) {
			return kept, Refusal{codes.BadRequest, o.ID}
		}
	}
	return kept, Refusal{}
}

// Strip removes, in place, the options that only concern how a request came.
func Strip(options message.Options) message.Options {
	kept := options[:0]
	for _, o := range options {
		switch o.ID {
		case message.Block1, message.Block2, message.Size1, message.Size2, message.NoResponse, HopLimit, Echo, RequestTag:
		default:
			kept = append(kept, o)
		}
	}
	return kept
}

// Suppresses tells whether the value of a request's No-Response option says that its client has no interest in a
// response (RFC 7967 section 2.1). The bit of a class is 1 << (class-1).
func Suppresses(uninteresting uint8, response codes.Code) bool {
	class := response >> 5
	return class >= 1 && class <= 8 && uninteresting&(1<<(class-1)) != 0
}
