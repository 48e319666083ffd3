//go:build interop

package soak

import (
	"context"
	"math/rand/v2"

	"golang.org/x/sync/errgroup"
)

// verdict is what a consumer does with a delivery.
type verdict byte

const (
	accept verdict = iota
	pass           // it is to go on to the last station: rejected as a dead letter, or moved in a transaction
	fail           // it is to come again
)

// arrival is a letter that was delivered.
type arrival struct {
	letter
	marked  bool // it may have been delivered before
	verdict verdict
	token   any // what the inlet knows it by
}

// inlet consumes from one place, over one connection at a time.
type inlet interface {
	open(ctx context.Context, doors map[string]string) error
	// receive waits for letters; there may be none.
	receive(ctx context.Context) ([]arrival, error)
	// settle does as the verdicts say, and confirms each settlement that is known to be safe.
	settle(ctx context.Context, arrivals []arrival, confirm func(letter)) error
	close()
}

// consumer is a worker that takes what comes.
type consumer struct {
	inlet
	reader reader
	name   string
	judge  func(letter) verdict
	holds  int // of the newest deliveries, the most that it keeps unsettled
}

func (c *consumer) String() string { return c.name }

func (c *consumer) work(l *life) error {
	hold := 0
	if c.holds > 0 && !l.last {
		hold = rand.IntN(c.holds + 1)
	}
	var held []arrival
	for {
		arrivals, err := c.receive(l.ctx)
		if err != nil {
			return err
		}
		for i := range arrivals {
			c.reader.delivered(arrivals[i].letter, arrivals[i].marked)
			arrivals[i].verdict = c.judge(arrivals[i].letter)
		}
		held = append(held, arrivals...)
		ripe := max(0, len(held)-hold)
		if err := c.end(l.ctx, held[:ripe]); err != nil {
			return err
		}
		held = held[ripe:]
	}
}

// end settles what has come.
func (c *consumer) end(ctx context.Context, arrivals []arrival) error {
	for _, a := range arrivals {
		if a.verdict == accept {
			c.reader.finish(a.letter)
		}
	}
	return c.settle(ctx, arrivals, c.reader.confirmed)
}

// together settles letters all at once, each with a call that returns when that is safe.
func together(arrivals []arrival, confirm func(letter), settle func(arrival) error) error {
	var settling errgroup.Group
	for _, a := range arrivals {
		settling.Go(func() error {
			err := settle(a)
			if err == nil && a.verdict != fail {
				confirm(a.letter)
			}
			return err
		})
	}
	return settling.Wait()
}
