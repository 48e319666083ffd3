package network

import (
	"slices"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/network/internal/forwarding"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/wire"
)

// lane is a data link on which messages of one priority go to a neighbour, in the order in which they come.
type lane struct {
	*neighbor
	tally    tally
	link     *engine.Link // nil before it is there
	queue    []parcel     // that wait for credit, or behind a message that is under way
	open     int          // messages that the neighbour has and has not settled
	download wire.Download
	behind   bool    // the first of the queue waits until what has gone before is written
	extra    bool    // for messages that stream, and what follows them
	convoy   *convoy // of an extra one; nil of others
	over     bool    // its link has ended
	lost     []*sent // what it had not settled when the link ended
}

// sent is a message that the neighbour has and has not settled.
type sent struct{ parcel }

var (
	_ trunk       = (*lane)(nil)
	_ wire.Outlet = outlet{}
)

// newLanes gives the lanes of a connection, none of which has its link.
func newLanes(k *neighbor) []*lane {
	lanes := make([]*lane, priorities)
	if k.role == Edge {
		lanes = lanes[:1]
	}
	for i := range lanes {
		lanes[i] = &lane{neighbor: k}
	}
	return lanes
}

// nextLane gives the lane for the next link, in the order of priorities; nil when all have theirs.
func (k *neighbor) nextLane() *lane {
	i := slices.IndexFunc(k.lanes, func(l *lane) bool { return l.link == nil })
	if i < 0 {
		return nil
	}
	return k.lanes[i]
}

// send takes in a message for the neighbour.
func (k *neighbor) send(p parcel) {
	if p.way != nil {
		p.way.held++
	}
	if p.lane == nil || p.lane.over {
		p.lane = k.lanes[min(int(p.priority()), len(k.lanes)-1)]
	}
	p.lane.take(p)
}

// take takes in a message, which goes out now or waits.
func (l *lane) take(p parcel) {
	if l.over {
		l.finish(p, router.Release())
		return
	}
	if len(l.queue) == 0 {
		if to := l.laneFor(p); to != nil {
			l.forward(p, to)
			return
		}
	}
	l.queue = append(l.queue, p)
}

// laneFor gives the lane on which a message goes now: this one, or beside it another one of messages that stream. It is nil
// when the message has to wait. One that is the first of its sender there waits until what came before is written, so that
// it does not overtake.
func (l *lane) laneFor(p parcel) *lane {
	if l.link == nil || l.download.Busy() {
		return nil
	}
	if leads := p.leads(); (leads || p.after != nil) && slices.Contains(l.lanes, l) {
		if l.behind = leads && l.link.Pieces() > 0; l.behind {
			return nil
		}
		if other := l.streamLane(p); other != nil {
			return other
		}
	}
	if l.link.Credit() == 0 {
		return nil
	}
	return l
}

// forward has a message go on by a lane.
func (l *lane) forward(p parcel, by *lane) {
	if by == l {
		l.transmit(p)
	} else {
		by.take(p)
	}
}

func (l *lane) bind(link *engine.Link) { l.link = link }

func (l *lane) attached() {}

func (l *lane) received(*engine.Transfer) {}

// written has a message go on that has waited for what went before it.
func (l *lane) written() {
	if l.behind && l.link != nil && l.link.Pieces() == 0 {
		l.behind = false
		l.mail.streams.Put(l)
	}
}

// sendable goes on with what waits.
func (l *lane) sendable() {
	l.download.Continue()
	for len(l.queue) > 0 {
		p := l.queue[0]
		to := l.laneFor(p)
		if to == nil {
			return
		}
		l.queue[0] = parcel{}
		l.queue = l.queue[1:]
		l.forward(p, to)
	}
}

// transmit gives a message to the engine, or ends it.
func (l *lane) transmit(p parcel) {
	if p.way != nil {
		p.way.left()
	}
	payload, wanted := l.encode(&p, time.Now())
	switch {
	case !wanted:
		l.finish(p, router.Reject(router.Unroutable, "expired"))
	case p.delivery.Stream != nil:
		l.download.Start(outlet{l, p}, l.link, p.delivery, payload, func() { l.mail.streams.Put(l) })
	default:
		l.write(p, payload, false)
	}
}

// encode gives a message as routers send it to each other: with what they write on it for the next. wanted is false for one
// that has expired.
func (l *lane) encode(p *parcel, now time.Time) (payload []byte, wanted bool) {
	d := &p.delivery
	m, wanted := wire.Write(d, func() time.Time { return now }, false)
	if !wanted {
		return nil, false
	}
	var a protocol.Annotations
	if from, ok := d.Route.(*forwarding.Message); ok {
		a = from.Onward
	} else {
		a = l.mesh.begun(m)
	}
	if p.to != "" {
		a.To, a.Phase = p.to.Name(), p.to.Phase()
	} else {
		a.To = string(d.To)
	}
	a.Streaming, a.Retain, a.Author = d.Stream != nil || l.extra && p.leads(), d.Retain, d.Author
	return annotate(m, a), true
}

// annotate gives a message, or its head, with what routers write on it.
func annotate(m amqp.Message, a protocol.Annotations) []byte {
	const room = 256 // for the annotations of a few routers
	s := m.Sections()
	dst := make([]byte, 0, m.Len()+room)
	dst = append(dst, s.Header...)
	dst = append(dst, s.DeliveryAnnotations...)
	dst = a.Append(dst, m.MessageAnnotations())
	dst = append(dst, s.Bare()...)
	return append(dst, s.Footer...)
}

// write gives a message, or with more its beginning, to the engine. When it reports false the message has ended.
func (l *lane) write(p parcel, payload []byte, more bool) bool {
	h := &sent{p}
	err := l.link.Send(engine.Delivery{
		Payload: payload, More: more, Settled: p.settled(), Token: h,
	})
	switch err {
	case nil:
		l.open++
		l.tally.begins(p.settled())
		if l.extra {
			l.convoy.silent = l.convoy.silent || p.settled()
		}
		l.traffic.sent.Add(1)
		return true
	case engine.TooLarge:
		l.finish(p, wire.TooLarge())
	default: // the credit has been taken back meanwhile, or the link ends
		l.finish(p, router.Release())
	}
	return false
}

// finish ends a message that the neighbour does not hold, or not any more.
func (l *lane) finish(p parcel, o router.Outcome) {
	if s := p.delivery.Stream; s != nil {
		defer l.stop(s)
	}
	if p.way != nil {
		p.way.ended(o)
	}
	if p.delivery.Owned() {
		p.delivery.Settle(o)
	}
	if p.settled() && o.State != router.Accepted {
		l.traffic.lost.Add(1)
	}
	if p.way != nil {
		p.way.settled(1)
	}
}

// stop ends the sending of a message, and has what waits behind it go on.
func (l *lane) stop(s *router.Stream) {
	l.download.Stop(s)
	if len(l.queue) > 0 {
		l.mail.streams.Put(l)
	}
}

// progressed hears what became of a message: what the neighbour says is its outcome.
func (l *lane) progressed(u engine.Update) {
	h := u.Token.(*sent)
	o := router.Accept()
	switch u.Progress {
	case engine.Updated:
		if u.State == nil || !u.State.IsOutcome() {
			return
		}
		o = wire.Outcome(u.State)
		l.link.Settle(u.ID, frame.State{Kind: u.State.Kind})
	case engine.Settled:
		o = wire.Outcome(u.State)
	case engine.Lost:
		l.lost = append(l.lost, h)
		return
	case engine.Unsent:
		o = router.Release()
	}
	l.open--
	if !h.settled() {
		l.tally.ends(o)
	}
	l.finish(h.parcel, o)
}

// detached gives back what is under way. Without its data links a connection is of no use, but for those of
// messages that stream.
func (l *lane) detached() {
	link := l.link
	l.giveBack()
	switch {
	case l.extra:
		l.gone(link)
	case l.role == Edge:
		l.lostTrunk()
	default:
		l.refuseAll("a data link has ended")
	}
}

// giveBack gives back what the neighbour had not settled, of which nobody knows whether it has it, and what was not sent.
func (l *lane) giveBack() {
	for _, h := range l.lost {
		l.open--
		l.finish(h.parcel, router.Fail())
	}
	l.lost = nil
	l.download.End()
	queue := l.queue
	l.queue, l.link, l.over = nil, nil, true
	for _, p := range queue {
		l.finish(p, router.Release())
	}
}

// outlet is a lane as the message that streams out on it needs it.
type outlet struct {
	*lane
	parcel parcel
}

// SendBytes implements wire.Outlet.
func (o outlet) SendBytes(_ router.Delivery, payload []byte, more bool) bool {
	return o.write(o.parcel, payload, more)
}

// Finish implements wire.Outlet.
func (o outlet) Finish(_ router.Delivery, outcome router.Outcome) { o.finish(o.parcel, outcome) }

// GiveUp implements wire.Outlet.
func (o outlet) GiveUp(_ router.Delivery, outcome router.Outcome) {
	o.open--
	if !o.parcel.settled() {
		o.tally.ends(outcome)
	}
	o.finish(o.parcel, outcome)
}

// Arrived implements wire.Outlet: nothing is told to wait behind a message, as the lane has its own queue.
func (o outlet) Arrived(router.Delivery) {}
