package http

import (
	"sync/atomic"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/transport"
)

// feed is the receiving link of a stream. What comes waits in a mailbox for the stream. Of messages that
// nobody keeps, those from topics and broadcast addresses, as many may wait as fit; what is beyond is dropped and counted.
type feed struct {
	link     *router.Receiver
	arrivals transport.Mailbox[router.Delivery]
	listener atomic.Pointer[func()] // is told when something has come
	window   int                    // credit that the node has when nothing waits
	queued   atomic.Int64           // bytes of waiting messages that nobody keeps
	most     int64
	revoked  atomic.Bool // nothing more comes
}

var _ router.Revocable = (*feed)(nil)

func newFeed(mostBytes int) *feed {
	f := &feed{most: int64(mostBytes)}
	f.arrivals.Init(f.poke)
	return f
}

// start grants the first credit: much where nobody keeps what there is no credit for.
func (f *feed) start(l Limits) {
	f.window = l.StreamWindow
	if f.link.Kind() != addressing.Anycast && !f.keeps() {
		f.window = l.StreamCredit
	}
	f.link.Grant(f.window)
}

// keeps tells whether what is not delivered stays where it is.
func (f *feed) keeps() bool {
	return f.link.Kind() == addressing.Queue || f.link.Source().Subscription != ""
}

// listen has wake told from now on when something has come; with nil nobody is.
func (f *feed) listen(wake func()) {
	if wake == nil {
		f.listener.Store(nil)
		return
	}
	f.listener.Store(&wake)
}

// poke makes the stream look.
func (f *feed) poke() {
	if wake := f.listener.Load(); wake != nil {
		(*wake)()
	}
}

// Deliver implements router.Consumer.
func (f *feed) Deliver(r *router.Receiver, d router.Delivery) {
	if size := int64(d.Message.Len()); !d.Owned() && f.queued.Add(size) > f.most {
		f.queued.Add(-size)
		r.Drop()
		d = router.Delivery{} // its credit is due all the same
	}
	f.arrivals.Put(d)
}

// Revoked implements router.Revocable. Why is told to a client who comes again.
func (f *feed) Revoked(_ *router.Receiver, why *router.Error) {
	if why != nil {
		f.revoked.Store(true)
		f.poke()
	}
}

// written gives back the room and the credit of messages that the client has.
func (f *feed) written(all []router.Delivery) {
	for _, d := range all {
		if !d.Owned() {
			f.queued.Add(-int64(d.Message.Len()))
		}
	}
	f.link.Grant(len(all))
}

// close unlinks. What has come and was not looked at goes back untouched, the rest as tried.
func (f *feed) close() {
	for _, d := range f.arrivals.Take() {
		d.Settle(router.Release())
	}
	f.link.Close()
}
