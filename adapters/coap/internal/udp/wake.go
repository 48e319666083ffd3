package udp

import (
	"net"
	"time"
)

// A lane waits for datagrams, for the next deadline, and for those who wake it, all in one read of its socket: the read
// has the deadline as its own, and who wakes the lane moves that into the past.

// longAgo is a read deadline that ends a read at once.
var longAgo = time.Unix(1, 0)

// wake notes that a peer's client has something to say. It is called from any goroutine and does not block.
func (l *lane) wake(p *peer) {
	l.mu.Lock()
	if !p.listed {
		p.listed = true
		l.woken = append(l.woken, p)
	}
	l.interruptLocked()
}

// drain tells the lane to end.
func (l *lane) drain() {
	l.mu.Lock()
	l.stops = true
	l.interruptLocked()
}

// interruptLocked ends the lane's read, if there is one, and unlocks mu.
func (l *lane) interruptLocked() {
	interrupts := l.asleep
	l.asleep = false
	l.mu.Unlock()
	if interrupts {
		_ = l.conn.SetReadDeadline(longAgo) // fails only when the socket is closed, which ends the read too
	}
}

// sleep gets ready for a read; false when there is something to do before. Who wakes the lane after that interrupts the
// read; a deadline that is set too late by one that came in between ends a read too early, which does no harm.
func (l *lane) sleep() bool {
	_ = l.conn.SetReadDeadline(l.deadline())
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asleep = len(l.woken) == 0 && l.stops == l.draining
	return l.asleep
}

// deadline is when the lane has something to do.
func (l *lane) deadline() time.Time {
	at := earliest(l.agenda.next(), l.cutoff)
	if l.options.Security != nil {
		at = earliest(at, l.options.Security.Deadline())
	}
	return at
}

func (l *lane) awake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asleep = false
}

// buffer gives room for the next datagram to write.
func (l *lane) buffer() []byte {
	if l.out.full() {
		l.flush()
	}
	return l.out.next()[:0]
}

// send adds a datagram to those that are written next.
func (l *lane) send(b []byte, to net.Addr, control []byte) {
	if l.out.full() {
		l.flush()
	}
	l.out.add(b, to, control)
}

// flush writes what was sent.
func (l *lane) flush() {
	sent, unsent := l.out.write()
	l.counts.sent.Add(sent)
	l.counts.unsent.Add(unsent)
}
