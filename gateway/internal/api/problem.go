package api

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/declared"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// errNotFound is all that somebody hears of what is not there, and of what is not for him.
func errNotFound() error { return huma.Error404NotFound("there is nothing of this name") }

// errForbidden is for what is there, and may be looked at.
func errForbidden(text string) error { return huma.Error403Forbidden(text) }

// statuses are those of reasons; RFC 9110 section 15.
var statuses = map[router.Reason]int{
	router.Malformed: http.StatusBadRequest, router.Denied: http.StatusForbidden,
	router.Conflict: http.StatusConflict, router.TooLarge: http.StatusRequestEntityTooLarge,
	router.Quota: http.StatusTooManyRequests, router.Unsupported: http.StatusUnprocessableEntity,
	router.Stopping: http.StatusServiceUnavailable,
}

// asProblem turns an error into one that is answered (RFC 9457). One of which nothing is known is logged, and nobody is told
// what it says.
func (s *server) asProblem(err error) error {
	if err == nil {
		return nil
	}
	if invalid, ok := errors.AsType[*declared.Invalid](err); ok {
		return unprocessable(invalid.Problems)
	}
	if problems, ok := errors.AsType[config.Problems](err); ok {
		return unprocessable(problems)
	}
	if refusal, ok := errors.AsType[*router.Error](err); ok {
		if refusal.Reason == router.NotFound {
			return errNotFound()
		}
		if status, ok := statuses[refusal.Reason]; ok {
			return huma.NewError(status, refusal.Text)
		}
	}
	switch {
	case errors.Is(err, declared.ErrNotFound):
		return errNotFound()
	case errors.Is(err, declared.ErrStale):
		return huma.Error412PreconditionFailed(err.Error())
	case errors.Is(err, declared.ErrFile):
		return huma.Error409Conflict(err.Error())
	case errors.Is(err, declared.ErrScalars):
		return errForbidden(err.Error())
	case errors.Is(err, declared.ErrName):
		return huma.Error422UnprocessableEntity("it is not valid", &huma.ErrorDetail{Location: "body.name", Message: err.Error()})
	}
	if _, ok := errors.AsType[huma.StatusError](err); ok {
		return err
	}
	s.log.Error("a request of the admin API failed", "err", err)
	return huma.Error500InternalServerError("it could not be done; the log says why")
}

// unprocessable names each setting that is wrong.
func unprocessable(problems config.Problems) error {
	details := make([]error, len(problems))
	for i, p := range problems {
		location := "body"
		if p.Path != "" {
			location += "." + p.Path
		}
		details[i] = &huma.ErrorDetail{Location: location, Message: p.Text}
	}
	return huma.Error422UnprocessableEntity("it is not valid", details...)
}

// refuse answers a request that has not got as far as an operation.
func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(huma.NewError(status, text)) // else the client has gone
}

// refuseEntry answers somebody who was not let in.
func refuseEntry(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, errForeign):
		refuse(w, http.StatusForbidden, err.Error())
	case errors.Is(err, tenancy.ErrBusy):
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusServiceUnavailable, err.Error())
	default:
		w.Header().Add("WWW-Authenticate", `Basic realm="manifold", charset="UTF-8"`)
		w.Header().Add("WWW-Authenticate", `Bearer realm="manifold"`)
		refuse(w, http.StatusUnauthorized, err.Error())
	}
}
