package load

import (
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// subscriber checks what its line reads. The goroutine that listens owns the streams and the histogram until it has
// ended. The atomics are read by the run.
type subscriber struct {
	line
	run     uint32
	epoch   time.Time
	first   uint32    // the publisher that streams[0] belongs to
	streams []stream  // one for each publisher it hears
	touched []*stream // streams whose meters have to move
	now     time.Duration
	fresh   uint64 // messages of the batch that came for the first time

	received atomic.Uint64
	foreign  atomic.Uint64
	counting *atomic.Bool            // set while the measured window is open
	latency  *hdrhistogram.Histogram // nil when nobody asked
}

// stream is the messages of one publisher at one subscriber: all of them, or its share.
type stream struct {
	ledger  ledger
	meter   *meter // of the ledger
	share   *share // nil for all
	touched bool
}

func (s *stream) note(sequence uint64) bool {
	if s.share != nil {
		return s.share.note(sequence)
	}
	return s.ledger.note(sequence)
}

func (s *stream) advance() {
	if s.share != nil {
		s.share.advance()
		return
	}
	s.meter.advance(s.ledger.next)
}

// begin is called when bytes have been read, before the messages in them are taken.
func (s *subscriber) begin() { s.now, s.fresh = time.Since(s.epoch), 0 }

// take checks one message.
func (s *subscriber) take(payload []byte) {
	mark, ok := readStamp(payload)
	index := mark.publisher - s.first // wraps around for a publisher below first, and is then too large
	if !ok || mark.run != s.run || index >= uint32(len(s.streams)) {
		s.foreign.Add(1)
		return
	}
	st := &s.streams[index]
	isNew := st.note(mark.sequence)
	if !st.touched {
		st.touched = true
		s.touched = append(s.touched, st)
	}
	if !isNew {
		return
	}
	s.fresh++
	if s.latency != nil && s.counting.Load() {
		record(s.latency, s.now-mark.sent)
	}
}

// end is called when all messages of what was read have been taken, and are acknowledged.
func (s *subscriber) end() {
	s.received.Add(s.fresh)
	for _, st := range s.touched {
		st.touched = false
		st.advance()
	}
	s.touched = s.touched[:0]
}
