package coap

import (
	"slices"
	"strings"
	"time"

	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/router"
)

// atLock answers requests to l/{token}: DELETE accepts the message, PUT gives it back, POST of .../reject says that it is
// of no use, and POST of .../renew keeps it longer.
func (c *conn) atLock(now time.Time, r *request, path string) error {
	token, verb, _ := strings.Cut(path, "/")
	tenant := r.account.user.Tenant.Name
	if verb == "renew" && r.code == codes.POST {
		lasts := r.query.seconds("lock", c.server.limits.LockTime, time.Second, c.server.limits.MaxLockTime, "coap.maxLockTime")
		if err := r.query.err(); err != nil {
			return err
		}
		if !c.server.locks.renew(token, tenant, now.Add(lasts)) {
			return errNoLock
		}
		c.respond(now, r.exchange, empty(codes.Changed))
		return nil
	}
	o, success, err := readOutcome(r, verb)
	if err != nil {
		return err
	}
	l := c.server.locks.take(token, tenant)
	if l == nil {
		return errNoLock
	}
	c.locks = slices.DeleteFunc(c.locks, func(own *lock) bool { return own == l })
	number := c.tasks.add(task{exchange: r.exchange, success: empty(success), due: now.Add(c.server.limits.OutcomeTimeout)})
	l.settle(o, func(err error) { c.mail.outcomes.Put(outcome{task: number, err: err}) })
	return nil
}

var errNoLock = router.Errorf(router.NotFound, "no such lock: it was settled, has expired, or never was")

// readOutcome reads what a client says of a message that it has under a lock, and the code that answers it.
func readOutcome(r *request, verb string) (o router.Outcome, success codes.Code, err error) {
	reason, _ := r.query.take("reason")
	success = codes.Changed
	switch {
	case verb == "reject" && r.code == codes.POST:
		if reason == "" {
			reason = "rejected by its consumer"
		}
		o = router.Reject(router.Malformed, reason)
	case verb != "":
		err = router.Errorf(router.NotFound, "no such path; want l/TOKEN, l/TOKEN/reject or l/TOKEN/renew")
	case r.code == codes.DELETE:
		o, success = router.Accept(), codes.Deleted
	case r.code == codes.PUT && r.query.flag("failed", false):
		o = router.Fail()
		o.Text = reason
	case r.code == codes.PUT:
		o = router.Release()
	default:
		err = errMethod
	}
	if err == nil {
		err = r.query.err()
	}
	return o, success, err
}
