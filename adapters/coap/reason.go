package coap

import (
	"errors"

	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/router"
)

// The codes that the codec has no name for.
const (
	codeFETCH  codes.Code = 5 // RFC 8132 section 4
	codePATCH  codes.Code = 6
	codeIPATCH codes.Code = 7

	codeConflict codes.Code = 4<<5 | 9 // RFC 8132 section 3.4
)

// answer is what one reason comes to in CoAP.
type answer struct {
	code  codes.Code
	retry bool // whether Max-Age tells when to try again
}

// answers turns a reason into a response code. Outcomes and refused links share it: Accepted carries OK, Released carries
// Unroutable and Modified carries Failed.
var answers = [router.ReasonCount]answer{
	// RFC 7252 section 5.9.1.4: what was asked for has been done.
	router.OK: {code: codes.Changed},
	// RFC 7252 section 5.9.3.4: Max-Age says after how many seconds to try again.
	router.Unroutable: {code: codes.ServiceUnavailable, retry: true},
	router.Failed:     {code: codes.ServiceUnavailable, retry: true},
	// RFC 7252 section 5.9.2.1.
	router.Malformed: {code: codes.BadRequest},
	// RFC 7252 section 5.9.2.2.
	router.Unauthenticated: {code: codes.Unauthorized},
	// RFC 7252 section 5.9.2.4.
	router.Denied: {code: codes.Forbidden},
	// RFC 7252 section 5.9.2.5.
	router.NotFound: {code: codes.NotFound},
	// RFC 8132 section 3.4: a conflict with the state of the resource.
	router.Conflict: {code: codeConflict},
	// RFC 7252 section 5.9.2.9: Size1 says how much would have been taken.
	router.TooLarge: {code: codes.RequestEntityTooLarge},
	// RFC 8516 section 3: too many requests, and Max-Age says when to come back.
	router.Quota: {code: codes.TooManyRequests, retry: true},
	// RFC 7252 section 5.9.3.2.
	router.Unsupported: {code: codes.NotImplemented},
	// RFC 7252 section 5.9.3.4.
	router.Stopping: {code: codes.ServiceUnavailable, retry: true},
	// RFC 7252 section 5.9.3.1.
	router.Internal: {code: codes.InternalServerError},
}

// refusal is an answer that no reason of the router stands for.
type refusal struct {
	code codes.Code
	text string
	size int // for Size1; 0 for none
}

func (r *refusal) Error() string { return r.text }

// refuse gives a refusal by a code of CoAP's own.
func refuse(code codes.Code, text string) error { return &refusal{code: code, text: text} }

// errorOf gives an outcome that is not Accepted as an error.
func errorOf(o router.Outcome) error {
	text := o.Text
	if text == "" {
		text = "the message was " + o.State.String() + ": " + o.Reason.String()
	}
	return router.Errorf(o.Reason, "%s", text)
}

// reasonOf gives the reason that counts a refusal.
func reasonOf(err error) router.Reason {
	r, ok := errors.AsType[*refusal](err)
	switch {
	case !ok:
		return router.ReasonOf(err)
	case r.code == codes.RequestEntityTooLarge:
		return router.TooLarge
	case r.code == codes.GatewayTimeout:
		return router.Failed
	default:
		return router.Malformed
	}
}
