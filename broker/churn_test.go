package broker_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// TestEveryAcceptedMessageIsConsumed has producers, and consumers that come and go and give much of what they get back,
// all at once; every message that was accepted is consumed in the end, and none twice.
func TestEveryAcceptedMessageIsConsumed(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	const producers, each = 4, 500
	var (
		mu       sync.Mutex
		consumed = make(map[string]int)
		all      = make(chan struct{})
	)
	note := func(d router.Delivery) {
		mu.Lock()
		defer mu.Unlock()
		p, _, _ := d.Message.Body().Payload()
		if consumed[string(p)]++; consumed[string(p)] == 1 && len(consumed) == producers*each {
			close(all)
		}
	}
	var consuming, producing sync.WaitGroup
	for seed := range uint64(3) {
		random := rand.New(rand.NewPCG(seed, 7))
		consuming.Go(func() {
			for {
				if !consumeSome(t, h, random, note, all) {
					return
				}
			}
		})
	}
	for i := range producers {
		producing.Go(func() {
			p := h.Sender("jobs")
			for n := range each {
				p.Send(fmt.Sprintf("%d/%d", i, n))
			}
			p.Accepted(each)
		})
	}
	producing.Wait()
	consuming.Wait()
	for body, times := range consumed {
		if times != 1 {
			t.Errorf("message %s was consumed %d times", body, times)
		}
	}
}

// consumeSome attaches a consumer, deals with a few messages and leaves; false when all is done. What it does not
// answer comes back when it leaves.
func consumeSome(
	t *testing.T, h *house, random *rand.Rand, note func(router.Delivery), all <-chan struct{},
) bool {
	inbox := make(chan router.Delivery, 16)
	r, err := h.Router.Receiver(t.Context(), h.User, router.Source{Filter: addressing.Address("jobs").Filter()},
		consumerFunc(func(d router.Delivery) { inbox <- d }))
	if err != nil {
		t.Error(err)
		return false
	}
	defer r.Close()
	r.Grant(cap(inbox))
	for range random.IntN(100) {
		var d router.Delivery
		select {
		case d = <-inbox:
		case <-all:
			return false
		}
		switch random.IntN(5) {
		case 0:
			d.Settle(router.Release())
		case 1:
			d.Settle(router.Fail())
		default:
			done := make(chan error, 1)
			d.SettleThen(router.Accept(), func(err error) { done <- err })
			if err := <-done; err == nil {
				note(d)
			} else {
				t.Errorf("the holder of a message could not accept it: %v", err)
			}
		}
		r.Grant(1)
	}
	return true
}

type consumerFunc func(router.Delivery)

func (f consumerFunc) Deliver(_ *router.Receiver, d router.Delivery) { f(d) }
