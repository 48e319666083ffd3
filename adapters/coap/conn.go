package coap

import (
	"bytes"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
	"github.com/manifoldmq/manifold/router"
)

// conn is the door's side of one peer's session: its links, its observations and its locks. The session's driver guards
// everything but mail, where other goroutines leave things.
type conn struct {
	server  *Server
	session session.Session
	login   login

	request       request // the one that is being handled
	letter        letter  // what it sends
	accounts      []*account
	tasks         tasks
	subscriptions map[string]*subscription // by token
	pulls         map[*pull]bool
	locks         []*lock   // that this peer was given, some of which may have ended since
	lockDue       time.Time // when the first of them may expire; zero for never
	draining      bool
	over          bool

	mail mail
}

var _ session.Client = (*conn)(nil)

// Attach implements session.Client.
func (c *conn) Attach(s session.Session) { c.session = s }

// Request implements session.Handler.
func (c *conn) Request(now time.Time, in *session.Request) {
	c.server.requests.Add(1)
	r := &c.request
	if err := r.read(in); err != nil {
		c.refuse(now, r.exchange, err)
		return
	}
	if c.draining {
		c.refuse(now, r.exchange, errStopping)
		return
	}
	if err := c.identify(now, r); err != nil {
		c.refuse(now, r.exchange, err)
		return
	}
	if r.account != nil { // else it waits for a verdict
		c.handle(now, r)
	}
}

var errStopping = router.Errorf(router.Stopping, "the server is stopping")

// handle does what a request of somebody who is known asks for, or says why not. What is settled at once is answered at
// once: that is cheaper than to remember the request until its outcome is collected.
func (c *conn) handle(now time.Time, r *request) {
	if err := c.dispatch(now, r); err != nil {
		c.refuse(now, r.exchange, err)
	}
	c.takeOutcomes(now)
}

// dispatch finds out what the path names.
func (c *conn) dispatch(now time.Time, r *request) error {
	first, rest, deep := bytes.Cut(r.path, []byte("/"))
	switch string(first) {
	case "a":
		return c.atAddress(now, r, rest)
	case "q":
		return c.atQueue(now, r, string(rest))
	case "l":
		return c.atLock(now, r, string(rest))
	case "ps":
		return c.atPubSub(now, r, string(rest))
	case ".well-known":
		if string(rest) == "core" {
			return c.atCore(now, r)
		}
	case "t", "telemetry", "e", "event":
		return c.atTelemetry(now, r, string(first), string(rest), deep)
	case "cr", "command_response":
		return c.atCommandResponse(now, r, string(rest))
	}
	return router.Errorf(router.NotFound, "no such path; see /.well-known/core")
}

// atAddress answers requests to a/{address}.
func (c *conn) atAddress(now time.Time, r *request, address []byte) error {
	switch r.code {
	case codes.POST, codes.PUT:
		return c.send(now, r, address)
	case codes.GET, codeFETCH:
		return c.get(now, r, string(address))
	default:
		return errMethod
	}
}

var errMethod = refuse(codes.MethodNotAllowed, "this resource has no such method")

// respond answers a request.
func (c *conn) respond(now time.Time, e session.Exchange, response session.Response) {
	c.session.Respond(now, e, response)
}

// refuse answers a request with an error.
func (c *conn) refuse(now time.Time, e session.Exchange, err error) {
	c.server.refused[reasonOf(err)].Add(1)
	c.session.Respond(now, e, c.server.refusalOf(err))
}

// Collect implements session.Client.
func (c *conn) Collect(now time.Time) {
	for _, v := range c.mail.verdicts.Take() {
		c.judge(now, v)
	}
	for _, d := range c.mail.dismissals.Take() {
		c.dismiss(now, d)
	}
	c.takeOutcomes(now)
	c.takeArrivals(now)
	c.sayRevoked(now)
	c.expireAccounts(now)
	c.expireTasks(now)
	c.expirePulls(now)
	c.expireLocks(now)
}

// takeOutcomes answers the requests whose outcome has come.
func (c *conn) takeOutcomes(now time.Time) {
	for _, o := range c.mail.outcomes.Take() {
		c.tell(now, o)
	}
}

// takeArrivals hands to subscriptions and receives what has come for them.
func (c *conn) takeArrivals(now time.Time) {
	for _, a := range c.mail.arrivals.Take() {
		a.to.take(now, a.delivery)
	}
}

// Deadline implements session.Client.
func (c *conn) Deadline() time.Time {
	at := sooner(c.tasks.due(), c.lockDue)
	for p := range c.pulls {
		at = sooner(at, p.due())
	}
	for _, a := range c.accounts {
		at = sooner(at, a.expiresAt())
	}
	return at
}

// sooner gives the earlier of two times, where zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Idle implements session.Client.
func (c *conn) Idle() bool {
	waits := len(c.subscriptions) > 0 || len(c.pulls) > 0 || !c.tasks.none() || c.login.waiting > 0
	return !waits && (len(c.locks) == 0 || c.draining) // what is locked when the process stops comes back anyhow
}

// Drain implements session.Client: who waits for messages is told that there will be none from here.
func (c *conn) Drain(now time.Time) {
	c.draining = true
	for p := range c.pulls {
		p.end()
		c.refuse(now, p.exchange, errStopping)
	}
	for _, s := range c.subscriptions {
		s.stop(now, errStopping)
	}
}

// Notified implements session.Handler.
func (c *conn) Notified(now time.Time, token message.Token) {
	if s, ok := c.subscriptions[string(token)]; ok {
		s.notified(now)
	}
}

// Forgotten implements session.Handler.
func (c *conn) Forgotten(_ time.Time, token message.Token) {
	if s, ok := c.subscriptions[string(token)]; ok {
		s.end()
	}
}

// Disconnected implements session.Handler. It gives back everything but locks: what was never sent is released, what
// the client may have seen comes back to its node marked.
func (c *conn) Disconnected(now time.Time) {
	c.over = true
	c.login.cancel()
	for _, s := range c.subscriptions {
		s.end()
	}
	for p := range c.pulls {
		p.end()
	}
	c.server.locks.outlive(now, c.locks)
	c.locks, c.lockDue = nil, time.Time{}
	for _, a := range c.accounts {
		a.closeSenders()
		a.visit.Leave()
	}
	c.takeArrivals(now)
	c.server.peers.Add(-1)
}
