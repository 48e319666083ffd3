package load

import "sync/atomic"

// acks follows which messages of a publisher the server has acknowledged. Who reads the answers owns it, but for the
// atomic that the run reads.
type acks struct {
	count atomic.Uint64 // messages that the server took
	meter *meter

	lowest     uint64          // the lowest message without an answer
	ahead      [maxWindow]bool // answered messages above lowest, by number modulo maxWindow
	unexpected uint64          // answers for nothing
	refused    uint64          // answers that say no
	repeated   uint64          // times that a message was sent again, since its answer did not come
}

// near gives the message whose number is slot modulo maxWindow among those that may be under way.
func (a *acks) near(slot uint64) uint64 {
	return a.lowest + (slot+maxWindow-a.lowest%maxWindow)%maxWindow
}

// note enters the answer to message s, of sent messages. The window stays right whatever the order.
func (a *acks) note(s, sent uint64, taken bool) {
	slot := s % maxWindow
	if s < a.lowest || s >= sent || a.ahead[slot] {
		a.unexpected++
		return
	}
	if taken {
		a.count.Add(1)
	} else {
		a.refused++
	}
	a.ahead[slot] = true
	for a.ahead[a.lowest%maxWindow] {
		a.ahead[a.lowest%maxWindow] = false
		a.lowest++
	}
}

// advance lets the publisher go on.
func (a *acks) advance() { a.meter.advance(a.lowest) }
