package load

import (
	"errors"
	"net"
	"os"
	"time"
)

// batchReader reads in large pieces. Waking for each packet that a server writes would make the driver dearer than the
// server, so the kernel is asked to wake it only when low bytes have come, or after a pause. The mark follows the
// traffic, see adapt.
type batchReader struct {
	conn    net.Conn
	buf     []byte
	have    int // bytes at the front of buf that the owner keeps
	low     int
	ceiling int // low does not rise above it by guessing
	highest int // low never rises above it; 1 turns batching off

	since  time.Time // when the wait for what is read next began
	paused bool      // a pause has ended since then
}

const (
	readPause = 50 * time.Millisecond
	firstMark = 4 << 10

	// largestMark is what still lies in the processor's cache when it is read; more makes reading dearer again.
	largestMark = 32 << 10
)

func newBatchReader(conn net.Conn, size, highest int) *batchReader {
	r := &batchReader{conn: conn, buf: make([]byte, size), highest: max(1, min(highest, size/2, largestMark))}
	r.ceiling = r.highest
	r.mark(min(r.highest, firstMark))
	return r
}

// next gives what the owner has kept and the bytes that have come, borrowed until the next call. After a pause without
// any it gives nothing, so that the owner can look at the time.
func (r *batchReader) next() ([]byte, error) {
	if r.since.IsZero() {
		r.since = time.Now()
	}
	if err := r.conn.SetReadDeadline(time.Now().Add(readPause)); err != nil {
		return nil, err
	}
	n, err := r.conn.Read(r.buf[r.have:])
	if errors.Is(err, os.ErrDeadlineExceeded) {
		r.paused = true
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r.adapt(n, r.paused, time.Since(r.since))
	r.since, r.paused = time.Time{}, false
	return r.buf[:r.have+n], nil
}

// keep has the last bytes of what next gave stand before those of the next call.
func (r *batchReader) keep(rest []byte) { r.have = copy(r.buf, rest) }

// adapt sets the mark for the next read. When the pause ended first, the server has no more to give before it
// hears from us (its window is small) or is slow: ask for less, and for more only if more turns out to be there.
func (r *batchReader) adapt(n int, paused bool, waited time.Duration) {
	double := min(r.low*2, r.highest)
	switch {
	case paused && n < r.low:
		r.ceiling = max(1, r.low/2)
		r.mark(r.ceiling)
	case n >= double && double > r.low:
		r.ceiling = max(r.ceiling, double)
		r.mark(double)
	case !paused && waited < readPause/4 && n >= r.low && double > r.low && double <= r.ceiling:
		r.mark(double)
	}
}

func (r *batchReader) mark(low int) {
	r.low = low
	setLowWater(r.conn, low)
}
