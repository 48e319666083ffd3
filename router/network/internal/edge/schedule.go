package edge

import (
	"time"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// queue is what is to be looked at later, each after the same time, so that the first one is due first.
type queue []due

type due struct {
	at        time.Time
	key       protocol.Key
	direction Direction
}

func (q *queue) put(at time.Time, key protocol.Key, d Direction) { *q = append(*q, due{at, key, d}) }

// next takes the first one if it is due.
func (q *queue) next(now time.Time) (d due, ok bool) {
	if len(*q) == 0 || now.Before((*q)[0].at) {
		return d, false
	}
	d = (*q)[0]
	if *q = (*q)[1:]; len(*q) == 0 {
		*q = nil
	}
	return d, true
}

// Deadline gives when to call Advance next, zero for never.
func (r *Router) Deadline() (next time.Time) {
	for _, q := range []queue{r.patience, r.lingering, r.retries, r.renewals} {
		if len(q) > 0 && (next.IsZero() || q[0].at.Before(next)) {
			next = q[0].at
		}
	}
	return next
}

// Advance does what is due. It may be called at any time.
func (r *Router) Advance(now time.Time) {
	for d, ok := r.patience.next(now); ok; d, ok = r.patience.next(now) {
		if a := r.addresses[d.key]; a != nil && a.out.answered && a.road == Relay {
			r.lead(a, Nowhere) // there is no news because there is nobody
		}
	}
	for d, ok := r.lingering.next(now); ok; d, ok = r.lingering.next(now) {
		if a := r.addresses[d.key]; a != nil {
			r.follow(a, now)
		}
	}
	for d, ok := r.retries.next(now); ok; d, ok = r.retries.next(now) {
		if a := r.addresses[d.key]; a != nil {
			r.retry(a, d.direction, now)
		}
	}
	for d, ok := r.renewals.next(now); ok; d, ok = r.renewals.next(now) {
		r.renew(d.key)
	}
}

// retry attaches a link again that was refused, if it is still of use.
func (r *Router) retry(a *address, d Direction, now time.Time) {
	if d == Receive {
		a.in.refused = false
	} else {
		a.out.refused = false
	}
	r.follow(a, now)
}
