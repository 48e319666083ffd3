package broker

import "github.com/manifoldmq/manifold/router"

// Watcher hears of subscriptions to topics, of receivers and of those that keep messages, from when they are made or
// recovered until they end. Its methods are called with locks held: they take leaf locks only. The source is not changed.
type Watcher interface {
	Subscribed(tenant string, source *router.Source)
	Unsubscribed(tenant string, source *router.Source)
}

// nobody watches.
type nobody struct{}

func (nobody) Subscribed(string, *router.Source)   {}
func (nobody) Unsubscribed(string, *router.Source) {}
