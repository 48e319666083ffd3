package wire

import (
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// State gives an outcome as a delivery state [3.4].
func State(o router.Outcome) frame.State {
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
		return frame.State{Kind: frame.Rejected, Error: rejectionError(&o)}
	}
}

// rejectionError gives the error of a delivery that was rejected: as its consumer said it, if that is known.
func rejectionError(o *router.Outcome) *frame.Error {
	if o.Detail != "" {
		return frame.ParseError([]byte(o.Detail))
	}
	return &frame.Error{Condition: conditions[o.Reason], Description: o.Text}
}

// Outcome gives the state that a receiver settled with as an outcome. One that settles without saying how has not dealt
// with the message, so it is released [3.4.4].
func Outcome(s *frame.State) router.Outcome {
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

// rejection gives the outcome of a delivery that was rejected [3.4.3]. What the router has no words for goes with it for those
// who speak AMQP.
func rejection(e *frame.Error) router.Outcome {
	o := rejectionInWords(e)
	if plain := rejectionError(&o); e == nil || plain.Condition != e.Condition || plain.Description != e.Description || e.Info != nil {
		o.Detail = string(e.Append(nil))
	}
	return o
}

// rejectionInWords gives it in words that every protocol knows. A condition that is not one of the standard is Malformed, and goes
// before the text: sending the message again will not help.
func rejectionInWords(e *frame.Error) router.Outcome {
	if e == nil {
		return router.Reject(router.Malformed, "the consumer rejected the message")
	}
	reason, known := reasons[e.Condition]
	switch {
	case !known:
		return router.Reject(router.Malformed, e.Error())
	case e.Description == "":
		return router.Reject(reason, string(e.Condition))
	default:
		return router.Reject(reason, e.Description)
	}
}

// modification gives the outcome of a delivery that was modified [3.4.5]: one that did not fail, only goes back, or is not for
// this receiver, or has other annotations now, has not failed for that reason.
func modification(s *frame.State) router.Outcome {
	o := router.Outcome{
		State: router.Modified, Reason: router.Unroutable,
		Elsewhere: s.UndeliverableHere, Annotations: string(s.Annotations),
	}
	if s.DeliveryFailed {
		o.Reason = router.Failed
	}
	return o
}
