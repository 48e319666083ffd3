package transport

import "io"

// firstRead is the size of the buffer that a connection which is no plain socket keeps for its next bytes.
const firstRead = 512

// briefStreak is how many reads in a row are brief. A reader that finds more and more to read lets the runtime know by its
// calls that it is at work, so that others who become ready are looked after.
const briefStreak = 4

// reader reads from a connection. From a plain socket it takes a buffer only once there is something to read; from
// anything else, such as TLS, it reads into a small buffer of its own and borrows a large one while that fills up.
type reader struct {
	c        *conn
	borrowed *[]byte
	small    []byte
	more     bool // the small buffer was full: there is likely more
	n        int
	streak   int // reads that gave something without a wait between them
	err      error
	try      func(fd uintptr) bool // made once, as it is called for each read
}

func newReader(c *conn) *reader {
	r := &reader{c: c}
	if c.raw != nil {
		r.try = r.tryRead
	} else {
		r.small = make([]byte, firstRead)
	}
	return r
}

// next waits for bytes and gives them; they are valid until done.
func (r *reader) next() ([]byte, error) {
	if r.c.raw != nil {
		if err := r.c.raw.Read(r.try); err != nil {
			return nil, err
		}
		if r.err != nil {
			return nil, r.err
		}
		return (*r.borrowed)[:r.n], nil
	}
	p := r.small
	if r.more {
		r.borrowed = r.c.driver.buffers.get()
		p = (*r.borrowed)[:FlushSize]
	}
	n, err := r.c.nc.Read(p)
	r.more = n == len(p)
	if n == 0 && err != nil {
		r.done()
		return nil, err
	}
	return p[:n], nil
}

// done gives back what next borrowed.
func (r *reader) done() {
	if r.borrowed != nil {
		r.c.driver.buffers.put(r.borrowed)
		r.borrowed = nil
	}
}

// tryRead reads without blocking; false means that there is nothing yet.
func (r *reader) tryRead(fd uintptr) bool {
	r.borrowed = r.c.driver.buffers.get()
	r.n, r.err = readNow(fd, (*r.borrowed)[:FlushSize], r.streak < briefStreak)
	if r.err == nil && r.n > 0 {
		r.streak++
		return true
	}
	r.streak = 0
	r.done()
	if r.err == nil {
		r.err = io.EOF
		return true
	}
	return !wouldBlock(r.err)
}
