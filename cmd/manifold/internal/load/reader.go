package load

import (
	"errors"
	"net"
	"os"
	"time"
)

// batchReader reads frames in large pieces. Waking for each packet that a server writes would make the driver
// dearer than the server, so the kernel is asked to wake it only when low bytes have come, or after a pause.
// The mark follows the traffic, see adapt.
type batchReader struct {
	conn    net.Conn
	buf     []byte
	have    int // bytes of an incomplete frame at the front of buf
	low     int
	ceiling int // low does not rise above it by guessing
	highest int // low never rises above it; 1 turns batching off
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

// fill waits for bytes and hands each complete frame to each, in order. The frames are borrowed.
func (r *batchReader) fill(each func(frame) error) error {
	n, err := r.read()
	if err != nil {
		return err
	}
	end, at := r.have+n, 0
	for {
		f, err := nextFrame(r.buf[at:end], len(r.buf))
		if err != nil {
			return err
		}
		if f.size == 0 {
			break
		}
		if err := each(f); err != nil {
			return err
		}
		at += f.size
	}
	r.have = copy(r.buf, r.buf[at:end])
	return nil
}

func (r *batchReader) read() (int, error) {
	if r.highest == 1 {
		return r.conn.Read(r.buf[r.have:])
	}
	paused, start := false, time.Now()
	for {
		if err := r.conn.SetReadDeadline(time.Now().Add(readPause)); err != nil {
			return 0, err
		}
		n, err := r.conn.Read(r.buf[r.have:])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			paused = true
			continue
		}
		if err == nil {
			r.adapt(n, paused, time.Since(start))
		}
		return n, err
	}
}

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
