package http

import (
	nethttp "net/http"

	"github.com/manifoldmq/manifold/router"
)

// status is what one reason comes to in HTTP.
type status struct {
	code  int
	retry bool // whether to say when trying again may help (RFC 9110 section 10.2.3)
}

// statuses turns a reason into an answer. Outcomes and refused links share it: Accepted carries OK, Released carries
// Unroutable and Modified carries Failed.
var statuses = [router.ReasonCount]status{
	// RFC 9110 section 15.3.2: the message has been created where the address promises to keep it.
	router.OK: {code: nethttp.StatusCreated},
	// RFC 9110 section 15.6.4: temporarily unable, and Retry-After may say for how long.
	router.Unroutable: {code: nethttp.StatusServiceUnavailable, retry: true},
	router.Failed:     {code: nethttp.StatusServiceUnavailable},
	// RFC 9110 section 15.5.1.
	router.Malformed: {code: nethttp.StatusBadRequest},
	// RFC 9110 section 15.5.2: WWW-Authenticate must come with it.
	router.Unauthenticated: {code: nethttp.StatusUnauthorized},
	// RFC 9110 section 15.5.4.
	router.Denied: {code: nethttp.StatusForbidden},
	// RFC 9110 section 15.5.5.
	router.NotFound: {code: nethttp.StatusNotFound},
	// RFC 9110 section 15.5.10: a conflict with the current state of the resource.
	router.Conflict: {code: nethttp.StatusConflict},
	// RFC 9110 section 15.5.14.
	router.TooLarge: {code: nethttp.StatusRequestEntityTooLarge},
	// RFC 6585 section 4: too many requests, and Retry-After may say when to come back.
	router.Quota: {code: nethttp.StatusTooManyRequests, retry: true},
	// RFC 9110 section 15.6.2.
	router.Unsupported: {code: nethttp.StatusNotImplemented},
	// RFC 9110 section 15.6.4.
	router.Stopping: {code: nethttp.StatusServiceUnavailable, retry: true},
	// RFC 9110 section 15.6.1.
	router.Internal: {code: nethttp.StatusInternalServerError},
}
