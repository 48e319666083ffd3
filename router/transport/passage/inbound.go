package passage

import (
	"bytes"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// inbound is what an end has whose peer sends.
type inbound struct {
	begun    uint32  // deliveries that the peer has begun
	allowed  uint32  // deliveries, since the beginning, that the other one has given credit for
	arriving *parcel // that is coming in
	underway int     // weight of the pieces that the other end has and has not told to be written
	holding  bool    // the session is held back until it has
}

// highWater is how much may be underway before the session is held back, in bytes, and chunk how much more that is written
// the other end tells.
const (
	highWater = 128 << 10
	chunk     = 32 << 10
)

// parcel is a delivery on its way. It does not change, but for what belongs to the end that it goes to.
type parcel struct {
	id        uint32 // of the delivery, where it came in
	tag       []byte
	format    uint32
	state     *frame.State // such as the transaction that it is part of
	settled   bool
	resume    bool
	batchable bool

	judged bool // the peer there has said how it ends
}

// received hears a delivery, or a piece of one, and passes it on.
func (e *End) received(t *engine.Transfer) {
	if !e.meterSent(t) {
		return
	}
	if t.First {
		e.begin(t)
	}
	e.look()
	x := &piece{parcel: e.arriving, first: t.First, more: !t.Last, aborted: t.Aborted, payload: t.Payload}
	if !t.Owned {
		x.payload = bytes.Clone(t.Payload)
	}
	e.underway += x.weight()
	e.tell(x)
	if t.Settled && !t.Aborted && !e.arriving.settled {
		e.tell(&retirement{id: t.ID, settled: true})
	}
	if e.underway > highWater {
		e.hold()
	}
}

// begin begins a delivery.
func (e *End) begin(t *engine.Transfer) {
	e.begun++
	e.counted(t.Settled)
	e.credit.Add(-1)
	p := &parcel{
		id: t.ID, tag: append([]byte{}, t.Tag...), format: t.Format, settled: t.Settled, resume: t.Resume, batchable: t.Batchable,
	}
	if t.State.Kind != frame.NoState {
		state := t.State.Clone()
		p.state = &state
	}
	e.arriving = p
}

// hold holds the peer's session back.
func (e *End) hold() {
	s := e.link.Session()
	if !e.holding {
		e.holding = true
		e.desk.hold(s)
	}
	s.Hold() // again: somebody else may have let it go on
}

// release lets the peer's session go on.
func (e *End) release() {
	if e.holding {
		e.holding = false
		e.desk.release(e.link.Session())
	}
}

// written hears how much more the other end has written.
func (e *End) written(n int) {
	e.underway -= n
	if e.underway <= highWater/2 {
		e.release()
	}
}

// credited gives the peer the credit of the other one, but for what is on its way there.
func (e *End) credited(x *flow) {
	e.allowed = x.upTo()
	n := int(x.credit) - int(e.begun-x.taken)
	e.credit.Store(int64(n))
	e.link.SetCredit(n, x.drain && n > 0)
}

// judged tells the peer what the other one says of its delivery.
func (e *End) judged(x *verdict) {
	if x.ends {
		e.ends(x.state)
	}
	if x.settled {
		e.link.Settle(x.id, x.state)
		e.look()
	} else if !e.link.Update(x.id, x.state) { // the peer has settled it meanwhile
		e.tell(&retirement{id: x.id, state: x.state, settled: true})
	}
}

// progressed hears what the peer says of a delivery: of ours, or of its own.
func (e *End) progressed(u engine.Update) {
	e.look() // before anybody can ask who has heard of it
	p, ours := u.Token.(*parcel)
	state := frame.State{}
	if u.State != nil {
		state = u.State.Clone()
	}
	switch {
	case e.over || e.parted || u.Progress == engine.Lost || u.Progress == engine.Unsent:
	case !ours:
		e.tell(&retirement{id: u.ID, state: state, settled: u.Progress == engine.Settled})
	case p.settled:
	case u.Progress == engine.Written: // its link takes only what is settled
		e.judge(p, frame.State{Kind: frame.Accepted}, true)
	default:
		e.judge(p, state, u.Progress == engine.Settled)
	}
}

// judge tells the other end what the peer says of its delivery.
func (e *End) judge(p *parcel, state frame.State, settled bool) {
	ends := state.IsOutcome() && !p.judged
	if ends {
		p.judged = true
		e.ends(state)
	}
	e.tell(&verdict{id: p.id, state: state, settled: settled, ends: ends})
}
