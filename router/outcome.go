package router

import (
	"errors"
	"fmt"

	"github.com/manifoldmq/manifold/tenancy"
)

// State is how a delivery ended, in the words of AMQP 1.0 [3.4].
type State uint8

// The four ends of a delivery.
const (
	Accepted State = iota // responsibility has moved to the receiving side
	Released              // untouched: nobody could take it, it may be sent again
	Rejected              // invalid or refused: sending it again will not help
	Modified              // tried and failed: its delivery count has risen
)

var stateNames = [...]string{"accepted", "released", "rejected", "modified"}

// String gives the state's name as AMQP writes it.
func (s State) String() string { return stateNames[s] }

// Outcome is the one end of a Delivery.
type Outcome struct {
	State  State
	Reason Reason // OK for Accepted, else why not
	Text   string // for people; may be empty

	Detail string // Rejected over AMQP: the error as it was said, encoded, if Reason and Text do not say all of it; empty otherwise

	Elsewhere   bool   // Modified: not to be delivered to this receiver again (undeliverable-here [3.4.5])
	Annotations string // Modified: an encoded AMQP map, to be merged into the message annotations; empty for none
}

// Accept is the outcome of success.
func Accept() Outcome { return Outcome{} }

// Release is the outcome of a message that nobody could take.
func Release() Outcome { return Outcome{State: Released, Reason: Unroutable} }

// Fail is the outcome of a message that was handed out and came back unsettled.
func Fail() Outcome { return Outcome{State: Modified, Reason: Failed} }

// Reject is the outcome of a message that is refused for a reason.
func Reject(reason Reason, text string) Outcome {
	return Outcome{State: Rejected, Reason: reason, Text: text}
}

// Reason says why something was not accepted: the one vocabulary that each door's table turns into its protocol's
// own codes.
type Reason uint8

// The reasons. A door's table has an entry for each; its test walks Reasons.
const (
	OK              Reason = iota
	Unroutable             // nobody could take it
	Failed                 // tried and failed
	Malformed              // the peer broke its protocol or sent what cannot be read
	Unauthenticated        // who it is was not shown
	Denied                 // known, but not allowed
	NotFound               // no such address
	Conflict               // exclusive, taken over, or no longer held
	TooLarge               // beyond a size limit
	Quota                  // beyond a limit of number or rate, or no room left
	Unsupported            // understood, but not offered
	Stopping               // the process is stopping
	Internal               // a fault of ours
	reasonCount
)

var reasonNames = [reasonCount]string{
	"ok", "unroutable", "failed", "malformed", "unauthenticated", "denied", "not found", "conflict", "too large",
	"quota", "unsupported", "stopping", "internal",
}

// String gives the reason's name, as metrics and logs show it.
func (r Reason) String() string { return reasonNames[r] }

// ReasonCount is the number of reasons: the length of a door's table.
const ReasonCount = int(reasonCount)

// Error is a refusal: of a link, or of anything else that a client asked for.
type Error struct {
	Reason Reason
	Text   string // what was refused and which setting decides it; may be shown to the client
}

// Errorf makes an Error.
func Errorf(reason Reason, format string, args ...any) *Error {
	return &Error{Reason: reason, Text: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string { return e.Text }

// ReasonOf gives the reason in an error's chain, which may be one of package tenancy: OK for nil, Internal for an error that
// carries none.
func ReasonOf(err error) Reason {
	if err == nil {
		return OK
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	if e, ok := errors.AsType[*tenancy.Exceeded](err); ok {
		return reasonOfLimit(e.Limit)
	}
	switch {
	case errors.Is(err, tenancy.ErrCredentials), errors.Is(err, tenancy.ErrNoSuchTenant):
		return Unauthenticated
	case errors.Is(err, tenancy.ErrProtocol):
		return Denied
	case errors.Is(err, tenancy.ErrBusy):
		return Unroutable
	}
	return Internal
}

// reasonOfLimit is why something is refused that is beyond a tenant's limit.
func reasonOfLimit(l tenancy.Limit) Reason {
	switch l {
	case tenancy.MaxMessageSize:
		return TooLarge
	case tenancy.MaxTopicLevels:
		return Malformed
	default:
		return Quota
	}
}
