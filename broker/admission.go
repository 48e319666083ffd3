package broker

import (
	"errors"

	"github.com/manifoldmq/manifold/broker/internal/store"
	"github.com/manifoldmq/manifold/router"
)

// Who brings messages asks first whether the disk can take them; what consumers do is never refused, because it makes
// room. Messages that are refused were not acknowledged: their senders have them still.

// admit tells why nothing new is taken to the disk now.
func (b *Broker) admit() error {
	switch err := b.store.Admit(); {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrNoSpace):
		return router.Errorf(router.Quota, "no space left on disk (store.minFree)")
	default:
		return router.Errorf(router.Quota, "too much waits for the disk (store.maxPending)")
	}
}

// admit tells why a message is not taken in: all subscriptions to its address keep it, or none.
func (t *topics) admit(d router.Delivery, kept []*queueNode) error {
	onDisk := 0
	for _, n := range kept {
		if !n.isVolatile() {
			onDisk++
		}
	}
	if onDisk > 0 {
		if err := room(t.allowance, onDisk, int64(onDisk)*int64(d.Message.Len())); err != nil {
			return err
		}
	}
	if d.Retain || onDisk > 0 {
		return t.broker.admit()
	}
	return nil
}

// admit tells why a transaction is not begun. One that only settles is always.
func (t *transaction) admit(b *Broker) error {
	if len(t.work.Offers) == 0 {
		return nil
	}
	return b.admit()
}
