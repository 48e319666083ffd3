package network

import (
	"bytes"
	"context"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/network/internal/edge"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/tenancy"
)

// serviceCredit is how many messages of routers to each other may be on their way on such a link.
const serviceCredit = 32

// laneless is a link on which nothing goes.
type laneless struct{}

func (*laneless) bind(*engine.Link)         {}
func (*laneless) attached()                 {}
func (*laneless) detached()                 {}
func (*laneless) sendable()                 {}
func (*laneless) received(*engine.Transfer) {}
func (*laneless) progressed(engine.Update)  {}

// service is a link on which another router says something that is no client's.
type service struct {
	laneless
	link *engine.Link
}

func (s *service) bind(l *engine.Link) { s.link = l }
func (s *service) attached()           { s.link.Grant(serviceCredit) }

// take gives a message, and its credit back. It is false for one that is none.
func (s *service) take(t *engine.Transfer) (m amqp.Message, ok bool) {
	s.link.Grant(1)
	m, err := amqp.ParseMessage(bytes.Clone(t.Payload))
	state := frame.State{Kind: frame.Accepted}
	if err != nil {
		state = frame.State{Kind: frame.Rejected}
	}
	if !t.Settled {
		s.link.Settle(t.ID, state)
	}
	return m, err == nil
}

// heartbeats is where an edge router of Qpid Dispatch says that it is there. That its connection is tells as much.
type heartbeats struct{ service }

func (h *heartbeats) received(t *engine.Transfer) { h.take(t) }

// newsIn is where an edge router hears which addresses have consumers elsewhere.
type newsIn struct {
	service
	*neighbor
}

func (n *newsIn) received(t *engine.Transfer) {
	m, ok := n.take(t)
	if !ok {
		return
	}
	news, err := edge.ParseNews(m)
	if err != nil {
		n.log.Warn("an interior router speaks of an address in a way that is not understood", "err", err)
		return
	}
	k := n.neighbor
	k.mesh.inputs.Put(func(time.Time) { k.mesh.fringe.heard(k, news) })
}

// newsOut is where an edge router is told. Of what it has not given credit for it is told the latest.
type newsOut struct {
	laneless
	*neighbor
	link      *engine.Link
	waiting   []protocol.Key        // that there is news of, in order
	reachable map[protocol.Key]bool // the latest of those
}

// maxNews is of how many addresses an edge router may not want to hear.
const maxNews = maxSpurs

func (n *newsOut) bind(l *engine.Link) { n.link = l }

// tell tells an edge router, if it wants to hear.
func (k *neighbor) tell(news edge.News) {
	if k.spurs.news != nil {
		k.spurs.news.add(news)
	}
}

func (n *newsOut) add(news edge.News) {
	if _, waits := n.reachable[news.Key]; !waits {
		n.waiting = append(n.waiting, news.Key)
	}
	if n.reachable == nil {
		n.reachable = make(map[protocol.Key]bool)
	}
	n.reachable[news.Key] = news.Reachable
	n.sendable()
	if len(n.waiting) > maxNews {
		n.refuseAll("it does not take the news that it has asked for")
	}
}

func (n *newsOut) sendable() {
	for len(n.waiting) > 0 && n.link.Credit() > 0 {
		key := n.waiting[0]
		payload := edge.News{Key: key, Reachable: n.reachable[key]}.Append(nil)
		n.waiting = n.waiting[1:]
		delete(n.reachable, key)
		if err := n.link.Send(engine.Delivery{Payload: payload, Settled: true}); err != nil {
			n.log.Warn("news for an edge router not sent", "err", err)
		}
	}
}

func (n *newsOut) detached() { n.neighbor.spurs.news = nil }

// questions is where an edge router asks whether links are routed.
type questions struct {
	service
	*neighbor
}

func (q *questions) received(t *engine.Transfer) {
	q.link.Grant(1)
	var question edge.Question
	m, err := amqp.ParseMessage(bytes.Clone(t.Payload))
	if err == nil {
		question, err = edge.ParseQuestion(m)
	}
	if !t.Settled {
		q.link.Settle(t.ID, understood(err))
	}
	if err != nil {
		q.log.Warn("an edge router asks something that is not understood", "err", err)
		return
	}
	d := Out
	if question.Sends {
		d = In
	}
	routed, reachable := q.network.findLinkRoute(question.Address, d)
	answer := edge.Answer{ID: question.ID, Routed: routed, Reachable: reachable}
	q.reply(answer.Append(nil, question.ReplyTo), question.ReplyTo)
}

// understood is the state of a message: one that says what it should is accepted.
func understood(err error) frame.State {
	if err == nil {
		return frame.State{Kind: frame.Accepted}
	}
	return frame.State{Kind: frame.Rejected, Error: &frame.Error{Condition: frame.DecodeError, Description: err.Error()}}
}

// reply sends an answer to the address that was made for the edge router.
func (q *questions) reply(payload []byte, to string) {
	a, err := addressing.ParseAddress(q.mesh.text(protocol.Locate(to, q.mesh.ID())))
	t, ok := q.network.config.Directory.Lookup(tenancy.DefaultTenant)
	if err != nil || !ok {
		return
	}
	s, err := q.network.config.Router.Sender(context.Background(), insider(t), router.Target{Address: a}, silent{})
	if err != nil {
		q.log.Debug("an answer finds nobody", "err", err)
		return
	}
	s.Send(0, router.Delivery{Message: amqp.Trusted(payload), Settled: true})
	s.Close()
}

// silent is a producer who does not want to know.
type silent struct{}

// Settled implements router.Producer.
func (silent) Settled(*router.Sender, uint64, router.Outcome) {}

// Credit implements router.Producer.
func (silent) Credit(*router.Sender, int) {}
