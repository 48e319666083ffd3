package session

import "fmt"

// Refusal is why the server ends a session: what its ERROR frame says.
type Refusal struct {
	Message string // the header message: one of a few short texts, for programs
	Detail  string // the body, for people
}

// Error implements error.
func (r *Refusal) Error() string { return r.Message + ": " + r.Detail }

// The messages of refusals that sessions find themselves.
const (
	Malformed = "malformed" // the client broke the protocol
	TooLarge  = "too large" // a frame is beyond a limit of size
	Quota     = "quota"     // the client has too many of something
	Conflict  = "conflict"  // what is named exists already, or is not held any more
	NotFound  = "not found" // what is named does not exist
	Timeout   = "timeout"   // the client was silent for too long
	Stopping  = "stopping"  // the process is stopping
)

func refuse(message, format string, args ...any) *Refusal {
	return &Refusal{Message: message, Detail: fmt.Sprintf(format, args...)}
}
