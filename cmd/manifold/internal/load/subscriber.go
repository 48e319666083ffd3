package load

import (
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// subscriber reads what it subscribed to, checks it and acknowledges it. One goroutine runs receive; the ledgers
// and the histogram belong to it until it has ended. The atomics are read by the run.
type subscriber struct {
	conn    net.Conn
	reader  *batchReader
	run     uint32
	epoch   time.Time
	first   uint32   // the publisher that streams[0] belongs to
	streams []stream // one for each publisher it hears

	answered bool // SUBACK has come
	suback   error
	filters  []string
	qos      int

	acks    []byte    // PUBACKs of what was read at once
	touched []*stream // streams whose meters have to move

	received atomic.Uint64
	foreign  atomic.Uint64
	counting *atomic.Bool            // set while the measured window is open
	latency  *hdrhistogram.Histogram // nil when nobody asked
}

// stream is the messages of one publisher at one subscriber.
type stream struct {
	ledger  ledger
	meter   *meter
	touched bool
}

const (
	latencyLowest  = int64(time.Microsecond)
	latencyHighest = int64(time.Minute)
	latencyDigits  = 3
)

// subscribe sends SUBSCRIBE and returns once the server has granted all of it. Messages that come before the
// SUBACK are taken as usual.
func (s *subscriber) subscribe(filters []string) error {
	s.filters = filters
	if _, err := s.conn.Write(appendSubscribe(nil, 1, s.qos, filters...)); err != nil {
		return fmt.Errorf("subscribe: %w", broken(err))
	}
	for !s.answered {
		if err := s.receiveOnce(); err != nil {
			return fmt.Errorf("suback: %w", broken(err))
		}
	}
	return s.suback
}

// receive reads until the connection ends.
func (s *subscriber) receive() error {
	for {
		if err := s.receiveOnce(); err != nil {
			return err
		}
	}
}

// receiveOnce takes what one read gives. The PUBACKs go out in one write; they are few bytes, bounded by the
// publishers' windows, and fit into the socket's buffer even if the server is not reading at this moment.
func (s *subscriber) receiveOnce() error {
	var taken uint64
	now, counting := time.Since(s.epoch), s.counting.Load()
	err := s.reader.fill(func(f frame) error {
		if taken == 0 {
			now = time.Since(s.epoch) // reading may have waited
		}
		isNew, err := s.take(f, now, counting)
		if isNew {
			taken++
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(s.acks) > 0 {
		if _, err := s.conn.Write(s.acks); err != nil {
			return err
		}
		s.acks = s.acks[:0]
	}
	s.received.Add(taken)
	for _, st := range s.touched {
		st.touched = false
		st.meter.advance(st.ledger.next)
	}
	s.touched = s.touched[:0]
	return nil
}

// take handles one packet and says whether it was a message of this run for the first time.
func (s *subscriber) take(f frame, now time.Duration, counting bool) (bool, error) {
	switch f.first & typeMask {
	case packetPublish:
	case packetSuback:
		s.answered, s.suback = true, f.subackError(s.filters, s.qos)
		return false, nil
	default:
		return false, fmt.Errorf("packet of type %#x was not expected", f.first)
	}
	id, payload, err := f.publish()
	if err != nil {
		return false, err
	}
	if id != 0 {
		s.acks = appendPuback(s.acks, id)
	}
	mark, ok := readStamp(payload)
	index := mark.publisher - s.first // wraps around for a publisher below first, and is then too large
	if !ok || mark.run != s.run || index >= uint32(len(s.streams)) {
		s.foreign.Add(1)
		return false, nil
	}
	st := &s.streams[index]
	isNew := st.ledger.note(mark.sequence)
	if !st.touched {
		st.touched = true
		s.touched = append(s.touched, st)
	}
	if isNew && counting && s.latency != nil {
		_ = s.latency.RecordValue(min(int64(now-mark.sent), latencyHighest))
	}
	return isNew, nil
}
