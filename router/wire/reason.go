package wire

import (
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// conditions is AMQP's table: each reason as an error condition of the standard. One that is an outcome of its own
// (released, modified) has a condition too, for the link that is refused for that reason.
//
//	amqp errors [2.8.15]:       https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-transport-v1.0-os.html#type-amqp-error
//	connection errors [2.8.16]: https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-transport-v1.0-os.html#type-connection-error
//	link errors [2.8.18]:       https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-transport-v1.0-os.html#type-link-error
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

// reasons gives what a message is rejected for as a reason, so that clients of any protocol are told what was meant, however
// many routers it has gone through. Only Failed and Unauthenticated have no condition of their own.
var reasons = map[amqp.Symbol]router.Reason{
	frame.InvalidField:          router.Malformed,
	frame.UnauthorizedAccess:    router.Denied,
	frame.NotAllowed:            router.Denied,
	frame.NotFound:              router.NotFound,
	frame.ResourceDeleted:       router.NotFound,
	frame.PreconditionFailed:    router.Unroutable,
	frame.ResourceLocked:        router.Conflict,
	frame.MessageSizeExceeded:   router.TooLarge,
	frame.ResourceLimitExceeded: router.Quota,
	frame.NotImplemented:        router.Unsupported,
	frame.ConnectionForced:      router.Stopping,
	frame.InternalError:         router.Internal,
}

// Condition gives a reason as an error condition [2.8.15]; it is empty for [router.OK] alone.
func Condition(r router.Reason) amqp.Symbol { return conditions[r] }

// Error gives an error of the router as one of AMQP. What is a fault of ours is not described to the peer.
func Error(err error) *frame.Error {
	reason := router.ReasonOf(err)
	e := &frame.Error{Condition: conditions[reason]}
	if reason != router.Internal {
		e.Description = err.Error()
	}
	return e
}
