package transport

import (
	"errors"
	"net"
	"os"
	"time"
)

// ErrWriteTimeout ends a connection whose peer does not take what is written to it.
var ErrWriteTimeout = errors.New("the peer did not read in time what was written to it (writeTimeout)")

// ErrDrainTimeout ends a connection that was not over when the process had waited long enough for it.
var ErrDrainTimeout = errors.New("the connection was cut off because the process stops (drainTimeout)")

// writeDeadlines writes to a connection, and gives up when the peer has taken nothing for as long as the timeout. One that
// takes a little in that time gets as long again.
type writeDeadlines struct {
	nc      net.Conn
	timeout time.Duration
}

func (w writeDeadlines) write(p []byte) error {
	for {
		if err := w.nc.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
			return err
		}
		n, err := w.nc.Write(p)
		switch {
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		case n == 0:
			return ErrWriteTimeout
		}
		p = p[n:]
	}
}
