package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	handshakeTime = 20 * time.Second
	dialAtOnce    = 64 // connections that are being opened at one time
)

var (
	errNoAnswer = fmt.Errorf("no answer within %v", handshakeTime)
	errHungUp   = errors.New("the server closed the connection")
)

// dial opens one connection, whose deadline leaves time for a handshake. A nil source lets the kernel choose.
func dial(ctx context.Context, address string, source net.Addr) (net.Conn, error) {
	dialer := net.Dialer{LocalAddr: source, Timeout: handshakeTime}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(handshakeTime)); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// broken tells in plain words of a connection that the server has ended: which of these errors comes first depends
// on who was reading and writing then. Other errors stay as they are.
func broken(err error) error {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, end) {
			return errHungUp
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errNoAnswer
	}
	return err
}

// inParallel calls open for 0 to n-1, a bounded number at a time, and returns the first error.
func inParallel(ctx context.Context, n int, open func(ctx context.Context, i int) error) error {
	return inParallelBy(ctx, dialAtOnce, n, open)
}

// inParallelBy is inParallel with a number at a time.
func inParallelBy(ctx context.Context, atOnce, n int, open func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(n, atOnce) {
		wg.Go(func() {
			for i := range next {
				if err := open(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	wg.Wait()
	return context.Cause(ctx)
}
