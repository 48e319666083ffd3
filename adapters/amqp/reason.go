package amqp

import (
	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// conditions is the door's table: each reason as an error condition of the standard. One that is an outcome of its own
// (released, modified) has a condition too, for the link that is refused for that reason.
//
//	amqp errors [2.8.15]:       https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-transport-v1.0-os.html#type-amqp-error
//	connection errors [2.8.16]: https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-transport-v1.0-os.html#type-connection-error
//	link errors [2.8.18]:       https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-transport-v1.0-os.html#type-link-error
var conditions = [router.ReasonCount]codec.Symbol{
	router.OK:              "",
	router.Unroutable:      frame.PreconditionFailed,
	router.Failed:          frame.InternalError,
	router.Malformed:       frame.InvalidField,
	router.Unauthenticated: frame.UnauthorizedAccess,
	router.Denied:          frame.UnauthorizedAccess,
	router.NotFound:        frame.NotFound,
	router.Conflict:        frame.ResourceLocked,
	router.TooLarge:        frame.MessageSizeExceeded,
	router.Quota:           frame.ResourceLimitExceeded,
	router.Unsupported:     frame.NotImplemented,
	router.Stopping:        frame.ConnectionForced,
	router.Internal:        frame.InternalError,
}

// errorOf gives an error of the router as one of AMQP. What is a fault of ours is not described to the peer.
func errorOf(err error) *frame.Error {
	reason := router.ReasonOf(err)
	e := &frame.Error{Condition: conditions[reason]}
	if reason != router.Internal {
		e.Description = err.Error()
	}
	return e
}

// stateOf gives an outcome as a delivery state [3.4].
func stateOf(o router.Outcome) frame.State {
	switch o.State {
	case router.Accepted:
		return frame.State{Kind: frame.Accepted}
	case router.Released:
		return frame.State{Kind: frame.Released}
	case router.Modified:
		return frame.State{
			Kind:              frame.Modified,
			DeliveryFailed:    o.Reason == router.Failed,
			UndeliverableHere: o.Elsewhere,
			Annotations:       []byte(o.Annotations),
		}
	default:
		return frame.State{
			Kind:  frame.Rejected,
			Error: &frame.Error{Condition: conditions[o.Reason], Description: o.Text},
		}
	}
}

// outcomeOf gives the state that a consumer settled with as an outcome. A consumer that settles without saying how has
// not dealt with the message, so it is released [3.4.4].
func outcomeOf(s *frame.State) router.Outcome {
	if s == nil {
		return router.Release()
	}
	switch s.Kind {
	case frame.Accepted:
		return router.Accept()
	case frame.Rejected:
		text := "the consumer rejected the message"
		if s.Error != nil {
			text = string(s.Error.Condition) + ": " + s.Error.Description
		}
		return router.Reject(router.Malformed, text)
	case frame.Modified:
		return modifiedOutcome(s)
	default:
		return router.Release()
	}
}

// modifiedOutcome gives the outcome of a delivery that its consumer modified [3.4.5]. One that only goes back is released;
// one that did not fail but is not for this consumer, or has other annotations now, is modified without that reason.
func modifiedOutcome(s *frame.State) router.Outcome {
	o := router.Outcome{
		State: router.Modified, Reason: router.Unroutable,
		Elsewhere: s.UndeliverableHere, Annotations: string(s.Annotations),
	}
	switch {
	case s.DeliveryFailed:
		o.Reason = router.Failed
	case !o.Elsewhere && o.Annotations == "":
		o.State = router.Released
	}
	return o
}
