package stomp

import (
	"github.com/manifoldmq/manifold/adapters/stomp/internal/session"
	"github.com/manifoldmq/manifold/router"
)

// messages is the door's table: each reason as the header message of ERROR, which is for programs; what went wrong is
// told in the body, for people. STOMP has no codes. A server that sends ERROR must close the connection after it
// (https://stomp.github.io/stomp-specification-1.2.html#ERROR), so all of them end the session.
var messages = [router.ReasonCount]string{
	router.OK:              "",
	router.Unroutable:      "unroutable",
	router.Failed:          "failed",
	router.Malformed:       session.Malformed,
	router.Unauthenticated: "unauthenticated",
	router.Denied:          "denied",
	router.NotFound:        session.NotFound,
	router.Conflict:        session.Conflict,
	router.TooLarge:        session.TooLarge,
	router.Quota:           session.Quota,
	router.Unsupported:     "unsupported",
	router.Stopping:        session.Stopping,
	router.Internal:        "internal error",
}

// refusalOf gives an error of the router in the words of STOMP. What is a fault of ours is not described to the client.
func refusalOf(err error) *session.Refusal {
	reason := router.ReasonOf(err)
	r := &session.Refusal{Message: messages[reason]}
	if reason != router.Internal {
		r.Detail = err.Error()
	}
	return r
}

// errorOf gives an outcome that is not Accepted as an error.
func errorOf(o router.Outcome) error {
	text := o.Text
	if text == "" {
		text = "the message was " + o.State.String() + ": " + o.Reason.String()
	}
	return router.Errorf(o.Reason, "%s", text)
}
