package http

import (
	"context"
	"time"

	"github.com/coder/websocket"

	"github.com/manifoldmq/manifold/router"
)

// news is something for the client: the answer to an order, or a message.
type news struct {
	report   report
	first    func()        // comes before the answer is written, which it makes true; nil for nothing
	from     *subscription // of a message; nil for an answer
	delivery router.Delivery
	revoked  *router.Error // why nothing more comes for it
}

// report tells what became of an order.
type report struct {
	ID uint64 `json:"id"`
	result
}

// shownDelivery is a message of a subscription.
type shownDelivery struct {
	Subscription uint64   `json:"subscription"`
	Delivery     uint64   `json:"delivery,omitempty"` // to be settled by this number
	Message      envelope `json:"message"`
}

// shownEnd tells that a subscription gets nothing more. Its number is free when the client has unsubscribed.
type shownEnd struct {
	Subscription uint64 `json:"subscription"`
	result
}

func (c *socket) answer(id uint64, r result) { c.answerAfter(id, r, nil) }

// answerAfter answers an order once first has run. What comes for the client because of that is written behind the answer.
func (c *socket) answerAfter(id uint64, r result, first func()) {
	c.mail.Put(news{report: report{id, r}, first: first})
}

// write writes what there is until the connection ends.
func (c *socket) write() {
	defer c.cancel()
	for {
		all := c.mail.Take()
		for i := range all {
			if !c.writeNews(&all[i]) {
				return
			}
		}
		if len(all) > 0 {
			continue
		}
		select {
		case <-c.wake:
		case <-c.ctx.Done():
			return
		}
	}
}

func (c *socket) writeNews(n *news) (ok bool) {
	if n.from == nil {
		if n.first != nil {
			n.first()
		}
		ok = c.writeJSON(n.report)
		<-c.room
		return ok
	}
	if n.revoked != nil {
		return c.writeEnd(n.from, n.revoked)
	}
	return c.writeDelivery(n.from, n.delivery)
}

// writeEnd tells that a subscription gets nothing more, once the client knows that there is one.
func (c *socket) writeEnd(of *subscription, why *router.Error) (ok bool) {
	if !of.live {
		of.revoked = why
		return true
	}
	of.link.Close()
	return c.writeJSON(shownEnd{of.number, refusal(0, why)})
}

// writeDelivery shows a message, which is accepted then unless the client settles itself.
func (c *socket) writeDelivery(from *subscription, d router.Delivery) (ok bool) {
	if d.Message.IsZero() { // it was dropped on arrival
		from.renew()
		return true
	}
	opened := read(&d)
	shown := shownDelivery{Subscription: from.number, Message: opened.envelope(time.Now())}
	switch {
	case !d.Owned():
		c.queued.Add(-int64(d.Message.Len()))
	case from.settles:
		shown.Delivery = c.hold(d, from)
		return c.writeJSON(shown)
	}
	if ok = c.writeJSON(shown); ok {
		d.Settle(router.Accept())
		from.renew()
	}
	return ok
}

// hold notes that the client has a delivery, and gives its number.
func (c *socket) hold(d router.Delivery, from *subscription) uint64 {
	d.Message = router.Message{}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.number++
	c.held[c.number] = held{d, from}
	return c.number
}

// take ends that the client has a delivery.
func (c *socket) take(number uint64) (h held, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, ok = c.held[number]
	delete(c.held, number)
	return h, ok
}

// forget ends that the client has anything of a subscription.
func (c *socket) forget(from *subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for number, h := range c.held {
		if h.from == from {
			delete(c.held, number)
		}
	}
}

func (c *socket) writeJSON(v any) (ok bool) {
	ctx, cancel := context.WithTimeout(c.ctx, c.server.limits.WriteTimeout)
	defer cancel()
	return c.conn.Write(ctx, websocket.MessageText, encodeJSON(v)) == nil
}
