package transport

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Options are a driver's settings. The zero value of a field means its default.
type Options struct {
	WriteTimeout time.Duration // how long a peer may take nothing of a write; default 30 s
	DrainTimeout time.Duration // how long connections get to end by themselves when the process stops; default 5 s
	Errands      *Errands      // shared with other drivers, whose connections hear from these; default its own
}

// Driver runs connections. One driver serves many, which share its buffers.
type Driver struct {
	options Options
	buffers bufferPool
	turns   turns
	errands *Errands
}

// NewDriver gives a driver.
func NewDriver(o Options) *Driver {
	if o.WriteTimeout == 0 {
		o.WriteTimeout = 30 * time.Second
	}
	if o.DrainTimeout == 0 {
		o.DrainTimeout = 5 * time.Second
	}
	if o.Errands == nil {
		o.Errands = new(Errands)
	}
	return &Driver{options: o, errands: o.Errands}
}

// Serve runs one connection until it ends, and hangs up: it closes its direction of a socket, whose rest is closed by
// Accept or who else accepted it, and all of any other connection. open makes its engine; wake, given to it, tells from any
// goroutine that the engine has something to do, and never blocks. When ctx ends the engine is told to Drain, and what
// is not Closed by the drain timeout is cut off.
//
// The error says why the connection ended: nil when the engine closed it, io.EOF when the peer did, what Feed or
// Advance returned, or a network error.
func (d *Driver) Serve(ctx context.Context, nc net.Conn, open func(wake func()) Engine) error {
	c := newConn(d, nc)
	c.open(open)
	stop := context.AfterFunc(ctx, func() {
		c.draining.Store(true)
		c.wakeWriter()
	})
	defer stop()
	c.wakeWriter()
	c.end(c.read())
	c.wakeWriter()
	return c.awaitFinish()
}

// Accept takes connections from ln and calls serve for each in a goroutine of its own, until ctx ends; then it closes
// ln and waits for all of them. It closes a connection after serve has returned, once the peer has had the time to read
// what was written last. Its error is nil when ctx ended it.
func Accept(ctx context.Context, ln net.Listener, serve func(context.Context, net.Conn)) error {
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	var serving sync.WaitGroup
	defer serving.Wait()
	for {
		nc, err := ln.Accept()
		switch {
		case err == nil:
			serving.Go(func() {
				serve(ctx, nc)
				seeOff(ctx, nc)
			})
		case ctx.Err() != nil:
			return nil
		case isTemporary(err):
			pause(ctx, acceptPause)
		default:
			return err
		}
	}
}

// acceptPause is how long accepting rests when the process is out of file descriptors.
const acceptPause = 50 * time.Millisecond

func isTemporary(err error) bool {
	// A listener's temporary errors are those of resources: EMFILE, ENFILE, ECONNABORTED and the like.
	t, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err)
	return ok && t.Temporary()
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
