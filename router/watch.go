package router

import "github.com/manifoldmq/manifold/addressing"

// Watcher hears which receivers there are, so that a network can be told where consumers are. It is not told of a Way, nor
// of those who only browse. Its methods are called from any goroutine without locks.
type Watcher interface {
	// Came tells of a receiver whose route is live, and of the definitions that it takes from.
	Came(r *Receiver, defs []*addressing.Definition)
	// Went tells of one that is about to be unlinked.
	Went(r *Receiver)
}

// Watch has w hear of receivers. It comes before any link is made.
func (r *Router) Watch(w Watcher) { r.watcher = w }

// came tells the watcher of a receiver, if it is one to tell of.
func (r *Router) came(rcv *Receiver, defs []*addressing.Definition) {
	if r.watcher == nil || rcv.way != nil || rcv.source.Browse {
		return
	}
	rcv.watcher = r.watcher
	r.watcher.Came(rcv, defs)
}

// went tells the watcher that a receiver goes, if it was told of it.
func (r *Receiver) went() {
	if r.watcher != nil {
		r.watcher.Went(r)
	}
}
