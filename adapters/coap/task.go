package coap

import (
	"time"

	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
	"github.com/manifoldmq/manifold/router"
)

// task is a request whose answer waits for an outcome.
type task struct {
	exchange session.Exchange
	success  session.Response // to Accepted
	due      time.Time        // when its client hears that nothing is known yet
	done     bool
	command  *pull // of a device that waits for a command once its message is accepted; nil for none
}

// tasks are those of one peer in the order of their requests, which is that of when they are due. Each has a number, which
// is never used again.
type tasks struct {
	first uint64 // the number of the first
	list  []task
}

// add gives the number of a new task.
func (t *tasks) add(k task) uint64 {
	t.list = append(t.list, k)
	return t.first + uint64(len(t.list)-1)
}

// finish gives a task that is under way, and forgets it.
func (t *tasks) finish(number uint64) (k task, ok bool) {
	if number < t.first {
		return k, false
	}
	at := &t.list[number-t.first]
	k, ok = *at, !at.done
	*at = task{done: true}
	t.trim()
	return k, ok
}

// trim forgets those at the head that are done.
func (t *tasks) trim() {
	n := 0
	for n < len(t.list) && t.list[n].done {
		n++
	}
	if n == len(t.list) {
		t.list = t.list[:0]
	} else if n*2 >= len(t.list) || n > 64 {
		t.list = t.list[:copy(t.list, t.list[n:])]
	} else {
		return
	}
	t.first += uint64(n)
}

// due tells when the first of them is; zero for never.
func (t *tasks) due() time.Time {
	for i := range t.list {
		if !t.list[i].done {
			return t.list[i].due
		}
	}
	return time.Time{}
}

func (t *tasks) none() bool { return t.due().IsZero() }

// expired gives a task that is due, and forgets it.
func (t *tasks) expired(now time.Time) (k task, ok bool) {
	for i := range t.list {
		if at := &t.list[i]; !at.done {
			if now.Before(at.due) {
				return k, false
			}
			return t.finish(t.first + uint64(i))
		}
	}
	return k, false
}

// tell answers a request whose outcome has come.
func (c *conn) tell(now time.Time, o outcome) {
	if o.sender != nil {
		o.sender.inFlight--
	}
	k, ok := c.tasks.finish(o.task)
	if !ok || c.over {
		return
	}
	err := o.err
	if err == nil && o.outcome.State != router.Accepted {
		err = errorOf(o.outcome)
		if o.outcome.Reason == router.TooLarge && o.sender != nil {
			err = tooLarge(o.sender.link.MaxMessageSize())
		}
	}
	switch {
	case err != nil && k.command != nil:
		k.command.end()
		c.refuse(now, k.exchange, err)
	case err != nil:
		c.refuse(now, k.exchange, err)
	case k.command != nil:
		k.command.begin(now)
	default:
		c.respond(now, k.exchange, k.success)
	}
}

// expireTasks answers those that wait too long.
func (c *conn) expireTasks(now time.Time) {
	for {
		k, ok := c.tasks.expired(now)
		if !ok {
			return
		}
		if k.command != nil {
			k.command.end()
		}
		c.refuse(now, k.exchange, errUnsettled)
	}
}

// errUnsettled answers a request whose message may yet be accepted.
var errUnsettled = refuse(codes.GatewayTimeout,
	"nobody has settled it in time (coap.outcomeTimeout): whether it will be accepted is not known")
