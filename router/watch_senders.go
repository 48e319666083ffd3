package router

import "github.com/manifoldmq/manifold/addressing"

// SenderWatcher hears which senders there are, so that a network can be asked where consumers are. Its methods are called
// from any goroutine without locks.
type SenderWatcher interface {
	// Joined tells of a sender that is linked, by whose producer, and of the definition of its address.
	Joined(s *Sender, p Producer, def *addressing.Definition)
	// Left tells of one that is about to be unlinked.
	Left(s *Sender)
}

// WatchSenders has w hear of senders. It comes before any link is made.
func (r *Router) WatchSenders(w SenderWatcher) { r.senderWatcher = w }

// Phase is where the messages come in, of an anycast address.
func (s *Sender) Phase() uint8 { return *s.target.Phase }

// joined tells the watcher of a sender.
func (r *Router) joined(s *Sender) {
	if s.watcher = r.senderWatcher; s.watcher != nil {
		s.watcher.Joined(s, s.producer, s.def)
	}
}

// left tells the watcher that a sender goes, if it was told of it.
func (s *Sender) left() {
	if s.watcher != nil {
		s.watcher.Left(s)
	}
}
