package gateway

import (
	"context"
	"errors"
	"log/slog"

	"golang.org/x/sync/errgroup"
)

// errStoreFailed ends a gateway whose store takes no more writes: it could only refuse everything.
var errStoreFailed = errors.New("the store has failed; see the log")

// lifecycle runs the doors, and the admin door around them.
type lifecycle struct {
	doors   []door
	outward []func(context.Context) error // connect to others, and drain as the doors do
	chores  []func(context.Context) error // run until the doors have drained
	admin   *adminDoor
	failed  <-chan struct{} // closed when the store has failed
	log     *slog.Logger
}

// run calls ready when every door serves. It returns when ctx has ended, a door or the store has failed, and all doors
// have drained.
func (l *lifecycle) run(ctx context.Context, ready func()) error {
	background, finish := context.WithCancel(context.WithoutCancel(ctx))
	defer finish()
	administering := new(errgroup.Group)
	serving, ctx := errgroup.WithContext(ctx)
	administering.Go(func() error { return l.admin.run(background) })
	for _, chore := range l.chores {
		administering.Go(func() error { return chore(background) })
	}
	serving.Go(func() error { return l.watchStore(ctx) })
	for _, run := range l.outward {
		serving.Go(func() error { return run(ctx) })
	}
	for _, d := range l.doors {
		serving.Go(func() error { return d.run(ctx) })
	}

	l.admin.ready.Store(true)
	l.log.Info("ready")
	ready()
	<-ctx.Done()
	l.admin.ready.Store(false)
	l.log.Info("stopping: clients may finish")
	err := serving.Wait()
	finish()
	return errors.Join(err, administering.Wait())
}

// watchStore waits for ctx to end or the store to fail.
func (l *lifecycle) watchStore(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-l.failed:
		return errStoreFailed
	}
}
