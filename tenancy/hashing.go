package tenancy

import (
	"context"
	"runtime"
	"time"
)

// patience is how long a client may wait until it is its password's turn.
const patience = 5 * time.Second

// hashing bounds how many passwords are hashed at a time: each takes a processor, and with argon2id some memory.
type hashing chan struct{}

// newHashing leaves half of the processors to the messages.
func newHashing() hashing { return make(hashing, max(1, runtime.GOMAXPROCS(0)/2)) }

// enter waits for a turn, which release ends. The error is ErrBusy when that takes too long or ctx ends before.
func (h hashing) enter(ctx context.Context) (release func(), err error) {
	select {
	case h <- struct{}{}:
		return h.leave, nil
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case h <- struct{}{}:
		return h.leave, nil
	case <-ctx.Done():
		return nil, ErrBusy
	}
}

func (h hashing) leave() { <-h }
