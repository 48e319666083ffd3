package main_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"
)

// publication is one attempt to publish one message. The attempts of a publisher have rising numbers from 1, in the
// order in which they were sent.
type publication struct {
	Publisher, Message, Attempt uint32
}

func (p publication) String() string {
	return fmt.Sprintf("publisher %d, message %d, attempt %d", p.Publisher, p.Message, p.Attempt)
}

// encode gives the payload: the numbers, and a filling whose length and content follow from them.
func (p publication) encode() []byte {
	payload, err := binary.Append(nil, binary.BigEndian, p)
	if err != nil {
		panic(err) // a publication has a fixed size
	}
	return append(payload, bytes.Repeat([]byte{byte(p.Message)}, int(p.Attempt*37%500))...)
}

// decode reverses encode; false if the payload is not exactly as it was sent.
func decode(payload []byte) (p publication, ok bool) {
	_, err := binary.Decode(payload, binary.BigEndian, &p)
	return p, err == nil && bytes.Equal(payload, p.encode())
}

// positions are attempts, one of each publisher.
type positions [publishers]uint32

// record is what is known of a publication.
type record struct {
	message      uint32
	acknowledged bool // by the gateway
	read         int  // in which life of the process a consumer read it last; 0 for never
	settled      bool // a consumer has acknowledged it
}

// owed tells whether the gateway still has to deliver a publication, for the first time or once more.
func (r *record) owed() bool { return r.acknowledged && r.read == 0 || r.read > 0 && !r.settled }

// ledger knows what became of each publication, and finds what must not be.
type ledger struct {
	mu       sync.Mutex // guards everything below
	life     int        // of the process; the first is 1
	records  [publishers][]record
	earlier  positions     // the highest read in earlier lives
	highest  positions     // the highest read
	paid     chan struct{} // closed when nothing is owed; nil until somebody waits for it
	report   report
	failures []string // the first ones, in words
}

// begin says that the process lives again. All clients of the life before have come to an end.
func (l *ledger) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.life++
	l.earlier = l.highest
}

// sent notes that a message is about to be published.
func (l *ledger) sent(publisher, message uint32) publication {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records[publisher] = append(l.records[publisher], record{message: message})
	l.report.sent++
	return publication{publisher, message, uint32(len(l.records[publisher]))}
}

// acknowledged notes that the gateway said yes.
func (l *ledger) acknowledged(p publication) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.report.acknowledged++
	l.change(l.find(p), func(r *record) { r.acknowledged = true })
}

// delivered notes what a consumer has read. last is what its connection has read before.
func (l *ledger) delivered(p publication, marked bool, last *positions) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.find(p)
	if r == nil {
		l.report.phantoms++
		l.fail("%v: delivered and never sent", p)
		return
	}
	switch {
	case r.read == l.life:
		l.report.doubled++
		l.fail("%v: delivered twice in life %d", p, l.life)
	case r.read > 0 && marked:
		l.report.redelivered++
	case r.read > 0:
		l.report.unmarked++
		l.fail("%v: read in life %d, and in life %d again without DUP", p, r.read, l.life)
	case marked:
		l.report.delivered++
		l.report.doubtful++
	default:
		l.report.delivered++
	}
	if p.Attempt < last[p.Publisher] {
		l.report.disordered++
		l.fail("%v: delivered behind attempt %d", p, last[p.Publisher])
	} else if !marked && r.read == 0 && p.Attempt < l.earlier[p.Publisher] {
		l.report.disordered++
		l.fail("%v: delivered as new behind attempt %d of an earlier life", p, l.earlier[p.Publisher])
	}
	last[p.Publisher] = p.Attempt
	l.highest[p.Publisher] = max(l.highest[p.Publisher], p.Attempt)
	l.change(r, func(r *record) { r.read = l.life })
}

// settled notes that a consumer is about to acknowledge what it has read.
func (l *ledger) settled(p publication) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.find(p); r != nil {
		l.change(r, func(r *record) { r.settled = true })
	}
}

// find gives the record of a publication; nil if it was never sent. The caller holds l.mu.
func (l *ledger) find(p publication) *record {
	if p.Publisher >= publishers || p.Attempt == 0 || int(p.Attempt) > len(l.records[p.Publisher]) {
		return nil
	}
	if r := &l.records[p.Publisher][p.Attempt-1]; r.message == p.Message {
		return r
	}
	return nil
}

// change changes a record and keeps count of what is owed. The caller holds l.mu.
func (l *ledger) change(r *record, with func(*record)) {
	before := r.owed()
	with(r)
	switch after := r.owed(); {
	case after && !before:
		l.report.lost++
	case before && !after:
		l.report.lost--
	}
	l.announce()
}

// complete gives a channel that is closed when nothing is owed.
func (l *ledger) complete() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	paid := make(chan struct{})
	l.paid = paid
	l.announce()
	return paid
}

func (l *ledger) announce() {
	if l.paid != nil && l.report.lost == 0 {
		close(l.paid)
		l.paid = nil
	}
}

// fault notes something that went wrong beside the counts.
func (l *ledger) fault(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.report.faults++
	l.fail("%v", err)
}

// fail keeps the words for the first failures. The caller holds l.mu.
func (l *ledger) fail(format string, args ...any) {
	if len(l.failures) < 10 {
		l.failures = append(l.failures, fmt.Sprintf(format, args...))
	}
}

// summary gives the counts and the first failures in words.
func (l *ledger) summary() (report, []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for publisher := range l.records {
		for i, r := range l.records[publisher] {
			if r.owed() {
				p := publication{uint32(publisher), r.message, uint32(i + 1)}
				l.fail("%v: lost; acknowledged %t, read last in life %d of %d", p, r.acknowledged, r.read, l.life)
			}
		}
	}
	return l.report, l.failures
}

// report counts publications, and deliveries of them.
type report struct {
	sent, acknowledged, delivered int
	redelivered                   int // read before, and marked
	doubtful                      int // marked and not read before: they may have been on their way

	// What must not be.
	unmarked   int // read before, and not marked
	doubled    int // read before in the same life
	disordered int
	phantoms   int
	lost       int // owed at the end
	faults     int // of the talk with a client
}

func (r report) faulty() bool {
	return r.unmarked+r.doubled+r.disordered+r.phantoms+r.lost+r.faults > 0
}

func (r report) String() string {
	return fmt.Sprintf("sent %d, acknowledged %d, delivered %d, redelivered (marked) %d, marked in doubt %d, "+
		"unmarked repeats %d, repeats without a kill %d, out of order %d, phantoms %d, client faults %d, lost %d",
		r.sent, r.acknowledged, r.delivered, r.redelivered, r.doubtful,
		r.unmarked, r.doubled, r.disordered, r.phantoms, r.faults, r.lost)
}
