package engine

import "github.com/manifoldmq/manifold/router/amqp/frame"

// A Handler hears what the peer wants. The owner of the connection implements it; see the package comment for when its
// methods run and how long their arguments live.
type Handler interface {
	// Authenticate is a step of a client's authentication, on a server only. Nothing else is read until Challenge,
	// Admit or Deny, now or later.
	Authenticate(Authentication)
	// Opened is the peer's open; it is the Handler's to keep. Nothing else is read until Conn.Open or Conn.Close, unless
	// Open was called before. From here on sessions may begin.
	Opened(*frame.Open)
	// Closed is the last call, made exactly once, after every link and session has ended.
	Closed(Ending)

	// Begun is a session that both sides have begun.
	Begun(*Session)
	// Ended is a session that is over, after all its links. e is why the peer ended it, or nil.
	Ended(s *Session, e *frame.Error)

	// Requested is a link that the peer wants; answer with Accept or Refuse, now or later.
	Requested(*Link)
	// Attached is a link of ours that the peer has accepted. One that it refuses is Detached without this.
	Attached(*Link)
	// Detached is a link that is over, after all its deliveries. It is not called for a link that was refused.
	Detached(*Link, Detachment)
	// Sendable is a sender's link that may take more, or should say Drained: credit came, a drain was asked for, or the
	// last piece of a streamed delivery that is still open has been written.
	Sendable(*Link)
	// Drained is a receiver's link whose credit has been used up or given back after Drain.
	Drained(*Link)

	// Received is a delivery on a receiver's link, or a piece of one.
	Received(*Link, *Transfer)
	// Progressed is what became of a delivery: one that we sent, or one whose sender has something to say.
	Progressed(*Link, Update)
}

// A Farewell is a Handler that may have to tell a peer who closes a link that this did not do all that it should, such as
// to end what the link kept.
type Farewell interface {
	// Farewell gives the error for our answer to the close, or nil. The link's deliveries have ended; Detached follows.
	Farewell(*Link, Detachment) *frame.Error
}

// By says who ended something.
type By uint8

// Who ended something.
const (
	ByUs      By = iota // the owner, or the engine because the peer broke a rule
	ByPeer              // the peer said so
	ByNetwork           // the connection was lost, or the peer fell silent
)

var byNames = [...]string{"us", "peer", "network"}

// String gives the name for logs.
func (b By) String() string { return byNames[b] }

// Ending is why a connection is over.
type Ending struct {
	By    By
	Error *frame.Error // nil for a close without fault
}

// Detachment is why a link is over.
type Detachment struct {
	By     By
	Closed bool         // for good; otherwise its terminus may be kept, to be attached again
	Error  *frame.Error // nil for a detach without fault
}
