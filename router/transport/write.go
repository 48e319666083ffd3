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

// writeDeadlines writes to a connection with a deadline on each write.
type writeDeadlines struct {
	nc      net.Conn
	timeout time.Duration
}

func (w writeDeadlines) write(p []byte) error {
	if err := w.nc.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
		return err
	}
	_, err := w.nc.Write(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ErrWriteTimeout
	}
	return err
}
