package network

import (
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// conditions gives each reason as an error condition of the standard [2.8.15], for messages of a broker that are rejected.
var conditions = [router.ReasonCount]amqp.Symbol{
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

// reasons gives what a broker rejects for as a reason, so that clients of any protocol are told what it meant. Any other
// condition is Malformed: sending the message again will not help.
var reasons = map[amqp.Symbol]router.Reason{
	frame.UnauthorizedAccess:    router.Denied,
	frame.NotAllowed:            router.Denied,
	frame.NotFound:              router.NotFound,
	frame.ResourceDeleted:       router.NotFound,
	frame.ResourceLocked:        router.Conflict,
	frame.MessageSizeExceeded:   router.TooLarge,
	frame.ResourceLimitExceeded: router.Quota,
	frame.NotImplemented:        router.Unsupported,
	frame.InternalError:         router.Internal,
}

// stateOf gives an outcome of ours as a delivery state [3.4].
func stateOf(o router.Outcome) frame.State {
	switch o.State {
	case router.Accepted:
		return frame.State{Kind: frame.Accepted}
	case router.Released:
		return frame.State{Kind: frame.Released}
	case router.Modified:
		return frame.State{
			Kind: frame.Modified, DeliveryFailed: o.Reason == router.Failed, UndeliverableHere: o.Elsewhere,
			Annotations: []byte(o.Annotations),
		}
	default:
		return frame.State{
			Kind:  frame.Rejected,
			Error: &frame.Error{Condition: conditions[o.Reason], Description: o.Text},
		}
	}
}

// outcomeOf gives the state that a broker settled with as an outcome. One that settles without saying how has not taken the
// message [3.4.4].
func outcomeOf(s *frame.State) router.Outcome {
	if s == nil {
		return router.Release()
	}
	switch s.Kind {
	case frame.Accepted:
		return router.Accept()
	case frame.Rejected:
		return rejection(s.Error)
	case frame.Modified:
		return modification(s)
	default:
		return router.Release()
	}
}

func rejection(e *frame.Error) router.Outcome {
	if e == nil {
		return router.Reject(router.Malformed, "the broker rejected the message")
	}
	reason, ok := reasons[e.Condition]
	if !ok {
		reason = router.Malformed
	}
	return router.Reject(reason, e.Error())
}

// modification gives the outcome of a delivery that was modified [3.4.5]; one that only goes back is released.
func modification(s *frame.State) router.Outcome {
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
