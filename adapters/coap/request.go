package coap

import (
	"bytes"
	"slices"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// request is a request taken apart. Its bytes are borrowed until the handler returns, but for those of one that was kept.
type request struct {
	exchange session.Exchange
	code     codes.Code
	waits    bool
	token    message.Token
	host     []byte // Uri-Host; empty for none
	path     []byte // the levels of Uri-Path with "/" between
	query    parameters
	format   int    // Content-Format, or noFormat
	accept   int    // Accept, or noFormat
	observe  int    // Observe, or notObserved
	maxAge   uint32 // Max-Age, or 0
	body     []byte
	tags     [][]byte // ETag: what the client has already
	ifMatch  [][]byte
	ifNone   bool // If-None-Match

	account *account // whose it is, once that is known
}

// The values of Observe in a request (RFC 7641 section 2).
const (
	notObserved = -1
	register    = 0
	deregister  = 1
)

// read takes a request apart. The error is about an option that the door does not know and must (RFC 7252 section 5.4.1).
func (r *request) read(in *session.Request) error {
	*r = request{
		exchange: in.Exchange, code: in.Code, waits: in.Waits, token: in.Token, body: in.Body,
		path: r.path[:0], format: noFormat, accept: noFormat, observe: notObserved,
	}
	first := true
	for _, o := range in.Options {
		switch o.ID {
		case message.URIHost:
			r.host = o.Value
		case message.URIPath:
			if !first {
				r.path = append(r.path, '/')
			}
			first = false
			r.path = append(r.path, o.Value...)
		case message.URIQuery:
			r.query.add(o.Value)
		case message.ContentFormat:
			r.format = int(uintOf(o.Value))
		case message.Accept:
			r.accept = int(uintOf(o.Value))
		case message.Observe:
			r.observe = int(uintOf(o.Value))
		case message.MaxAge:
			r.maxAge = uintOf(o.Value)
		case message.ETag:
			r.tags = append(r.tags, o.Value)
		case message.IfMatch:
			r.ifMatch = append(r.ifMatch, o.Value)
		case message.IfNoneMatch:
			r.ifNone = true
		case message.URIPort:
		case message.ProxyURI, message.ProxyScheme: // RFC 7252 section 5.10.2
			return refuse(codes.ProxyingNotSupported, "this is no proxy")
		default:
			if o.ID&1 == 1 { // it is critical
				return refuse(codes.BadOption, "an option that this server does not know")
			}
		}
	}
	return nil
}

// keep gives the request with bytes of its own.
func (r *request) keep() *request {
	kept := *r
	kept.token, kept.host, kept.path = bytes.Clone(r.token), bytes.Clone(r.host), bytes.Clone(r.path)
	kept.body = bytes.Clone(r.body)
	kept.tags, kept.ifMatch = slices.Clone(r.tags), slices.Clone(r.ifMatch)
	for i, tag := range kept.tags {
		kept.tags[i] = bytes.Clone(tag)
	}
	for i, tag := range kept.ifMatch {
		kept.ifMatch[i] = bytes.Clone(tag)
	}
	return &kept
}

// accepts tells whether the client takes a content format. One that no number stands for it takes.
func (r *request) accepts(format int) bool { return accepts(r.accept, format) }

func accepts(accept, format int) bool {
	return accept == noFormat || format == noFormat || accept == format
}
