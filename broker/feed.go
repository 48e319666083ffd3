package broker

import (
	"errors"

	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/broker/internal/store"
	"github.com/manifoldmq/manifold/router"
)

// feed brings bodies from the disk to consumers: one to all that take what comes, and one to each that walks through the
// queue by itself, because it selects, browses or has message groups. Of the latter each reads every body once.
type feed struct {
	window
	apart   bool // of one consumer
	loading bool // a reader of the broker fetches bodies
}

// batch is how many messages, and about how many bytes, a feed reads at once.
func (f *feed) batch() (messages, bytes int) {
	if f.apart {
		return 64, windowBytes / 8
	}
	return windowMessages / 4, windowBytes / 2
}

// body gives the body of a message for a consumer, if it is in memory.
func (n *queueNode) body(c *consumer, seq queue.Seq) (router.Delivery, bool) {
	d, ok := c.feed.get(seq)
	if !ok && c.feed.apart {
		d, ok = n.feed.get(seq)
	}
	return d, ok
}

// fetch asks for the bodies of a feed from seq on.
func (n *queueNode) fetch(f *feed, seq queue.Seq) {
	f.loading = true
	n.broker.readers.ask(fetch{n, f, seq})
}

// load reads bodies from the disk, in a reader's goroutine, without the node's lock.
func (n *queueNode) load(f *feed, from queue.Seq) {
	messages, bytes := f.batch()
	var (
		bodies = make([]router.Delivery, 0, messages)
		seqs   = make([]queue.Seq, 0, messages)
		read   int
		bad    error
	)
	err := n.broker.store.Read(n.id, uint64(from), func(seq uint64, flags byte, value []byte) bool {
		d, err := parseStored(flags, value)
		if err != nil {
			bad = &store.CorruptError{What: "message", Queue: n.id, Seq: seq, Cause: err}
			return false
		}
		bodies, seqs = append(bodies, kept(d)), append(seqs, queue.Seq(seq))
		read += d.Message.Len()
		return len(seqs) < messages && read < bytes
	})
	n.loaded(f, from, seqs, bodies, errors.Join(err, bad))
}

// loaded takes bodies into a feed's window and hands them out.
func (n *queueNode) loaded(f *feed, from queue.Seq, seqs []queue.Seq, bodies []router.Delivery, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f.loading = false
	if len(n.consumers) == 0 {
		return
	}
	if len(seqs) == 0 || seqs[0] != from {
		if err != nil && !isCorrupt(err) {
			n.log("stored messages cannot be read now", from, err)
			return // the next credit tries again
		}
		n.discard(from, err)
	}
	if f.apart || !f.room() { // what is left in it is not what comes next
		f.clear()
	}
	for i, seq := range seqs {
		if f.apart || n.machine.IsReady(seq) {
			f.put(seq, bodies[i])
		}
	}
	n.handOut()
}

func isCorrupt(err error) bool {
	_, ok := errors.AsType[*store.CorruptError](err)
	return ok
}

// discard gives up a message that cannot be read. It stays on disk, is reported, and no longer stands in the way.
func (n *queueNode) discard(seq queue.Seq, err error) {
	if n.machine.Remove(seq) {
		n.unreadable(seq, err)
	}
}

// log tells an operator what went wrong with a message.
func (n *queueNode) log(what string, seq queue.Seq, err error) {
	n.broker.log.Error(what, "tenant", n.name.Tenant, "address", n.displayName(), "seq", uint64(seq), "err", err)
}

// displayName is how people know the queue.
func (n *queueNode) displayName() string {
	if n.isSubscription() {
		return n.source.Filter.String() + "::" + n.source.Subscription
	}
	return n.name.Name
}
