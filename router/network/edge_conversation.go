package network

import (
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// answerWait is how long an answer is waited for.
const answerWait = 5 * time.Second

// conversation is how an edge router asks something of its interior router: a link to an address there on which it sends
// questions, and one on which the answers come. They are there from the first question on.
type conversation struct {
	laneless
	*neighbor
	target  string
	link    *engine.Link
	replyTo string // where the interior is to answer; empty before that is known
	waiting []errand
	open    map[string]errand // that have no answer, by their ids
}

// errand is a question, of which somebody waits for the answer.
type errand struct {
	id       string                      // its correlation-id, unlike that of any other of the conversation
	question func(replyTo string) []byte // the message
	answered func(m amqp.Message, ok bool)
	until    time.Time // when there will have been no answer
}

// lost says that there will be no answer.
func (e errand) lost() { e.answered(amqp.Message{}, false) }

// answers is the link of a conversation on which the answers come.
type answers struct {
	service
	to *conversation
}

// ask asks a question at an address of the interior router, as soon as it can be sent.
func (k *neighbor) ask(target string, e errand) {
	c := k.spurs.conversations[target]
	if c == nil {
		c = k.converse(target)
	}
	if c == nil {
		e.lost()
		return
	}
	e.until = time.Now().Add(answerWait)
	c.waiting = append(c.waiting, e)
	c.sendable()
}

// overdue ends a conversation in which an answer has been waited for long enough: the next question begins another one.
func (k *neighbor) overdue(now time.Time) {
	for _, c := range k.spurs.conversations {
		if until := c.deadline(); !until.IsZero() && !now.Before(until) {
			c.log.Warn("an interior router does not answer", "asked", c.target)
			c.detached()
		}
	}
}

// answerDeadline is when overdue wants to be called; zero for never.
func (k *neighbor) answerDeadline() (next time.Time) {
	for _, c := range k.spurs.conversations {
		next = earlier(next, c.deadline())
	}
	return next
}

// deadline is until when the answer is waited for that has been for the longest; zero for none.
func (c *conversation) deadline() (next time.Time) {
	if len(c.waiting) > 0 {
		next = c.waiting[0].until
	}
	for _, e := range c.open {
		next = earlier(next, e.until)
	}
	return next
}

// converse begins a conversation. It is nil if the interior allows no more links.
func (k *neighbor) converse(target string) *conversation {
	s := k.Begin()
	if s == nil {
		return nil
	}
	c := &conversation{neighbor: k, target: target, open: make(map[string]errand)}
	to := &frame.Target{Address: target, HasAddress: true}
	if !k.attachTrunk(s, frame.Receiver, &frame.Source{Dynamic: true}, &frame.Target{}, &answers{to: c}) ||
		!k.attachTrunk(s, frame.Sender, &frame.Source{}, to, c) {
		s.End(nil)
		return nil
	}
	if k.spurs.conversations == nil {
		k.spurs.conversations = make(map[string]*conversation)
	}
	k.spurs.conversations[target] = c
	return c
}

func (c *conversation) bind(l *engine.Link) { c.link = l }

// sendable sends what waits, as far as there is credit for it and for the answers.
func (c *conversation) sendable() {
	for len(c.waiting) > 0 && c.replyTo != "" && c.link.Credit() > 0 && len(c.open) < serviceCredit {
		e := c.waiting[0]
		c.waiting = c.waiting[1:]
		c.open[e.id] = e
		if err := c.link.Send(engine.Delivery{Payload: e.question(c.replyTo), Token: e.id}); err != nil {
			c.log.Warn("question to an interior router not sent", "to", c.target, "err", err)
			delete(c.open, e.id)
			e.lost()
		}
	}
}

// progressed hears of a question to which there will be no answer.
func (c *conversation) progressed(u engine.Update) {
	if u.Progress == engine.Updated || u.State != nil && u.State.Kind == frame.Accepted {
		return
	}
	id := u.Token.(string)
	if e, ok := c.open[id]; ok {
		delete(c.open, id)
		e.lost()
	}
}

// detached has all that was asked count as lost, and the next question begin another conversation.
func (c *conversation) detached() {
	if c.spurs.conversations[c.target] != c {
		return
	}
	delete(c.spurs.conversations, c.target)
	waiting, open := c.waiting, c.open
	c.waiting, c.open = nil, nil
	for _, e := range waiting {
		e.lost()
	}
	for _, e := range open {
		e.lost()
	}
	c.link.Session().End(nil)
}

// attached begins to hear answers.
func (a *answers) attached() {
	a.service.attached()
	a.to.replyTo = a.link.Remote().Source.Address // none is as no answer
	a.to.sendable()
}

func (a *answers) received(t *engine.Transfer) {
	m, ok := a.take(t)
	if !ok {
		return
	}
	properties, _ := m.Properties()
	id, _ := properties.CorrelationID.(string)
	if e, asked := a.to.open[id]; asked {
		delete(a.to.open, id)
		e.answered(m, true)
	}
	a.to.sendable()
}

// detached ends the conversation: there would be no answers.
func (a *answers) detached() { a.to.detached() }
