package network

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/transport/passage"
	"github.com/manifoldmq/manifold/router/wire"
	"github.com/manifoldmq/manifold/tenancy"
)

// lending is our end of a link by which another router borrows a receiver. It belongs to its connection, but for what its
// lock guards.
type lending struct {
	*neighbor
	link    *engine.Link
	wish    wish
	found   listing
	tenant  *tenancy.Tenant
	granted int // credit that the node has and has not used, or whose message is still in the mail
	open    bool
	drainBy time.Time // until when to wait for what the node is fetching; zero for no drain

	mu       sync.Mutex // guards everything below; a leaf
	receiver *router.Receiver
	ended    bool
}

// lent is a message on its way to who has borrowed its receiver.
type lent struct {
	by       *lending
	delivery router.Delivery
}

var (
	_ trunk           = (*lending)(nil)
	_ router.Consumer = (*lending)(nil)
)

// lends answers a link by which another router asks this one. It is false for other links; one to another home is passed on.
func (k *neighbor) lends(l *engine.Link) bool {
	from := l.Remote().Source
	if l.Role() != frame.Sender || from == nil || !strings.HasPrefix(from.Address, homeRoot) {
		return false
	}
	if from.Address != homeAddress(k.mesh.ID()) {
		if !k.network.linkRoutes.pass(l, k.desk) {
			l.Refuse(passage.Unreachable())
		}
		return true
	}
	w, err := readWish(from)
	if err != nil {
		l.Refuse(wire.Error(err))
		return true
	}
	out := &lending{neighbor: k, link: l, wish: w}
	l.Context = out
	k.wishes.Go(out.begin) // it waits for the disk
	return true
}

// begin does what is wished.
func (out *lending) begin() {
	err := out.grantWish()
	out.mail.orders.Put(func() { out.answer(err) })
}

func (out *lending) grantWish() (err error) {
	n := out.network
	t, ok := n.config.Directory.Lookup(out.wish.tenant)
	if !ok {
		return router.Errorf(router.NotFound, "there is no tenant %q", out.wish.tenant)
	}
	out.tenant = t
	source := out.wish.source
	switch {
	case out.wish.list:
		found, err := n.config.Router.Subscriptions(context.Background(), insider(t), source)
		out.found = page(found, out.wish.after)
		return err
	case out.wish.forget:
		return n.config.Router.Forget(context.Background(), insider(t), source)
	case source.Volatile && out.isStored(source):
		source.Volatile = false
	}
	r, err := n.config.Router.Receiver(context.Background(), insider(t), source, out)
	if err != nil {
		return err
	}
	out.mu.Lock()
	ended := out.ended
	out.receiver = r
	out.mu.Unlock()
	if ended {
		r.Close()
	}
	return nil
}

// isStored tells whether there is a durable subscription of that name and filter, which its members share whether they are to last or not.
func (out *lending) isStored(source router.Source) bool {
	found, err := out.network.config.Router.Subscriptions(context.Background(), insider(out.tenant), source)
	return err == nil && len(found) > 0
}

// answer tells the other router.
func (out *lending) answer(err error) {
	switch {
	case out.over():
	case err != nil:
		out.link.Refuse(wire.Error(err))
	default:
		var source *frame.Source // as it was wished
		if out.wish.list {
			source = out.found.terminus(out.mesh.ID())
		}
		out.link.Accept(frame.Attach{Source: source})
		if out.wish.list || out.wish.forget {
			out.link.Close(nil)
			return
		}
		out.open, out.lendings[out] = true, true
		out.sendable()
	}
}

func (out *lending) over() bool {
	out.mu.Lock()
	defer out.mu.Unlock()
	return out.ended
}

func (out *lending) bind(*engine.Link)         {}
func (out *lending) attached()                 {}
func (out *lending) received(*engine.Transfer) {}

// sendable brings the node's credit in line with the other router's.
func (out *lending) sendable() {
	if !out.open || out.receiver == nil || out.over() {
		return
	}
	want := out.link.Credit()
	if !out.stopping.IsZero() {
		want = 0
	}
	if more := want - out.granted; more > 0 {
		out.granted += more
		out.receiver.Grant(more)
	}
	for out.granted > want && out.receiver.TakeBack() {
		out.granted--
	}
	switch {
	case out.wish.source.Kept:
		out.conclude()
	case out.link.Draining() && out.drainBy.IsZero():
		out.drainBy = time.Now().Add(lendingPatience)
		out.drain()
	}
}

// conclude ends the link when all is sent of what is kept: with credit left the node has handed over all of it, and nothing of
// that is still in the mail.
func (out *lending) conclude() {
	if out.granted > 0 && out.granted == out.receiver.Credit() {
		out.link.Close(nil)
	}
}

// drainInterval is how often a drain looks whether the node has fetched what there is.
const drainInterval = 10 * time.Millisecond

// drain gives back the credit for which the node has nothing, as soon as that is known.
func (out *lending) drain() {
	if out.over() || out.drainBy.IsZero() {
		return
	}
	waits := time.Now().Before(out.drainBy)
	if !waits || !out.receiver.Pending() {
		for out.receiver.TakeBack() {
			out.granted--
		}
		out.sendLent()
		if out.granted == 0 || !waits { // otherwise the node is about to hand over the last
			out.drainBy = time.Time{}
			out.link.Drained()
			return
		}
	}
	time.AfterFunc(drainInterval, func() { out.mail.orders.Put(out.drain) })
}

// Deliver implements router.Consumer.
func (out *lending) Deliver(_ *router.Receiver, d router.Delivery) {
	out.mail.lendings.Put(lent{by: out, delivery: d})
}

// sendLent sends what the nodes have handed over. It does nothing while it is doing so, as when a message takes no credit.
func (k *neighbor) sendLent() {
	if k.handing {
		return
	}
	k.handing = true
	defer func() { k.handing = false }()
	for _, x := range k.mail.lendings.Take() {
		x.by.granted--
		if !x.by.send(x.delivery) {
			x.by.sendable()
		} else if x.by.wish.source.Kept {
			x.by.conclude()
		}
	}
}

// send gives a message to the engine, with its address written on it. When it reports false the message has ended.
func (out *lending) send(d router.Delivery) bool {
	if d.Retained && !storesFor(out.tenant, d.To.Filter()) { // a topic that the network does not know of
		d.Settle(router.Accept())
		return false
	}
	m, wanted := wire.Write(&d, time.Now, false)
	if !wanted {
		d.Settle(router.Reject(router.Unroutable, "expired"))
		return false
	}
	payload := annotate(m, protocol.Annotations{To: string(d.To), Retain: d.Retained})
	switch out.link.Send(engine.Delivery{Payload: payload, Settled: !d.Owned(), Token: &held{d}}) {
	case nil:
		out.traffic.sent.Add(1)
		out.onLoan++
		return true
	case engine.TooLarge:
		d.Settle(wire.TooLarge())
	default: // the credit has been taken back meanwhile, or the link ends
		d.Settle(router.Release())
	}
	return false
}

// progressed hears what became of a message. What was sent and is not settled goes back when the receiver closes.
func (out *lending) progressed(u engine.Update) {
	h := u.Token.(*held)
	if u.Progress != engine.Updated {
		out.onLoan--
	}
	switch {
	case u.Progress == engine.Updated && u.State != nil && u.State.IsOutcome():
		out.settle(u.ID, h, wire.Outcome(u.State), u.State.Kind)
	case u.Progress == engine.Settled:
		h.delivery.Settle(wire.Outcome(u.State))
	case u.Progress == engine.Unsent:
		h.delivery.Settle(router.Release())
	}
}

// settle notes an outcome, and tells the other router when it is safe.
func (out *lending) settle(id uint32, h *held, o router.Outcome, kind frame.StateKind) {
	h.delivery.SettleThen(o, func(err error) {
		state := frame.State{Kind: kind}
		if err != nil {
			state = frame.State{Kind: frame.Rejected, Error: &frame.Error{Condition: notNoted, Description: err.Error()}}
		}
		out.mail.orders.Put(func() {
			if out.link.Settle(id, state) {
				out.onLoan--
			}
		})
	})
}

// detached gives the receiver back.
func (out *lending) detached() {
	delete(out.lendings, out)
	out.mu.Lock()
	out.ended = true
	r := out.receiver
	out.mu.Unlock()
	out.sendLent() // what has not been sent goes back as it was
	if r != nil {
		r.Close()
	}
}
