package broker

import (
	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/router"
)

// window holds the bodies of the next messages, so that a consumer that keeps up never waits for the disk and a
// backlog costs no memory.
type window struct {
	bodies map[queue.Seq]router.Delivery
	bytes  int
}

// The bounds of a window. It may exceed the second by one message.
const (
	windowMessages = 1024
	windowBytes    = 1 << 20
)

// kept is a delivery as a queue hands it out: whoever sent it has had his outcome, and it waits for the consumer's even
// if its sender asked for none.
func kept(d router.Delivery) router.Delivery {
	d = d.Unowned()
	d.Settled, d.Unasked = false, d.Settled || d.Unasked
	return d
}

func (w *window) room() bool { return len(w.bodies) < windowMessages && w.bytes < windowBytes }

func (w *window) put(seq queue.Seq, d router.Delivery) {
	w.drop(seq)
	w.add(seq, d)
}

// add is put for a message that cannot be there yet.
func (w *window) add(seq queue.Seq, d router.Delivery) {
	if w.bodies == nil {
		w.bodies = make(map[queue.Seq]router.Delivery)
	}
	w.bodies[seq] = d
	w.bytes += d.Message.Len()
}

func (w *window) get(seq queue.Seq) (router.Delivery, bool) {
	d, ok := w.bodies[seq]
	return d, ok
}

func (w *window) drop(seq queue.Seq) {
	if d, ok := w.bodies[seq]; ok {
		w.take(seq, d)
	}
}

// take is drop for who has got the body from the window.
func (w *window) take(seq queue.Seq, d router.Delivery) {
	w.bytes -= d.Message.Len()
	delete(w.bodies, seq)
}

// clear gives the memory back.
func (w *window) clear() { *w = window{} }
