package amqp

import (
	"context"
	"slices"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// store stands for the broker: it knows subscriptions, keeps no messages, and takes transactions or not.
type store struct {
	router.Node
	refuses       error // of the next commits
	work          router.Work
	attached      []*router.Receiver
	subscriptions []router.Source
}

var (
	_ router.Resolver   = (*store)(nil)
	_ router.Stored     = (*store)(nil)
	_ router.Transactor = (*store)(nil)
)

func (s *store) Join(link *router.Sender) error {
	link.Grant()
	return nil
}

func (s *store) Leave(*router.Sender) {}

func (s *store) Transactor() router.Transactor { return s }

func (s *store) Commit(w router.Work, done func(error)) {
	s.work = w
	done(s.refuses)
}

// Attach makes the subscription of a receiver. One that is not shared has one receiver.
func (s *store) Attach(r *router.Receiver) error {
	source := r.Source()
	if source.Subscription != "" && !source.Volatile {
		known := slices.ContainsFunc(s.subscriptions, func(known router.Source) bool { return same(known, source) })
		if !known {
			s.subscriptions = append(s.subscriptions, source)
		}
		if !source.Shared && slices.ContainsFunc(s.attached, func(r *router.Receiver) bool { return same(r.Source(), source) }) {
			return router.Errorf(router.Conflict, "the subscription has a consumer")
		}
	}
	s.attached = append(s.attached, r)
	return nil
}

func same(a, b router.Source) bool { return a.Subscription == b.Subscription && a.Filter == b.Filter }

func (s *store) Grant(*router.Receiver) {}

func (s *store) Pending(*router.Receiver) bool { return false }

func (s *store) Detach(r *router.Receiver) {
	s.attached = slices.DeleteFunc(s.attached, func(other *router.Receiver) bool { return other == r })
}

func (s *store) Resolve(
	context.Context, *tenancy.Tenant, *addressing.Definition, router.Source,
) (router.Node, error) {
	return s, nil
}

func (s *store) Forget(_ context.Context, _ *tenancy.Tenant, source router.Source) error {
	if slices.ContainsFunc(s.attached, func(r *router.Receiver) bool { return same(r.Source(), source) }) {
		return router.Errorf(router.Conflict, "the subscription has a consumer")
	}
	s.subscriptions = slices.DeleteFunc(s.subscriptions, func(known router.Source) bool { return same(known, source) })
	return nil
}

func (s *store) Subscriptions(
	_ context.Context, _ *tenancy.Tenant, wanted router.Source,
) (found []router.Source, _ error) {
	for _, known := range s.subscriptions {
		if known.Subscription == wanted.Subscription {
			found = append(found, known)
		}
	}
	return found, nil
}
