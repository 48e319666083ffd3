package management

import (
	"errors"
	"fmt"

	"github.com/manifoldmq/manifold/router"
)

// The status codes of answers: those of HTTP.
const (
	statusOK             = 200
	statusCreated        = 201
	statusNoContent      = 204
	statusBadRequest     = 400
	statusForbidden      = 403
	statusNotFound       = 404
	statusConflict       = 409
	statusTooLarge       = 413
	statusInternal       = 500
	statusNotImplemented = 501
	statusUnavailable    = 503
	statusNoRoom         = 507
)

// fault is why a request is not done.
type fault struct {
	status int
	text   string
}

func faultf(status int, format string, args ...any) error {
	return fault{status, fmt.Sprintf(format, args...)}
}

func (f fault) Error() string { return f.text }

// statusOfReason is the table of what a Model refuses.
var statusOfReason = [router.ReasonCount]int{
	router.OK:              statusOK,
	router.Unroutable:      statusUnavailable,
	router.Failed:          statusInternal,
	router.Malformed:       statusBadRequest,
	router.Unauthenticated: statusForbidden,
	router.Denied:          statusForbidden,
	router.NotFound:        statusNotFound,
	router.Conflict:        statusConflict,
	router.TooLarge:        statusTooLarge,
	router.Quota:           statusNoRoom,
	router.Unsupported:     statusNotImplemented,
	router.Stopping:        statusUnavailable,
	router.Internal:        statusInternal,
}

// statusOf gives the status and the description of an error. What is not meant for clients is not told them.
func statusOf(err error) (status int, description string) {
	if f, ok := errors.AsType[fault](err); ok {
		return f.status, f.text
	}
	if e, ok := errors.AsType[*router.Error](err); ok {
		return statusOfReason[e.Reason], e.Text
	}
	return statusInternal, "the gateway could not do it; its log says why"
}
