package network

import (
	"container/list"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// maxSenders is how many addresses a data link keeps senders for that nothing is on the way to.
const maxSenders = 1024

// senders are those to the addresses that messages of a data link were for lately.
type senders struct {
	byKey  map[protocol.Key]*opened
	bySend map[*router.Sender]*opened
	idle   list.List // of *opened without messages on their way; the one that has been so for longest first
}

// opened is a sender and its use.
type opened struct {
	key    protocol.Key
	sender *router.Sender
	open   int           // messages that have not ended
	era    uint64        // of the definitions by which it was made
	idle   *list.Element // nil while there are
}

func (s *senders) init() {
	s.byKey, s.bySend = make(map[protocol.Key]*opened), make(map[*router.Sender]*opened)
}

// find gives the sender for one message more to an address.
func (s *senders) find(in *inlet, key protocol.Key, place protocol.Place) (*router.Sender, error) {
	if place.Class != protocol.Mobile {
		key = protocol.KeyOf(place.Class, in.mesh.text(place))
	}
	o := s.byKey[key]
	era := in.mesh.era.Load()
	if o != nil && o.era != era && o.idle != nil { // the address may be something else by now
		s.drop(o)
		o = nil
	}
	if o == nil {
		sender, err := in.openSender(key, place)
		if err != nil {
			return nil, err
		}
		o = &opened{key: key, sender: sender, era: era}
		s.byKey[key], s.bySend[sender] = o, o
	}
	if o.idle != nil {
		s.idle.Remove(o.idle)
		o.idle = nil
	}
	o.open++
	return o.sender, nil
}

// done notes that a message has ended; nil is for one that had no sender.
func (s *senders) done(sender *router.Sender) {
	o := s.bySend[sender]
	if o == nil {
		return
	}
	if o.open--; o.open > 0 {
		return
	}
	o.idle = s.idle.PushBack(o)
	if s.idle.Len() > maxSenders {
		s.drop(s.idle.Front().Value.(*opened))
	}
}

func (s *senders) drop(o *opened) {
	s.idle.Remove(o.idle)
	delete(s.byKey, o.key)
	delete(s.bySend, o.sender)
	o.sender.Close()
}

// Passage implements router.Passage.
func (in *inlet) Passage() {}

// close closes all of them. What they have sent and nobody has taken is released.
func (s *senders) close() {
	for sender := range s.bySend {
		sender.Close()
	}
	s.init()
	s.idle.Init()
}
