package main

import (
	"cmp"
	"encoding/binary"
	"time"
)

const (
	mostOfPart  = 1_000_000 // messages at either end of a backlog that are timed
	fewestParts = 10        // of a backlog that is smaller than so many of these
)

// partOf is how many messages at either end of n are timed.
func partOf(n int) int { return min(mostOfPart, max(1, n/fewestParts)) }

// drained is how a queue was emptied.
type drained struct {
	part        int   // messages
	first, last spell // of the first and the last part of them
	whole       spell
	misplaced   uint64 // messages that are not the next one of those that were sent
}

// spell is how long something took, and how much CPU time of the server.
type spell struct{ took, cpu time.Duration }

// evenness is the speed at the end as a multiple of that at the start.
func (d drained) evenness() float64 { return d.lastRate() / d.firstRate() }

func (d drained) firstRate() float64 { return d.rate(d.first) }
func (d drained) lastRate() float64  { return d.rate(d.last) }

// rate is the messages per second of one of the parts.
func (d drained) rate(part spell) float64 { return float64(d.part) / max(part.took, 1).Seconds() }

// stopwatch counts messages of the load driver, checks that they come in the order in which they were sent, and times
// either end.
type stopwatch struct {
	drained
	n, seen    int
	cpu        func() (time.Duration, error) // that the server has used so far
	start, lap moment                        // lap is when the last part began
	fault      error                         // of cpu
}

// moment is a time, and the CPU time that had been used by then.
type moment struct {
	at  time.Time
	cpu time.Duration
}

func (m moment) until(later moment) spell { return spell{later.at.Sub(m.at), later.cpu - m.cpu} }

// newStopwatch starts one for n messages.
func newStopwatch(n int, cpu func() (time.Duration, error)) (*stopwatch, error) {
	w := &stopwatch{drained: drained{part: partOf(n)}, n: n, cpu: cpu}
	w.start = w.now()
	w.lap = w.start
	return w, w.fault
}

func (w *stopwatch) now() moment {
	used, err := w.cpu()
	w.fault = cmp.Or(w.fault, err)
	return moment{time.Now(), used}
}

// take counts one message and tells whether it is the last.
func (w *stopwatch) take(message []byte) bool {
	if number, ok := sequenceOf(message); !ok || number != uint64(w.seen) {
		w.misplaced++
	}
	w.seen++
	if w.seen == w.part {
		w.first = w.start.until(w.now())
	}
	if w.seen == w.n-w.part {
		w.lap = w.now()
	}
	if w.seen == w.n {
		end := w.now()
		w.last, w.whole = w.lap.until(end), w.start.until(end)
	}
	return w.done()
}

func (w *stopwatch) done() bool { return w.seen >= w.n }

// sequenceOf is the number that the load driver gave to a message, whose last section is its payload.
func sequenceOf(message []byte) (number uint64, ok bool) {
	if len(message) < smallSize {
		return 0, false
	}
	return binary.LittleEndian.Uint64(message[len(message)-smallSize+sequenceAt:]), true
}
