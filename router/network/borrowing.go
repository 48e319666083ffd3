package network

import (
	"slices"
	"sync"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/transport/passage"
	"github.com/manifoldmq/manifold/router/wire"
)

// borrowing is a link to the home. It belongs to its connection, but for what its lock guards.
type borrowing struct {
	loan     *loan
	neighbor *neighbor
	link     *engine.Link
	left     int  // credit that the home had when it was last told, and has not used since
	answered int  // outcomes that the home has not noted
	open     bool // the home has answered; the loan's lock guards it
	asking   bool // it has not, and the link is there

	mu       sync.Mutex // guards everything below; a leaf
	settling map[uint32]func(error)
	ended    bool
}

var (
	_ trunk          = (*borrowing)(nil)
	_ parting        = (*borrowing)(nil)
	_ dry            = (*borrowing)(nil)
	_ router.Settler = (*borrowing)(nil)
)

// begin asks the home.
func (b *borrowing) begin() {
	link, err := b.neighbor.borrow(b.loan.wish.terminus(b.loan.from.home))
	if link == nil {
		b.loan.lost(b, err)
		return
	}
	b.link, link.Context, b.asking = link, b, true
	b.loan.from.absence.asked()
	b.neighbor.borrowings[b] = true
}

// heard notes that the home has answered, or that the question is lost with the way to it.
func (b *borrowing) heard(is bool) {
	if b.asking {
		b.asking = false
		b.loan.from.absence.over(is)
	}
}

func (b *borrowing) bind(*engine.Link) {}
func (b *borrowing) sendable()         {}
func (b *borrowing) detached()         {}
func (b *borrowing) drained()          { b.loan.drained(b) }

// attached hears that the home lends.
func (b *borrowing) attached() {
	b.heard(true)
	b.loan.opened(b)
}

// parted hears that the link has ended. What is not settled by then never will be.
func (b *borrowing) parted(d engine.Detachment) {
	b.heard(b.link.Remote() != nil && d.By == engine.ByPeer && !isPathLost(d.Error))
	delete(b.neighbor.borrowings, b)
	b.neighbor.loans.release(b.link.Session())
	if d.By == engine.ByPeer && d.Closed && d.Error == nil && b.loan.wish.source.Kept {
		b.loan.concluded(b)
	}
	b.mu.Lock()
	late := b.settling
	b.settling, b.ended = nil, true
	b.mu.Unlock()
	b.neighbor.answering -= b.answered
	for _, done := range late {
		done(notLent())
	}
	b.loan.lost(b, d.Error)
}

// isPathLost tells whether a refusal comes from the way to the home.
func isPathLost(reason *frame.Error) bool {
	return reason != nil && (reason.Condition == passage.LinkLost || reason.Condition == passage.NoRoute)
}

func notLent() *router.Error {
	return router.Errorf(router.Conflict, "the message is no longer held: the path to its home was lost")
}

// leave ends the link because the client has gone. As long as the home has not answered it stays, to hear when that does.
func (b *borrowing) leave() {
	if b.link != nil && !b.asking {
		b.link.Detach()
	}
}

// credited says what credit there is.
func (b *borrowing) credited() {
	b.loan.mu.Lock()
	defer b.loan.mu.Unlock()
	if b.loan.at == b {
		b.grant()
	}
}

// grant gives the home the credit of the client that no message is here for. The loan's lock is held.
func (b *borrowing) grant() {
	l := b.loan
	if l.receiver == nil || b.link == nil {
		return
	}
	b.left = min(max(l.receiver.Credit()-len(l.waiting), 0), dataCredit)
	if !b.neighbor.stopping.IsZero() { // nobody is there for long to settle more
		b.left = 0
	}
	b.link.SetCredit(b.left, l.draining)
}

// received takes in a message.
func (b *borrowing) received(t *engine.Transfer) {
	b.left--
	d, err := b.read(t)
	if err != nil {
		b.answer(t.ID, router.Reject(router.Malformed, err.Error()))
		return
	}
	if d.Settled = t.Settled; !t.Settled {
		d = d.From(b, uint64(t.ID))
	}
	b.loan.arrived(b, d)
}

// read gives a message as the client gets it, without what routers wrote on it.
func (b *borrowing) read(t *engine.Transfer) (router.Delivery, error) {
	m, err := amqp.ParseMessage(t.Payload) // of which a copy is made
	if err != nil {
		return router.Delivery{}, err
	}
	d, _, err := wire.Read(m, time.Now)
	if err != nil {
		return d, err
	}
	a, err := protocol.ParseAnnotations(m.MessageAnnotations())
	if err != nil {
		return d, err
	}
	if d.To, err = addressing.ParseAddress(a.To); err != nil {
		return d, err
	}
	d.Message, d.Retained = withoutAnnotations(m), a.Retain
	return d, nil
}

// Settle implements router.Settler: the home is told, and says when it has noted it.
func (b *borrowing) Settle(tag uint64, o router.Outcome, done func(error)) {
	b.mu.Lock()
	ended := b.ended
	if !ended && done != nil {
		b.settling[uint32(tag)] = done
	}
	b.mu.Unlock()
	if !ended {
		b.neighbor.mail.orders.Put(func() { b.settle(uint32(tag), o) })
	} else if done != nil {
		done(notLent())
	}
}

func (b *borrowing) settle(id uint32, o router.Outcome) {
	if b.answer(id, o) {
		b.loan.receiver.Settled(o, 0)
	} else {
		b.noted(id, notLent())
	}
}

// answer tells the home an outcome, which it is to note. It is false when the message is not held any more.
func (b *borrowing) answer(id uint32, o router.Outcome) bool {
	told := b.link.Settle(id, wire.State(o))
	if told {
		b.answered++
		b.neighbor.answering++
	}
	return told
}

// progressed hears that the home has noted an outcome.
func (b *borrowing) progressed(u engine.Update) {
	if u.Progress != engine.Settled {
		return
	}
	b.answered--
	b.neighbor.answering--
	if u.State != nil && u.State.Kind == frame.Rejected && u.State.Error != nil && u.State.Error.Condition == notNoted {
		b.noted(u.ID, notLent())
		return
	}
	b.noted(u.ID, nil)
}

// notNoted is the condition by which a home says that it could not note an outcome.
const notNoted amqp.Symbol = "manifold:not-noted"

func (b *borrowing) noted(id uint32, err error) {
	b.mu.Lock()
	done := b.settling[id]
	delete(b.settling, id)
	b.mu.Unlock()
	if done != nil {
		done(err)
	}
}

// homeward gives the connection on the way to a home that lends; nil for none.
func (m *Mesh) homeward(home string) *neighbor {
	if m.isEdge() {
		return m.fringe.active.Load()
	}
	next, ok := m.config.Reach.Toward(home, nil)
	if !ok || !m.network.linkRoutes.isTold(homeKey(home), home) {
		return nil
	}
	return m.path(next)
}

// isTold tells whether a router has told a key.
func (r *linkRoutes) isTold(key protocol.Key, router string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.told[key], router)
}
