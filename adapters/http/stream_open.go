package http

import (
	"context"
	"slices"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// open finds the stay that the client comes back to, or attaches anew.
func (e *eventStream) open(ctx context.Context, p *tenancy.Principal, want *wish) error {
	s := e.server
	e.expires = p.Expires()
	if id, number, ok := parseEventID(want.last); ok && want.resume {
		ctx, cancel := context.WithTimeout(ctx, s.limits.WriteTimeout)
		defer cancel()
		if e.stay = s.stays.claim(ctx, id, want.place); e.stay != nil {
			e.stay.seen(number)
			e.resume()
			return nil
		}
	}
	if err := e.attach(ctx, p, want); err != nil {
		return err
	}
	if want.resume && e.feed.keeps() {
		e.stay = s.stays.begin(want.place, e.feed)
	}
	return nil
}

// resume goes on at a stay: its client is first shown what it has not seen, and what it could not be shown.
func (e *eventStream) resume() {
	e.feed, e.number = e.stay.feed, e.stay.number
	e.again = slices.Clone(e.stay.shown)
	e.came, e.stay.pending = e.stay.pending, nil
}

// attach opens a route of its own. A page that is loaded anew may be here before its old connection is known to be gone:
// where that is in the way, it is waited for.
func (e *eventStream) attach(ctx context.Context, p *tenancy.Principal, want *wish) (err error) {
	s := e.server
	e.feed = newFeed(s.limits.MaxQueuedBytes)
	for again := want.resume; ; again = false {
		if want.resume {
			for _, gone := range s.stays.evict(want.place) {
				gone.end()
			}
		}
		e.feed.link, err = s.router.Receiver(ctx, p, want.source, e.feed)
		if !again || router.ReasonOf(err) != router.Conflict || !s.stays.await(ctx, want.place, s.limits.RetryAfter) {
			return err
		}
	}
}
