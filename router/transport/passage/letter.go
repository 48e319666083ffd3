package passage

import (
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// letter is what one end tells the other.
type letter interface {
	// read is called by the owner of the end that the letter is for, as long as that is not over.
	read(*End)
}

// request is the wish for a link.
type request struct {
	attach  frame.Attach
	session *engine.Session // of who asks
}

func (x *request) read(e *End) { e.attach(x) }

// answer is the other peer's attach.
type answer struct{ attach frame.Attach }

func (x *answer) read(e *End) {
	if !e.parted {
		e.answered(&x.attach)
	}
}

// detach is the other peer's detach, or that it is gone.
type detach struct {
	closed bool
	err    *frame.Error
}

func (x *detach) read(e *End) { e.detachedThere(x) }

// flow is the credit that the other peer gives.
type flow struct {
	credit uint32 // for deliveries after those that were taken
	taken  uint32 // deliveries, since the beginning
	drain  bool
}

func (x *flow) read(e *End) { e.credited(x) }

// upTo counts the deliveries, since the beginning, that there is credit for.
func (x *flow) upTo() uint32 { return x.credit + x.taken }

// drained says that the other peer has nothing for the credit that it had.
type drained struct{ upTo uint32 } // as flow.upTo

func (x drained) read(e *End) { e.drainedThere(x) }

// piece is a piece of a delivery, or all of it.
type piece struct {
	parcel  *parcel
	payload []byte
	first   bool
	more    bool
	aborted bool
	after   []barrier // of a coordinator's: what is to be written first
}

func (x *piece) read(e *End) { e.take(x) }

// weight is what the piece counts for where pieces wait: its bytes, and the memory that goes with it.
func (x *piece) weight() int { return len(x.payload) + pieceWeight }

// pieceWeight is about what it takes to keep a piece besides its bytes, so that many small ones, or empty ones, count as well.
const pieceWeight = 128

// written says how much more has been written.
type written struct{ weight int }

func (x *written) read(e *End) { e.written(x.weight) }

// verdict is what the receiver of a delivery says of it.
type verdict struct {
	id      uint32 // of the delivery, where it came in
	state   frame.State
	settled bool
	ends    bool // it is the first that says how the delivery ends
}

func (x *verdict) read(e *End) { e.judged(x) }

// retirement is what the sender of a delivery says of it.
type retirement struct {
	id      uint32 // of the delivery, where it came in
	state   frame.State
	settled bool
}

func (x *retirement) read(e *End) { e.retire(x) }
