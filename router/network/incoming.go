package network

import (
	"bytes"
	"context"
	"math"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/wire"
)

// incoming brings what the broker has to an address of ours. The broker gets the credit that the address grants, which a
// direct one does when somebody receives.
//
// Such an address does not take credit back when its last receiver leaves. What the broker has credit for still comes then,
// is released, and goes back to it. So that this does not go round and round, a release has the credit taken back from the
// broker, by a drain [2.6.7], and the intake closed for a while; the next one gets credit when there is somebody to receive.
// What is released is given back once the credit is, so that it does not come again at once.
type incoming struct {
	conn     *conn
	auto     *autoLink
	link     *engine.Link
	intake   *intake       // nil before the broker has the link, and while it is closed
	rest     time.Duration // how long it is closed the next time
	readyAt  time.Time     // when it may be opened again
	draining bool          // the broker has been asked to give its credit back
	resumeAt time.Time     // when to look at that again; zero for never
	credit   int           // that the broker has
	returns  []uint32      // deliveries that are released when the credit is back
	open     int           // deliveries that are not settled
	upload   *wire.Upload  // the message of several frames that is coming in; nil for none
	leaving  bool          // nothing new is taken in, and the link ends when all is settled
}

// intake is what an incoming link sends to our address through, until a message is released.
type intake struct {
	in     *incoming
	sender *router.Sender
	credit atomic.Int64 // granted by the node and not yet given to the broker
}

// outcome is what became of a message.
type outcome struct {
	from    *intake
	id      uint32 // of the delivery
	outcome router.Outcome
}

var (
	_ router.Producer = (*intake)(nil)
	_ end             = (*incoming)(nil)
)

const (
	// The intake is closed for no longer than the drain takes when a message is released, as when a receiver has left that
	// had more credit than it needed. If that goes on, and none is accepted meanwhile, it is for twice as long each time.
	shortestPause, longestPause = 10 * time.Millisecond, time.Second
	// drainPatience is how long the broker has to give its credit back, or the link is attached anew.
	drainPatience = 10 * time.Second
)

// attached begins to send to our address.
func (in *incoming) attached() {
	if err := in.begin(); err != nil {
		in.link.Close(&frame.Error{Condition: frame.PreconditionFailed, Description: err.Error()})
		in.conn.refused(in.auto, err.Error())
		return
	}
	in.auto.note(true, "")
}

// begin opens an intake.
func (in *incoming) begin() error {
	user, err := in.conn.insider(in.auto)
	if err != nil {
		return err
	}
	k := &intake{in: in}
	target := router.Target{Address: in.auto.Address, Phase: &in.auto.Phase, Returned: in.auto.Fallback, Name: in.link.Name()}
	k.sender, err = in.conn.connector.network.config.Router.ForContainers().Sender(context.Background(), user, target, k)
	if err != nil {
		return err
	}
	if k.sender.Streams() {
		in.link.Stream()
	}
	in.intake = k
	in.auto.leads(k.sender.Number())
	return nil
}

// pause closes the intake for a while, if it is open.
func (in *incoming) pause() {
	if in.intake == nil {
		return
	}
	in.closeIntake()
	now := time.Now()
	in.readyAt = now.Add(in.rest)
	in.rest = min(max(2*in.rest, shortestPause), longestPause)
	in.resumeAt = in.readyAt
	if in.credit > 0 {
		in.draining, in.resumeAt = true, now.Add(drainPatience)
		in.link.Drain()
	}
}

// drained hears that the broker has no credit any more.
func (in *incoming) drained() {
	in.credit = 0
	if !in.draining {
		return
	}
	in.draining, in.resumeAt = false, in.readyAt
	returns := in.returns
	in.returns = nil
	for _, id := range returns {
		in.settle(id, false, router.Release())
	}
}

// giveBack has a message go back to the broker.
func (in *incoming) giveBack(id uint32) {
	in.pause()
	if in.draining {
		in.returns = append(in.returns, id)
	} else {
		in.settle(id, false, router.Release())
	}
}

func (in *incoming) closeIntake() {
	if in.intake == nil {
		return
	}
	in.intake.sender.Close()
	in.intake = nil
	in.upload.GatherWhole() // it waits for nobody any more
}

// resume opens an intake after a pause.
func (in *incoming) resume() {
	in.resumeAt = time.Time{}
	switch {
	case in.draining:
		in.link.Close(nil) // it does not answer
	case in.leaving:
	case in.begin() != nil:
		in.link.Close(nil) // when it is attached again it is said what is wrong
	}
}

// Settled implements router.Producer.
func (k *intake) Settled(_ *router.Sender, tag uint64, o router.Outcome) {
	k.in.conn.mail.outcomes.Put(outcome{from: k, id: uint32(tag & math.MaxUint32), outcome: o})
}

// Credit implements router.Producer.
func (k *intake) Credit(_ *router.Sender, n int) {
	if k.credit.Add(int64(n)) == int64(n) {
		k.in.conn.mail.credits.Put(k)
	}
}

// credited passes on to the broker what the node grants.
func (in *incoming) credited(k *intake) {
	if n := int(k.credit.Swap(0)); k == in.intake {
		in.grant(n)
	}
}

func (in *incoming) grant(n int) {
	in.credit += n
	in.link.Grant(n)
}

// received hands a message to our address.
func (in *incoming) received(t *engine.Transfer) {
	whole := t.First && t.Last
	if whole {
		in.count(t.Settled)
	}
	switch {
	case !whole:
		in.receivedPiece(t)
	case in.intake == nil && t.Settled:
		in.conn.connector.log.Warn("message lost, for which the broker wants no answer: nobody receives",
			"tenant", in.auto.Tenant, "address", in.auto.Address)
	case in.intake == nil:
		in.giveBack(t.ID)
	default:
		in.receivedWhole(t)
	}
}

// count counts a delivery that is taken in.
func (in *incoming) count(settled bool) {
	in.credit = max(in.credit-1, 0)
	if !settled {
		in.open++
	}
}

func (in *incoming) receivedWhole(t *engine.Transfer) {
	if t.Format != 0 {
		in.refuse(t, router.Reject(router.Unsupported, "only messages of format 0 are taken"))
		return
	}
	payload := t.Payload
	if !t.Owned {
		payload = bytes.Clone(payload)
	}
	m, err := amqp.ParseMessage(payload)
	if err != nil {
		in.refuse(t, router.Reject(router.Malformed, err.Error()))
		return
	}
	d, _, err := wire.Read(m, time.Now)
	if err != nil {
		in.refuse(t, router.Reject(router.Malformed, err.Error()))
		return
	}
	d.Settled = t.Settled
	in.intake.sender.Send(uint64(t.ID), d)
}

// refuse answers a message that does not reach our address, whose credit the broker gets back.
func (in *incoming) refuse(t *engine.Transfer, o router.Outcome) {
	in.settle(t.ID, t.Settled, o)
	in.grant(1)
}

// answer tells the broker what became of a message.
func (in *incoming) answer(o outcome) {
	settled := in.uploadSettled(o)
	if o.outcome.State == router.Accepted {
		in.rest = 0
	}
	if o.outcome.State == router.Released && !settled {
		in.giveBack(o.id)
	} else {
		in.settle(o.id, settled, o.outcome)
	}
}

// settle ends a delivery, unless its sender has settled it.
func (in *incoming) settle(id uint32, settled bool, o router.Outcome) {
	if !settled && in.link.Settle(id, wire.State(o)) {
		in.open--
		in.parted()
	}
}

// leave takes in nothing new, and ends the link when all that came is settled.
func (in *incoming) leave() {
	in.leaving = true
	in.pause()
	in.parted()
}

// parted ends a link that is to leave when nothing is left of it.
func (in *incoming) parted() {
	if in.leaving && in.unfinished() == 0 && in.conn.stopping.IsZero() {
		in.link.Close(nil)
	}
}

// unfinished counts what is not settled, and what has begun to come.
func (in *incoming) unfinished() int {
	if len(in.link.Gathered()) > 0 {
		return in.open + 1
	}
	return in.open
}

// detached leaves our address. What was taken in goes on; how it ends nobody hears any more, and the broker sends it again.
func (in *incoming) detached(d engine.Detachment) {
	in.upload.Void(router.Release())
	in.closeIntake()
	in.resumeAt, in.returns, in.open = time.Time{}, nil, 0
	in.conn.parted(in.auto, in.link, d)
}
