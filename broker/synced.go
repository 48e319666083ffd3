package broker

import "context"

// synced is told once whether a batch is on disk; any number may wait for it. A nil one has long been.
type synced struct {
	done chan struct{}
	err  error // valid when done is closed
}

func newSynced() *synced { return &synced{done: make(chan struct{})} }

// Committed implements store.Completer.
func (s *synced) Committed(_ uint64, err error) {
	s.err = err
	close(s.done)
}

func (s *synced) wait(ctx context.Context) error {
	if s == nil {
		return nil
	}
	select {
	case <-s.done:
		if s.err != nil {
			return storeError()
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
