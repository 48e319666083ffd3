package frame

import "github.com/manifoldmq/manifold/router/amqp"

// Error says why a link, a session or a connection ended, or a message was rejected [2.8.14].
type Error struct {
	Condition   amqp.Symbol   // mandatory
	Description string        // for people
	Info        amqp.RawValue // map with symbol keys
}

// Error implements error.
func (e *Error) Error() string {
	if e.Description == "" {
		return string(e.Condition)
	}
	return string(e.Condition) + ": " + e.Description
}

// Conditions that any scope may have [2.8.15].
const (
	InternalError         amqp.Symbol = "amqp:internal-error"
	NotFound              amqp.Symbol = "amqp:not-found"
	UnauthorizedAccess    amqp.Symbol = "amqp:unauthorized-access"
	DecodeError           amqp.Symbol = "amqp:decode-error"
	ResourceLimitExceeded amqp.Symbol = "amqp:resource-limit-exceeded"
	NotAllowed            amqp.Symbol = "amqp:not-allowed"
	InvalidField          amqp.Symbol = "amqp:invalid-field"
	NotImplemented        amqp.Symbol = "amqp:not-implemented"
	ResourceLocked        amqp.Symbol = "amqp:resource-locked"
	PreconditionFailed    amqp.Symbol = "amqp:precondition-failed"
	ResourceDeleted       amqp.Symbol = "amqp:resource-deleted"
	IllegalState          amqp.Symbol = "amqp:illegal-state"
	FrameSizeTooSmall     amqp.Symbol = "amqp:frame-size-too-small"
)

// Conditions of a connection [2.8.16].
const (
	ConnectionForced   amqp.Symbol = "amqp:connection:forced"
	FramingError       amqp.Symbol = "amqp:connection:framing-error"
	ConnectionRedirect amqp.Symbol = "amqp:connection:redirect"
)

// Conditions of a session [2.8.17].
const (
	WindowViolation  amqp.Symbol = "amqp:session:window-violation"
	ErrantLink       amqp.Symbol = "amqp:session:errant-link"
	HandleInUse      amqp.Symbol = "amqp:session:handle-in-use"
	UnattachedHandle amqp.Symbol = "amqp:session:unattached-handle"
)

// Conditions of a link [2.8.18].
const (
	DetachForced          amqp.Symbol = "amqp:link:detach-forced"
	TransferLimitExceeded amqp.Symbol = "amqp:link:transfer-limit-exceeded"
	MessageSizeExceeded   amqp.Symbol = "amqp:link:message-size-exceeded"
	LinkRedirect          amqp.Symbol = "amqp:link:redirect"
	Stolen                amqp.Symbol = "amqp:link:stolen"
)

// Conditions of a transaction [4.5.8].
const (
	TransactionUnknownID amqp.Symbol = "amqp:transaction:unknown-id"
	TransactionRollback  amqp.Symbol = "amqp:transaction:rollback"
	TransactionTimeout   amqp.Symbol = "amqp:transaction:timeout"
)

// Append appends the error, or null for nil.
func (e *Error) Append(dst []byte) []byte {
	if e == nil {
		return amqp.AppendNull(dst)
	}
	f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorError))
	f.Symbol(e.Condition)
	f.StringOrNull(e.Description)
	putRaw(&f, e.Info)
	return f.End()
}

// ParseError reads an error that Append has written; nil for null. What is damaged is nil, too.
func ParseError(p []byte) *Error {
	d := amqp.NewDecoder(p)
	if d.ReadNull() {
		return nil
	}
	e := readError(&d)
	if d.Err() != nil {
		return nil
	}
	return e
}

// readError reads an error with its descriptor.
func readError(d *amqp.Decoder) *Error {
	expect(d, amqp.DescriptorError, "error")
	f := readFields(d, "error")
	e := &Error{
		Condition:   f.mustSymbol("condition"),
		Description: f.string(),
		Info:        f.fieldMap(),
	}
	f.list.End()
	return e
}
