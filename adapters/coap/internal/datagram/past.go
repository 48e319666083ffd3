package datagram

import "time"

// past is what a session remembers of requests, so as to know duplicates (section 4.5). Both of its parts are rings that
// grow as needed, up to their limits: the requests in the order of their coming, and the bytes of their answers. Nothing is
// searched: a message id leads to the newest request with it.
type past struct {
	newest  map[uint16]uint32 // message id to the place of the newest request with it, modulo 2^32
	ring    []memory          // as many as a power of two; the place of a request is its number modulo that
	first   uint32            // number of the oldest request remembered
	end     uint32            // and of the next that comes
	latest  int64             // when the last of them expires
	answers answers
}

// memory is a request that has come.
type memory struct {
	digest uint64
	until  int64  // in nanoseconds of Unix time
	answer uint64 // where its answer begins
	size   uint32 // of the answer; 0 when there is none yet, or none to repeat
	id     uint16
}

// smallest is how many requests a ring has room for at first.
const smallest = 4

func (p *past) empty() bool { return p.first == p.end }

// deadline is when the last request is forgotten; zero when there is none.
func (p *past) deadline() time.Time {
	if p.empty() {
		return time.Time{}
	}
	return time.Unix(0, p.latest)
}

// expire forgets all when all is old. Single requests are forgotten when others come.
func (p *past) expire(now time.Time) {
	if now.UnixNano() >= p.latest {
		*p = past{first: p.end, end: p.end}
	}
}

// find gives what is remembered of a request. It is valid until the next call.
func (p *past) find(now time.Time, id uint16, digest uint64) *memory {
	n, ok := p.newest[id]
	if !ok {
		return nil
	}
	m := p.at(n)
	if m.digest != digest || m.until <= now.UnixNano() {
		return nil
	}
	return m
}

// remember notes a request that has come, and gives its number.
func (p *past) remember(now time.Time, id uint16, digest uint64, lifetime time.Duration, limit int) (number uint32) {
	until := now.Add(lifetime).UnixNano()
	for !p.empty() && (int(p.end-p.first) >= limit || p.at(p.first).until <= now.UnixNano()) {
		p.forgetOldest()
	}
	if int(p.end-p.first) == len(p.ring) {
		p.grow()
	}
	number = p.end
	p.end++
	*p.at(number) = memory{digest: digest, until: until, id: id}
	p.newest[id] = number
	p.latest = max(p.latest, until)
	return number
}

// answered notes what a request was answered; unless it is forgotten by now.
func (p *past) answered(number uint32, datagram []byte, limit int) {
	if number-p.first < p.end-p.first && len(datagram) <= limit {
		m := p.at(number)
		m.answer, m.size = p.answers.add(datagram, limit), uint32(len(datagram))
	}
}

// replay appends the answer of a request, if it is still there.
func (p *past) replay(dst []byte, m *memory) ([]byte, bool) {
	return p.answers.appendTo(dst, m.answer, int(m.size))
}

func (p *past) at(number uint32) *memory { return &p.ring[int(number)&(len(p.ring)-1)] }

func (p *past) forgetOldest() {
	if id := p.at(p.first).id; p.newest[id] == p.first {
		delete(p.newest, id)
	}
	p.first++
}

func (p *past) grow() {
	old := *p
	p.ring = make([]memory, max(smallest, 2*len(old.ring)))
	for n := old.first; n != old.end; n++ {
		*p.at(n) = *old.at(n)
	}
	if p.newest == nil {
		p.newest = make(map[uint16]uint32)
	}
}

// answers are the bytes of the last answers; the newest overwrite the oldest.
type answers struct {
	ring []byte // as many as a power of two
	end  uint64 // how many bytes have ever been added
}

// add adds an answer of at most limit bytes, and tells where it begins.
func (a *answers) add(p []byte, limit int) (at uint64) {
	for len(a.ring) < limit && a.end+uint64(len(p)) > uint64(len(a.ring)) || len(a.ring) < len(p) {
		a.grow()
	}
	at = a.end
	a.write(at, p)
	a.end += uint64(len(p))
	return at
}

// appendTo appends an answer; false when it was overwritten, or is none.
func (a *answers) appendTo(dst []byte, at uint64, size int) ([]byte, bool) {
	if size == 0 || a.end-at > uint64(len(a.ring)) {
		return dst, false
	}
	from := int(at) & (len(a.ring) - 1)
	n := min(size, len(a.ring)-from)
	dst = append(dst, a.ring[from:from+n]...)
	return append(dst, a.ring[:size-n]...), true
}

func (a *answers) write(at uint64, p []byte) {
	n := copy(a.ring[int(at)&(len(a.ring)-1):], p)
	copy(a.ring, p[n:])
}

func (a *answers) grow() {
	old := *a
	a.ring = make([]byte, max(64, 2*len(old.ring)))
	kept := min(old.end, uint64(len(old.ring)))
	if kept > 0 {
		p, _ := old.appendTo(nil, old.end-kept, int(kept))
		a.write(old.end-kept, p)
	}
}
