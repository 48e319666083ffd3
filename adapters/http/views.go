package http

import (
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/router"
)

// views remembers how messages were shown last, so that one which goes to many streams is encoded about once. Its methods may
// be called from any goroutine.
type views struct {
	seed  maphash.Seed
	slots [64]atomic.Pointer[remembered] // by address and form
}

// remembered is a view, and what it shows.
type remembered struct {
	view     *view
	form     form
	delivery router.Delivery
}

// mostRemembered is the longest message, in bytes, whose view is remembered: of a longer one the bytes cost more than
// making them.
const mostRemembered = 16 << 10

func newViews() *views { return &views{seed: maphash.MakeSeed()} }

// of gives the view of a delivery. The caller must not change it.
func (v *views) of(d *router.Delivery, f form, now time.Time) *view {
	n := d.Message.Len()
	if n == 0 || n > mostRemembered || d.Expires != 0 { // what is left of its life is in the view
		opened := read(d)
		return newView(&opened, f, now)
	}
	slot := &v.slots[(maphash.String(v.seed, string(d.To))+uint64(f))%uint64(len(v.slots))]
	if last := slot.Load(); last != nil && last.shows(d, f) {
		return last.view
	}
	opened := read(d)
	fresh := &remembered{view: newView(&opened, f, now), form: f, delivery: d.Unowned()}
	slot.Store(fresh)
	return fresh.view
}

// shows tells whether it is what a delivery looks like in a form: the message is the same, not only an equal one, and so is
// all that the view says beside it.
func (m *remembered) shows(d *router.Delivery, f form) bool {
	mine, its := m.delivery.Message.Bytes(), d.Message.Bytes()
	return m.form == f && len(mine) == len(its) && &mine[0] == &its[0] &&
		m.delivery.To == d.To && m.delivery.Attempts == d.Attempts && m.delivery.Retained == d.Retained
}
