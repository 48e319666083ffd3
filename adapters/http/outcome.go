package http

import (
	"context"
	nethttp "net/http"
	"time"

	"github.com/manifoldmq/manifold/router"
)

// outcome is a door's side of a sender that sends one message and hears once.
type outcome chan router.Outcome

var _ router.Producer = outcome(nil)

// Settled implements router.Producer.
func (o outcome) Settled(_ *router.Sender, _ uint64, result router.Outcome) { o <- result }

// Credit implements router.Producer. A request brings its one message with it, so there is nobody to hold back: how many
// wait is bounded by connections and streams.
func (o outcome) Credit(*router.Sender, int) {}

// now gives the outcome if it has been heard.
func (o outcome) now() (result router.Outcome, ok bool) {
	select {
	case result = <-o:
		return result, true
	default:
		return result, false
	}
}

// wait gives the outcome unless ctx ends or the time passes before.
func (o outcome) wait(ctx context.Context, within time.Duration) (result router.Outcome, ok bool) {
	timeout := time.NewTimer(within)
	defer timeout.Stop()
	select {
	case result = <-o:
		return result, true
	case <-timeout.C:
	case <-ctx.Done():
	}
	return result, false
}

// deaf is a door's side of a sender whose client asked for no outcome.
type deaf struct{}

var _ router.Producer = deaf{}

// Settled implements router.Producer.
func (deaf) Settled(*router.Sender, uint64, router.Outcome) {}

// Credit implements router.Producer.
func (deaf) Credit(*router.Sender, int) {}

// result tells what became of one message of several.
type result struct {
	Line   int    `json:"line,omitempty"` // of a stream, from 1
	Status int    `json:"status"`
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`

	retry bool // whether trying again may help
}

// resultOf gives what an outcome comes to.
func resultOf(o router.Outcome) result {
	if o.State == router.Accepted {
		return result{Status: nethttp.StatusCreated}
	}
	detail := o.Text
	if detail == "" {
		detail = outcomeDetails[o.State]
	}
	status := statuses[o.Reason]
	return result{Status: status.code, Reason: o.Reason.String(), Detail: detail, retry: status.retry}
}

// outcomeDetails say what an outcome means that came without words of its own.
var outcomeDetails = [...]string{
	router.Released: "nobody took the message; it may be sent again",
	router.Rejected: "the message was rejected",
	router.Modified: "delivering the message was tried and failed; it may be sent again",
}

// unknown tells of a message that cannot be withdrawn any more and has no outcome in time.
func unknown() result {
	return result{
		Status: nethttp.StatusGatewayTimeout,
		Detail: "a consumer has the message and has not settled it: whether it will be accepted is not known",
	}
}
