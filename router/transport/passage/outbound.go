package passage

import (
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// outbound is what an end has whose peer receives.
type outbound struct {
	taken   uint32   // deliveries of the other end that the engine has
	backlog []*piece // that wait for credit, which the peer has taken back meanwhile
	waiting int      // weight of the backlog
	given   int      // weight of what the other end has given
	left    int      // weight of what was not written when it was last looked
	done    int      // weight of what is written, and of which the other end has not heard
	told    flow     // what the other end knows of the peer's credit
	knows   bool     // it knows something
}

// sendable hears of the peer's credit, and tells the other end.
func (e *End) sendable() {
	if e.over {
		return
	}
	e.send()
	e.credit.Store(int64(e.link.Credit()))
	now := flow{credit: uint32(e.link.Credit()), taken: e.taken, drain: e.link.Draining()}
	if e.knows && now.drain == e.told.drain && now.upTo() == e.told.upTo() {
		return
	}
	e.told, e.knows = now, true
	e.tell(&now)
}

// drainedThere gives back the peer's credit, which the other one has nothing for; but not if the peer has given more since, of
// which that did not know.
func (e *End) drainedThere(x drained) {
	if x.upTo != e.told.upTo() {
		return
	}
	e.knows = false
	e.link.Drained()
}

// take takes a piece from the other end.
func (e *End) take(x *piece) {
	if e.left == 0 {
		e.desk.busy = append(e.desk.busy, e)
	}
	if e.coordinates() {
		x.after = e.barriers()
	}
	e.given += x.weight()
	e.left += x.weight()
	e.waiting += x.weight()
	e.backlog = append(e.backlog, x)
	e.send()
}

// send gives to the engine what it takes.
func (e *End) send() {
	for len(e.backlog) > 0 {
		x := e.backlog[0]
		if !x.isDue() {
			return // acknowledge looks again
		}
		switch e.give(x) {
		case nil:
		case engine.NoCredit:
			return
		case engine.TooLarge:
			e.link.Part(true, &frame.Error{
				Condition: frame.MessageSizeExceeded, Description: "the message is larger than the link takes",
			})
			return
		default: // the link ends
			e.waiting, e.backlog = 0, nil
			return
		}
		e.backlog[0] = nil
		e.backlog = e.backlog[1:]
		e.waiting -= x.weight()
		e.meterGiven(x)
		if x.first {
			e.taken++
			e.counted(x.parcel.settled)
			e.credit.Add(-1)
		}
	}
	e.backlog = nil
}

// give gives one piece to the engine.
func (e *End) give(x *piece) error {
	p := x.parcel
	switch {
	case x.aborted:
		_ = e.link.Abort() // none is begun, or it may be
		return nil
	case x.first:
		return e.link.Send(engine.Delivery{
			Tag: p.tag, Format: p.format, Payload: x.payload, More: x.more, Settled: p.settled, State: p.state,
			Resume: p.resume, Batchable: p.batchable, Token: p,
		})
	default:
		return e.link.Continue(x.payload, x.more)
	}
}

// retire tells the peer what the other one says of its delivery that it has sent.
func (e *End) retire(x *retirement) {
	defer e.look()
	id, ok := e.link.FindSent(func(token any) bool { p, ours := token.(*parcel); return ours && p.id == x.id })
	switch {
	case !ok: // it is settled
	case x.settled:
		e.link.Settle(id, x.state)
	default:
		e.link.Update(id, x.state)
	}
}

// unwritten is the weight of what is not written.
func (e *End) unwritten() int { return e.link.Unwritten() + e.link.Pieces()*pieceWeight + e.waiting }

// acknowledge tells the other end what has been written, if that is much. It is true when nothing is left to write.
func (e *End) acknowledge() bool {
	if e.over {
		return true
	}
	e.look()
	if len(e.backlog) > 0 && e.backlog[0].after != nil {
		if e.send(); len(e.backlog) == 0 {
			e.desk.wake()
		}
	}
	left := e.unwritten()
	e.done += e.left - left
	e.left = left
	if e.done >= chunk {
		e.tell(&written{e.done})
		e.done = 0
	}
	return left == 0
}
