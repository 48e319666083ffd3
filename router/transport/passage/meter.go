package passage

import (
	"slices"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// A Meter counts what a client does over a link that leads on, for what the client may use. The owner of the client's
// connection calls it.
type Meter interface {
	MaxMessageSize() uint64 // of what the client sends, in bytes as encoded; 0 for any
	TooLarge() *frame.Error // ends the link of who sends a larger one

	// Sent counts so many bytes that the client has sent, of a message that begins with them or has begun before. It is true
	// when the client is to be held back until Desk.Afford.
	Sent(size int, begins bool) (wait bool)
	// Given counts likewise what the client is given.
	Given(size int, begins bool)
	Ended() // the link is over
}

// metered is what an end has whose peer is a client with a meter.
type metered struct {
	meter Meter // nil for none
	size  int   // of the delivery that is arriving, so far
	waits bool  // the session is held back until Afford
}

// meterSent counts a piece that has come from the client. It is false when the link ends because of it.
func (e *End) meterSent(t *engine.Transfer) bool {
	if e.meter == nil {
		return true
	}
	if t.First {
		e.size = 0
	}
	e.size += len(t.Payload)
	if most := e.meter.MaxMessageSize(); most > 0 && uint64(e.size) > most {
		e.link.Part(true, e.meter.TooLarge())
		return false
	}
	if e.meter.Sent(len(t.Payload), t.First) {
		e.wait()
	}
	return true
}

// meterGiven counts a piece that is given to the client.
func (e *End) meterGiven(x *piece) {
	if e.meter != nil && !x.aborted {
		e.meter.Given(len(x.payload), x.first)
	}
}

// tellSize has an answer tell the client the largest message that it may send.
func (e *End) tellSize(a *frame.Attach) {
	if e.meter == nil || e.link.Role() == frame.Sender {
		return
	}
	if most := e.meter.MaxMessageSize(); most > 0 && (a.MaxMessageSize == 0 || a.MaxMessageSize > most) {
		a.MaxMessageSize = most
	}
}

// wait holds the client's session back until Afford.
func (e *End) wait() {
	if !e.waits {
		e.waits = true
		e.desk.hold(e.link.Session())
		e.desk.waiting = append(e.desk.waiting, e)
	}
	e.link.Session().Hold()
}

// Afford lets the clients go on that their meters had held back.
func (d *Desk) Afford() {
	for _, e := range d.waiting {
		e.waits = false
		d.release(e.link.Session())
	}
	clear(d.waiting)
	d.waiting = d.waiting[:0]
}

// unmeter ends the metering of a link that is over.
func (e *End) unmeter() {
	if e.waits {
		e.waits = false
		e.desk.waiting = slices.DeleteFunc(e.desk.waiting, func(other *End) bool { return other == e })
		e.desk.release(e.link.Session())
	}
	if e.meter != nil {
		e.meter.Ended()
	}
}
