package stream

import (
	"fmt"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/block"
	"github.com/manifoldmq/manifold/adapters/coap/internal/option"
	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// fetch is the method that may be observed besides GET (RFC 8132 section 2.4).
const fetch codes.Code = 5

// stopObserving is the value of Observe that ends an observation (RFC 7641 section 2).
const stopObserving = 1

// exchange is a request that has no response yet.
type exchange struct {
	token         token
	uninteresting uint8 // the value of its No-Response option
	reply         block.Reply
}

// request hands a request to the client once it is whole, or answers it here.
func (e *Engine) request(now time.Time, f frame, options message.Options, payload []byte) {
	uninteresting, _ := options.GetUint32(message.NoResponse) // 0 when there is none
	asked := exchange{token: f.token, uninteresting: uint8(uninteresting)}
	options, refusal := option.Screen(options)
	if refusal.Code != 0 {
		e.answer(asked, session.Response{Code: refusal.Code, Body: []byte(fmt.Sprintf("option %d", refusal.Option))})
		return
	}
	result := e.transfers.Request(now, f.code, options, payload)
	if !result.Whole {
		e.answer(asked, result.Answer)
		return
	}
	asked.reply = result.Reply
	e.last++
	e.open[e.last] = asked
	e.reconsider(now, f, options, result.Reply)
	e.client.Request(now, &session.Request{
		Exchange: e.last, Code: f.code, Token: f.token.bytes(), Options: option.Strip(options), Body: result.Body, Waits: true,
	})
}

// reconsider ends the observation that a request puts an end to: with Observe 1 over a reliable transport, where a
// client that is no longer interested has no other way to say so (RFC 8323 section 7.4), or with Observe 0 for
// something else under the same token.
func (e *Engine) reconsider(now time.Time, f frame, options message.Options, reply block.Reply) {
	observe, err := options.Observe()
	if err != nil || f.code != codes.GET && f.code != fetch {
		return
	}
	if before, ok := e.observations[f.token]; ok && (observe == stopObserving || !before.SameResource(reply)) {
		delete(e.observations, f.token)
		e.client.Forgotten(now, f.token.bytes())
	}
}

// Respond implements session.Session.
func (e *Engine) Respond(now time.Time, x session.Exchange, r session.Response) {
	if asked, ok := e.finish(x); ok {
		e.answer(asked, e.fit(now, asked.token, asked.reply, r))
	}
}

// Observe implements session.Session.
func (e *Engine) Observe(now time.Time, x session.Exchange, r session.Response) {
	asked, ok := e.finish(x)
	if !ok {
		return
	}
	first := e.fit(now, asked.token, asked.reply, r)
	_, again := e.observations[asked.token]
	switch {
	case !isSuccess(r.Code):
	case again || len(e.observations) < e.shared.Limits.MaxObservations:
		e.observations[asked.token] = asked.reply
		first.Options = e.observed(first.Options)
	default:
		e.forgotten = append(e.forgotten, asked.token)
	}
	e.answer(asked, first)
}

// sayForgotten tells the client about observations that were refused.
func (e *Engine) sayForgotten(now time.Time) {
	for _, t := range e.forgotten {
		e.client.Forgotten(now, t.bytes())
	}
	e.forgotten = nil
}

// finish ends an exchange.
func (e *Engine) finish(x session.Exchange) (asked exchange, ok bool) {
	asked, ok = e.open[x]
	delete(e.open, x)
	return asked, ok
}

// answer sends a response, unless its client is not interested in it (RFC 7967), and the Pongs that waited for it.
func (e *Engine) answer(asked exchange, r session.Response) {
	if !option.Suppresses(asked.uninteresting, r.Code) {
		e.send(r.Code, asked.token, r.Options, r.Body)
	}
	e.takeCustody()
}

// Notify implements session.Session. A reliable transport has no notifications that are not confirmed.
func (e *Engine) Notify(now time.Time, t message.Token, r session.Response, _ bool) {
	to := tokenOf(t)
	reply, ok := e.observations[to]
	if !ok {
		return
	}
	first := e.fit(now, to, reply, r)
	goesOn := isSuccess(r.Code)
	if goesOn {
		first.Options = e.observed(first.Options)
	} else {
		delete(e.observations, to)
	}
	e.send(first.Code, to, first.Options, first.Body)
	e.queue[len(e.queue)-1].notifies = goesOn
}

// Forget implements session.Session.
func (e *Engine) Forget(t message.Token) { delete(e.observations, tokenOf(t)) }

// fit makes of a response what its client can take in one message: all of it, or the first of its blocks.
func (e *Engine) fit(now time.Time, t token, reply block.Reply, r session.Response) session.Response {
	for {
		first := e.transfers.Cut(now, reply, r)
		o, err := encode(first.Code, t, first.Options, first.Body)
		if err != nil || o.size()+observeSize <= e.peer.maxMessage || !reply.Shrink() {
			return first
		}
	}
}

// observeSize is how many octets the option Observe takes at most.
const observeSize = 4

// observed gives the options of a notification. The transport keeps their order, so that the value of Observe could be
// empty (RFC 8323 section 7.1); there are clients that look for a higher one all the same.
func (e *Engine) observed(options message.Options) message.Options {
	e.sequence = (e.sequence + 1) & 0xFFFFFF
	return options.Set(message.Option{ID: message.Observe, Value: unsigned(e.sequence)})
}

func isSuccess(code codes.Code) bool { return code>>5 == 2 }

func isSignal(code codes.Code) bool { return code>>5 == 7 }

// send puts a message into the queue. A response that cannot be encoded, or is longer than its client can take, makes
// way for an error: who waits for it shall not wait for ever. A signal goes without its diagnostic then.
func (e *Engine) send(code codes.Code, t token, options message.Options, body []byte) {
	o, err := encode(code, t, options, body)
	if err != nil || o.size() > e.peer.maxMessage {
		if !isSignal(code) {
			code, options = codes.InternalServerError, nil
		}
		o, _ = encode(code, t, options, nil)
	}
	e.queue = append(e.queue, o)
	e.owed += o.size() + overhead
}
