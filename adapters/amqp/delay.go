package amqp

import (
	"cmp"
	"slices"
	"time"

	"github.com/manifoldmq/manifold/router"
)

// delay keeps a message for a link on which messages wait, until it is due. It counts to what may wait there.
func (c *conn) delay(a arrival) {
	i, _ := slices.BinarySearchFunc(c.delayed, a.delivery.Due, func(other arrival, due int64) int {
		return cmp.Or(cmp.Compare(other.delivery.Due, due), -1) // behind those that are due at the same time
	})
	c.delayed = slices.Insert(c.delayed, i, a)
}

// dueAt is when the first of the messages is due that are delayed; zero for never.
func (c *conn) dueAt() time.Time {
	if len(c.delayed) == 0 {
		return time.Time{}
	}
	return time.UnixMilli(c.delayed[0].delivery.Due)
}

// sendDue hands on what is due.
func (c *conn) sendDue() {
	now, n := time.Now().UnixMilli(), 0
	for n < len(c.delayed) && c.delayed[n].delivery.Due <= now {
		n++
	}
	if n == 0 {
		return
	}
	due := c.delayed[:n]
	c.delayed = slices.Clone(c.delayed[n:])
	for _, a := range due {
		a.link.Arrived(a.delivery)
	}
}

// dropDelayed forgets what is delayed for a link that has ended.
func (c *conn) dropDelayed(out *outgoing) {
	c.delayed = slices.DeleteFunc(c.delayed, func(a arrival) bool {
		if a.link == out {
			out.Finish(a.delivery, router.Release())
		}
		return a.link == out
	})
}
