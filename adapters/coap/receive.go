package coap

import (
	"context"
	"strings"
	"time"

	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
	"github.com/manifoldmq/manifold/router"
)

const (
	defaultPoll = time.Second           // how long a receive waits for a message if the client does not say
	gather      = 50 * time.Millisecond // how long it waits at least for what a store is still reading
)

// pull is a request that waits for one message: a receive, or a device that waits for a command.
type pull struct {
	conn     *conn
	exchange session.Exchange
	link     *router.Receiver
	accept   int
	meta     bool
	lock     time.Duration // how long the message is locked; 0 accepts it at once
	holder   holder        // for whom a lock is reserved, with lock
	device   *device       // that waits for a command; nil for a receive

	until   time.Time        // when the client has waited long enough; zero before it begins to
	wait    time.Duration    // how long it waits from when it begins
	came    *router.Delivery // before it has begun
	ended   bool
	certain bool // the node has a message on its way, for which the credit is used
}

var (
	_ router.Consumer = (*pull)(nil)
	_ taker           = (*pull)(nil)
)

// Deliver implements router.Consumer.
func (p *pull) Deliver(_ *router.Receiver, d router.Delivery) {
	p.conn.mail.arrivals.Put(arrival{p, d})
}

// atQueue answers requests to q/{address}/head: POST receives a message and locks it, DELETE receives and accepts it.
func (c *conn) atQueue(now time.Time, r *request, path string) error {
	text, ok := strings.CutSuffix(path, "/head")
	if !ok {
		return router.Errorf(router.NotFound, "no such path; want q/ADDRESS/head")
	}
	if r.code != codes.POST && r.code != codes.DELETE {
		return errMethod
	}
	limits := &c.server.limits
	source, err := c.source(r, text)
	if err != nil {
		return err
	}
	if err := r.account.user.Allowance().MayReceive(); err != nil {
		return err
	}
	p := &pull{
		conn: c, exchange: r.exchange, accept: r.accept, meta: r.query.flag("meta", false),
		wait: r.query.seconds("timeout", min(defaultPoll, limits.MaxPoll), 0, limits.MaxPoll, "coap.maxPoll"),
	}
	if r.code == codes.POST {
		p.lock = r.query.seconds("lock", limits.LockTime, time.Second, limits.MaxLockTime, "coap.maxLockTime")
	}
	if err := r.query.err(); err != nil {
		return err
	}
	if p.lock > 0 {
		if p.holder = (holder{r.account.user.Tenant.Name, r.account.user.User}); !c.server.locks.reserve(p.holder) {
			return router.Errorf(router.Quota,
				"too many messages are locked (coap.maxLocks): settle some, or wait until their locks expire")
		}
	}
	if err := p.open(r.account, source); err != nil {
		return err
	}
	p.begin(now)
	c.takeArrivals(now)
	return nil
}

// open links the pull and gives credit for its one message.
func (p *pull) open(a *account, source router.Source) (err error) {
	if p.link, err = p.conn.server.config.Router.Receiver(context.Background(), a.user, source, p); err != nil {
		p.giveBackLock()
		return err
	}
	if p.conn.pulls == nil {
		p.conn.pulls = make(map[*pull]bool)
	}
	p.conn.pulls[p] = true
	p.link.Grant(1)
	return nil
}

// giveBackLock gives back the lock that was reserved, if any.
func (p *pull) giveBackLock() {
	if p.lock > 0 {
		p.conn.server.locks.giveBack(p.holder)
		p.lock = 0
	}
}

// begin lets the client's time run.
func (p *pull) begin(now time.Time) {
	p.until = now.Add(max(p.wait, gather))
	if p.wait == 0 && !p.link.Pending() {
		p.until = now
	}
	if came := p.came; came != nil {
		p.came = nil
		p.answer(now, *came)
	}
}

// due tells when the pull gives up; zero while it has not begun, or knows that a message comes.
func (p *pull) due() time.Time {
	if p.certain {
		return time.Time{}
	}
	return p.until
}

// take implements taker.
func (p *pull) take(now time.Time, d router.Delivery) {
	switch {
	case p.ended:
		d.Settle(router.Release())
	case p.until.IsZero():
		p.came = &d
	default:
		p.answer(now, d)
	}
}

// answer brings the message to the client, who has it under a lock, or for good.
func (p *pull) answer(now time.Time, d router.Delivery) {
	opened := read(&d)
	if !accepts(p.accept, opened.format) {
		d.Settle(router.Release())
		p.end()
		p.conn.refuse(now, p.exchange, errNotAcceptable)
		return
	}
	code, f := codes.Content, framing{meta: p.meta}
	if p.device != nil {
		code, f = codes.Changed, p.device.framing(&d, opened.properties.Subject)
	}
	if p.lock > 0 && d.Owned() {
		f.location = p.lockUp(now, d)
	} else {
		d.Settle(router.Accept())
		p.end()
	}
	p.conn.respond(now, p.exchange, opened.response(now, code, f))
}

// lockUp makes a lock of the message and leaves the link to it. It gives the lock's location.
func (p *pull) lockUp(now time.Time, d router.Delivery) (location string) {
	d.Message = router.Message{}
	l := &lock{holder: p.holder, expires: now.Add(p.lock), delivery: d, link: p.link}
	p.conn.server.locks.add(l)
	p.conn.locks = append(p.conn.locks, l)
	p.conn.lockDue = sooner(p.conn.lockDue, l.expires)
	p.ended = true
	delete(p.conn.pulls, p)
	return "l/" + l.token
}

// end ends a pull that brings nothing.
func (p *pull) end() {
	if p.ended {
		return
	}
	p.ended = true
	delete(p.conn.pulls, p)
	p.giveBackLock()
	if p.came != nil {
		p.came.Settle(router.Release())
	}
	p.link.Close()
}

// expirePulls answers those whose time is over that there is nothing. One for which the node has used the credit waits for
// what is on its way.
func (c *conn) expirePulls(now time.Time) {
	for p := range c.pulls {
		if due := p.due(); due.IsZero() || now.Before(due) {
			continue
		}
		if p.certain = !p.link.TakeBack(); p.certain {
			continue
		}
		p.end()
		c.respond(now, p.exchange, empty(codes.Changed))
	}
}
